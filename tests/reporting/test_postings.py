"""What each fact says about the ledger, case by case."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from reporting.figures.postings import FACT_TYPES, Counting, positions_of
from reporting.figures.rules import (
    MEASURES,
    Account,
    Calendar,
    Kind,
    Segments,
    Window,
    parse_figure_id,
    window_of,
)
from shared.events import REGISTRY, Fact
from shared.events.enrollment import (
    CensusVisited,
    EmployerEnrolled,
    EmployerLinked,
    LeadClosed,
    LeadOpened,
)
from shared.events.registration_feed import EnterpriseDeregistered, EnterpriseRegistered
from shared.periods import CutoffDays, Dekad
from shared.plan import Plan
from tests.reporting.objects import AT, arrears, person, receipt


@pytest.fixture(scope="module")
def counting(plan: Plan) -> Counting:
    return Counting.of(plan)


class TestPersons:
    @pytest.mark.parametrize(
        ("status", "total", "active"),
        [("active", 1, 1), ("suspended", 1, 1), ("retired", 1, 0), ("ended", 0, 0)],
    )
    def test_count_as_the_plan_says(
        self, status: str, total: int, active: int, counting: Counting
    ) -> None:
        (position,) = positions_of(person(7, status=status), counting)
        assert position.quantities == (total, active, None)
        assert position.segments == Segments(status, "employee", "private", "catering")
        assert (position.subject, position.unit) == ("person-000007", "210502")


class TestMoney:
    def test_of_a_receipt_stands_under_the_collecting_unit_on_the_day_received(
        self, counting: Counting
    ) -> None:
        (position,) = positions_of(receipt(9, unit="L-BG"), counting)
        assert position.account == Account.RECEIPT
        assert position.quantities == (100_000, 40_000, 20_000)
        assert (position.holder, position.subject) == ("receipt:9", "oc:D2143569X")
        assert (position.unit, position.effective_on) == ("L-BG", date(2008, 6, 2))

    def test_of_arrears_is_what_the_balance_grew_by(self, counting: Counting) -> None:
        own, carried = positions_of(arrears("2008-05", 7_000, 5_000), counting)
        assert (own.quantities[0], carried.quantities[0]) == (2_000, 0)
        assert own.effective_on == date(2008, 5, 31)

    def test_of_a_firm_that_moved_leaves_the_old_unit(self, counting: Counting) -> None:
        own, carried = positions_of(
            arrears("2008-05", 7_000, 5_000, unit="L-BG", carried_unit="210502"), counting
        )
        assert (own.unit, own.quantities[0]) == ("L-BG", 7_000)
        assert (carried.unit, carried.quantities[0]) == ("210502", -5_000)


class TestOthers:
    def test_a_lead_counts_until_closed(self, counting: Counting) -> None:
        state: dict[str, Any] = {
            "key": "e1",
            "subject": "l1",
            "recorded_at": AT,
            "lead_id": "l1",
            "lead_kind": "unenrolled-employer",
            "unit": "210502",
            "sources": ["employer-checks"],
            "opened_on": date(2008, 6, 1),
            "effective_on": date(2008, 6, 1),
        }
        (opened,) = positions_of(LeadOpened(revision=1, status="open", **state), counting)
        (closed,) = positions_of(LeadClosed(revision=2, status="closed", **state), counting)
        assert (opened.quantities[0], closed.quantities[0]) == (1, 0)
        assert opened.segments.lead_kind == "unenrolled-employer"

    def test_a_firm_is_counted_by_its_licence_and_not_again_by_its_code(
        self, counting: Counting
    ) -> None:
        state: dict[str, Any] = {
            "key": "oc:D2143569X",
            "subject": "licence:1",
            "revision": 1,
            "recorded_at": AT,
            "name": "某厂",
            "unit": "210502",
            "licensed_on": date(2008, 6, 1),
            "effective_on": date(2008, 6, 1),
        }
        (one,) = positions_of(EnterpriseRegistered(feed="business-licences", **state), counting)
        (gone,) = positions_of(EnterpriseDeregistered(feed="business-licences", **state), counting)
        assert (one.quantities[0], gone.quantities[0]) == (1, 0)
        assert not positions_of(EnterpriseRegistered(feed="organisation-codes", **state), counting)

    def test_a_place_of_the_census_counts_while_it_is_visited(self, counting: Counting) -> None:
        state: dict[str, Any] = {
            "key": "census:210502.7",
            "subject": "census:210502.7",
            "recorded_at": AT,
            "unit": "210502",
            "frame_no": "7",
            "visited_on": date(2008, 6, 3),
            "found_uninsured_count": 2,
        }
        (visited,) = positions_of(CensusVisited(revision=1, **state), counting)
        (undone,) = positions_of(CensusVisited(revision=2, visited=False, **state), counting)
        assert (visited.quantities[0], undone.quantities[0]) == (1, 0)
        assert (visited.account, visited.effective_on) == (Account.CENSUS, date(2008, 6, 3))

    def test_an_employer_counts_until_it_leaves(self, counting: Counting) -> None:
        state: dict[str, Any] = {
            "key": "e1",
            "subject": "e1",
            "revision": 1,
            "recorded_at": AT,
            "employer_id": "e1",
            "agency_no": "1",
            "name": "某厂",
            "unit": "210502",
            "reg_type": "170",
            "ownership": "private",
            "trade": "none",
            "enrolled_on": date(2008, 6, 1),
            "effective_on": date(2008, 6, 1),
        }
        found = [
            positions_of(EmployerEnrolled(status=status, **state), counting)[0].quantities[0]
            for status in ("enrolled", "suspended", "ended")
        ]
        assert found == [1, 1, 0]

    def test_facts_that_move_no_figure_say_nothing(self, counting: Counting) -> None:
        link = EmployerLinked(
            key="e1",
            subject="link:e1",
            revision=1,
            recorded_at=AT,
            employer_id="e1",
            employer_keys=["oc:1"],
            name="某厂",
            unit="210502",
            rule="org-code",
        )
        assert positions_of(link, counting) == ()


class TestNumbersOnDisk:
    def test_never_change(self) -> None:
        """Entries hold the numbers: a renumbered type or account would make old entries lie."""
        assert {number: fact.kind for number, fact in FACT_TYPES.items()} == {
            1: "person-enrolled",
            2: "person-changed",
            3: "person-ended",
            4: "contribution-collected",
            5: "arrears-recorded",
            6: "arrears-settled",
            7: "lead-opened",
            8: "lead-advanced",
            9: "lead-closed",
            10: "employer-enrolled",
            11: "employer-changed",
            12: "employer-ended",
            13: "enterprise-registered",
            14: "enterprise-changed",
            15: "enterprise-deregistered",
            16: "census-visited",
        }
        assert [account.value for account in Account] == [1, 2, 3, 4, 5, 6, 7]
        assert set(FACT_TYPES.values()) <= set(REGISTRY.values())
        assert all(issubclass(fact, Fact) for fact in FACT_TYPES.values())


CALENDAR = Calendar(CutoffDays(), date(2008, 4, 30), date(2008, 1, 1))


class TestWindows:
    @pytest.mark.parametrize(
        ("name", "period", "kind", "expected"),
        [
            ("insured-total", "2008-06-D1", Kind.CUMULATIVE, Window(None, date(2008, 6, 10))),
            # 31 May counts in the first dekad of June: the third closes on the 30th.
            (
                "insured-total",
                "2008-06-D1",
                Kind.THIS_DEKAD,
                Window(date(2008, 5, 30), date(2008, 6, 10)),
            ),
            (
                "insured-total",
                "2008-05-D3",
                Kind.THIS_DEKAD,
                Window(date(2008, 5, 20), date(2008, 5, 30)),
            ),
            # The year closes on 31 December, February on its last day.
            ("insured-total", "2008-12-D3", Kind.CUMULATIVE, Window(None, date(2008, 12, 31))),
            ("insured-total", "2008-02-D3", Kind.CUMULATIVE, Window(None, date(2008, 2, 29))),
            ("insured-total", "2008-06-D1", Kind.OPENING, Window(None, date(2008, 4, 30))),
            # Money is counted from the first day of the year and opens at nothing.
            (
                "pooled-fund",
                "2008-06-D1",
                Kind.CUMULATIVE,
                Window(date(2007, 12, 31), date(2008, 6, 10)),
            ),
            (
                "pooled-fund",
                "2008-06-D1",
                Kind.OPENING,
                Window(date(2007, 12, 31), date(2007, 12, 31)),
            ),
            ("arrears-balance", "2008-06-D1", Kind.CUMULATIVE, Window(None, date(2008, 6, 10))),
        ],
    )
    def test_of_a_figure(self, name: str, period: str, kind: Kind, expected: Window) -> None:
        assert window_of(MEASURES[name], kind, Dekad.parse(period), CALENDAR) == expected


class TestFigureIds:
    def test_say_measure_unit_period_and_kind(self) -> None:
        text = "insured-total.L-BG.2008-06-D1.this-dekad"
        figure = parse_figure_id(text)
        assert figure is not None
        assert str(figure) == text
        assert (figure.measure.name, figure.unit) == ("insured-total", "L-BG")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "insured-total",
            "insured-total.L-BG.2008-06-D1",
            "insured-total.L-BG.2008-06-D4.cumulative",
            "insured-total.L-BG.2008-06-D1.total",
            "insured.L-BG.2008-06-D1.cumulative",
            "insured-total..2008-06-D1.cumulative",
            "insured-total.L-BG.2008-06-D1.cumulative.x",
        ],
    )
    def test_that_are_none_are_none(self, text: str) -> None:
        assert parse_figure_id(text) is None
