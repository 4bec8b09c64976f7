"""How far every unit is: the definitions, and the tables made of them (O7–O11, O20, O94)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest

from reporting.progress import rules
from shared.clock import FixedClock
from shared.periods import Dekad
from tests.reporting.conftest import Desk
from tests.reporting.objects import person, receipt

YEAR = (date(2008, 1, 1), date(2008, 12, 31))


class TestShares:
    @pytest.mark.parametrize(
        ("now", "target", "shown"),
        [
            (647_000, 647_000, "100.0"),
            (0, 647_000, "0.0"),
            (1, 3, "33.3"),
            (1, 16, "6.3"),  # 6.25: half up
            (3, 16, "18.8"),  # 18.75
            (5, None, None),
        ],
    )
    def test_of_the_target(self, now: int, target: int | None, shown: str | None) -> None:
        assert rules.shown(rules.completion(now, target)) == shown

    @pytest.mark.parametrize(
        ("opening", "now", "duty", "shown"),
        [
            (600, 620, 640, "50.0"),
            (600, 590, 640, "-25.0"),
            (600, 700, 640, "250.0"),
            (0, 300, 1200, "25.0"),
            (640, 650, 640, None),  # nothing had to be gained
            (600, 620, None, None),
        ],
    )
    def test_of_the_net_gain_required(
        self, opening: int, now: int, duty: int | None, shown: str | None
    ) -> None:
        assert rules.shown(rules.net_gain_completion(opening, now, duty)) == shown


class TestPace:
    @pytest.mark.parametrize(
        ("on", "shown"),
        [
            (date(2008, 1, 1), "0.3"),
            (date(2008, 6, 10), "44.3"),  # 162 of 366 days
            (date(2008, 12, 30), "99.7"),
            (date(2008, 12, 31), "100.0"),
        ],
    )
    def test_time_progress_knows_the_leap_year(self, on: date, shown: str) -> None:
        assert rules.shown(rules.time_progress(on, *YEAR)) == shown

    @pytest.mark.parametrize(
        ("on", "share"),
        [
            (date(2008, 4, 30), Fraction(0)),
            (date(2008, 4, 1), Fraction(0)),
            (date(2008, 6, 10), Fraction(41, 245)),
            (date(2008, 12, 31), Fraction(1)),
        ],
    )
    def test_of_the_gain_begins_at_the_opening(self, on: date, share: Fraction) -> None:
        assert rules.gain_pace(on, date(2008, 4, 30), YEAR[1]) == share


class TestWhatIsLeft:
    @pytest.mark.parametrize(
        ("period", "still_open", "left"),
        [
            ("2008-12-D3", False, 0),
            ("2008-12-D3", True, 1),
            ("2008-12-D2", False, 1),
            ("2008-06-D1", False, 20),
            ("2008-06-D1", True, 21),
        ],
    )
    def test_is_counted_in_dekads(self, period: str, still_open: bool, left: int) -> None:
        assert rules.dekads_left(Dekad.parse(period), YEAR[1], still_open=still_open) == left

    @pytest.mark.parametrize(
        ("missing", "left", "needed"),
        [(100, 10, 10), (101, 10, 11), (0, 0, 0), (5, 0, None), (None, 3, None)],
    )
    def test_is_needed_in_each(self, missing: int | None, left: int, needed: int | None) -> None:
        assert rules.needed_per_dekad(missing, left) == needed

    def test_is_never_negative(self) -> None:
        assert rules.shortfall(700, 640) == 0


class TestRanks:
    @pytest.mark.parametrize(
        ("shares", "places"),
        [
            ([Fraction(1, 2), Fraction(3, 4), Fraction(1, 4)], [2, 1, 3]),
            ([Fraction(1, 2), Fraction(2, 4), Fraction(1, 4)], [1, 1, 3]),
            ([None, Fraction(1, 4), Fraction(1, 4)], [None, 1, 1]),
            ([], []),
        ],
    )
    def test_ties_share_a_place_and_the_next_is_skipped(
        self, shares: list[Fraction | None], places: list[int | None]
    ) -> None:
        assert rules.ranks(shares) == places


def table(answer: dict[str, Any], measure: str) -> dict[str, dict[str, Any]]:
    """Unit code → row."""
    (found,) = [m for m in answer["measures"] if m["name"] == measure]
    return {row["unit"]["code"]: row for row in found["rows"]}


class TestTheAnswer:
    async def test_has_every_unit_and_the_city_and_adds_up(self, desk: Desk) -> None:
        await desk.take(
            [
                person(1),
                person(2, status="retired"),
                person(3, unit="L-BG"),
                # The 31st counts in the next dekad, the 30th in this one.
                person(4, effective_on=date(2008, 5, 30)),
                person(5, effective_on=date(2008, 5, 31)),
                person(1, 2, unit="L-BG", effective_on=date(2008, 6, 3)),
                person(6, effective_on=date(2008, 6, 11)),
            ]
        )
        await desk.take([receipt(1), receipt(2, received_on=date(2007, 12, 31))])
        answer = await desk.get("progress", period="2008-06-D1")
        total = table(answer, "insured-total")
        assert [row["unit"]["code"] for row in answer["measures"][0]["rows"]][-1] == "210500"
        assert len(total) == 11
        pingshan, steel, city = total["210502"], total["L-BG"], total["210500"]
        assert [pingshan[k]["value"] for k in ("opening", "this_dekad", "cumulative")] == [2, 0, 3]
        assert [steel[k]["value"] for k in ("opening", "this_dekad", "cumulative")] == [1, 1, 2]
        assert [city[k]["value"] for k in ("opening", "this_dekad", "cumulative")] == [3, 1, 5]
        assert table(answer, "insured-active")["210502"]["cumulative"]["value"] == 2
        fund = table(answer, "pooled-fund")
        assert fund["210502"]["opening"]["value"] == 0
        assert fund["210502"]["cumulative"]["value"] == 100_000  # last year's is not this year's
        assert fund["210500"]["target"]["stretch"] is None
        may = table(await desk.get("progress", period="2008-05-D3"), "insured-total")
        assert may["210502"]["this_dekad"]["value"] == 1

    async def test_marks_samples_and_checks_the_cascade(self, desk: Desk) -> None:
        answer = await desk.get("progress")
        assert answer["period"]["period"] == "2008-06-D1"
        assert answer["note"]["sample"] is True
        assert "示例" in answer["note"]["zh"]
        for measure in answer["measures"]:
            for row in measure["rows"]:
                assert row["target"]["sample"] is not row["city"]
                assert row["target"]["source"]
            assert all(check["ok"] for check in measure["cascade"])
            assert {check["line"] for check in measure["cascade"]} >= {"duty"}

    async def test_says_period_cut_off_and_due_moment(self, desk: Desk) -> None:
        period = (await desk.get("progress", period="2008-05-D3"))["period"]
        assert (period["after_on"], period["cut_off_on"]) == ("2008-05-20", "2008-05-30")
        assert period["due_at"] == "2008-05-30T16:00:00Z"
        assert (period["still_open"], period["dekads_left"]) == (False, 21)
        assert period["time_progress"] == "41.3"  # 151 of 366

    async def test_of_an_open_dekad_is_paced_to_today(self, desk: Desk, clock: FixedClock) -> None:
        clock.set(datetime(2008, 6, 5, 4, tzinfo=UTC))
        period = (await desk.get("progress"))["period"]
        assert (period["paced_on"], period["still_open"]) == ("2008-06-05", True)
        assert period["dekads_left"] == 21

    async def test_of_the_31st_is_the_next_dekads(self, desk: Desk, clock: FixedClock) -> None:
        clock.set(datetime(2008, 5, 31, 4, tzinfo=UTC))
        assert (await desk.get("progress"))["period"]["period"] == "2008-06-D1"

    async def test_ranks_by_completion_and_leaves_the_city_out(self, desk: Desk) -> None:
        await desk.take([person(n, unit="L-KF") for n in range(3)])
        rows = table(await desk.get("progress", measure="insured-total"), "insured-total")
        places = {code: row["rank"] for code, row in rows.items()}
        assert places.pop("210500") is None
        assert places.pop("L-KF") == 1
        assert set(places.values()) == {2}

    async def test_tells_what_stands_under_unknown_units(self, desk: Desk) -> None:
        await desk.take([receipt(1), receipt(2, unit="999999")])
        answer = await desk.get("progress", measure="pooled-fund")
        assert answer["measures"][0]["unplaced"] == {"999999": 100_000}
        assert table(answer, "pooled-fund")["210500"]["cumulative"]["value"] == 100_000

    async def test_serves_every_measure(self, desk: Desk) -> None:
        answer = await desk.get("progress", measure=["arrears-balance", "leads-open"])
        assert [measure["name"] for measure in answer["measures"]] == [
            "arrears-balance",
            "leads-open",
        ]
        assert answer["measures"][0]["rows"][0]["target"] is None

    async def test_refuses_what_does_not_exist(self, desk: Desk) -> None:
        for query, code in (
            ({"period": "2008-06-D4"}, "period-invalid"),
            ({"period": "2008-06"}, "period-invalid"),
            ({"measure": "insured"}, "parameter-invalid"),
        ):
            answer = await desk.ask("progress", **query)
            assert (answer.status_code, answer.json()["code"]) == (422, code)

    async def test_says_up_to_which_facts(self, desk: Desk) -> None:
        await desk.take([person(1), person(2)])
        answer = await desk.get("progress")
        assert answer["as_of"] == [{"producer": "enrollment", "partition": 0, "position": 2}]

    async def test_needs_a_token(self, desk: Desk) -> None:
        answer = await desk.http.get("/reporting/v1/progress")
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


class TestThePlan:
    async def test_names_units_targets_source_and_status(self, desk: Desk) -> None:
        plan = await desk.get("plan")
        assert len(plan["units"]) == 11
        (total,) = [m for m in plan["measures"] if m["name"] == "insured-total"]
        by_unit = {target["unit"]: target["target"] for target in total["targets"]}
        assert by_unit["210500"] == {
            "duty": 647_000,
            "stretch": 695_000,
            "status": "plan",
            "source": by_unit["210500"]["source"],
            "sample": False,
        }
        assert by_unit["210502"]["sample"] is True
        assert all(check["difference"] == 0 for check in total["cascade"])
        assert (await desk.get("units"))[-1]["code"] == "210500"
