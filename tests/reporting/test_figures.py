"""Every number opened: its members, their entries, the facts and the records (F55)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from reporting.figures.api import COUNTED_UP_TO
from shared.events.enrollment import EmployerLinked
from tests.reporting.conftest import Desk
from tests.reporting.objects import AT, DELIVERY, person, receipt

TOTAL = "insured-total.210502.2008-06-D1.cumulative"
CITY = "insured-total.210500.2008-06-D1.cumulative"
FUND = "pooled-fund.210502.2008-06-D1.cumulative"


def linked(*keys: str) -> EmployerLinked:
    return EmployerLinked(
        key="emp-1",
        subject="link:emp-1",
        revision=1,
        recorded_at=AT,
        employer_id="emp-1",
        employer_keys=list(keys),
        name="平山某厂",
        unit="210502",
        rule="org-code",
    )


class TestAFigure:
    async def test_says_what_it_is(self, desk: Desk) -> None:
        await desk.take([person(1), person(2, status="retired"), person(3, status="ended")])
        figure = await desk.get(f"figures/{TOTAL}")
        assert (figure["value"], figure["quantity"]) == (2, "persons")
        assert figure["window"] == {"after_on": None, "up_to_on": "2008-06-10"}
        assert figure["measure"]["id"] == "insured-total@1"
        assert figure["measure"]["counts"] == ["active", "suspended", "retired"]
        assert figure["measure"]["status"] == "assumption"
        assert figure["unit"]["zh"] == "平山区"
        assert figure["links"]["members"] == f"/reporting/v1/figures/{TOTAL}/members"

    async def test_is_zero_where_nothing_has_come(self, desk: Desk) -> None:
        assert (await desk.get(f"figures/{TOTAL}"))["value"] == 0
        assert await desk.all_items(f"figures/{TOTAL}/members") == []

    @pytest.mark.parametrize(
        "figure",
        [
            "x",
            "insured-total.999999.2008-06-D1.cumulative",
            "insured-total.210502.2008-06.cumulative",
        ],
    )
    @pytest.mark.parametrize("tail", ["", "/members", "/entries", "/members/p/entries"])
    async def test_that_does_not_exist_is_a_problem(
        self, figure: str, tail: str, desk: Desk
    ) -> None:
        answer = await desk.ask(f"figures/{figure}{tail}")
        assert (answer.status_code, answer.json()["code"]) == (404, "figure-unknown")


class TestItsMembers:
    async def test_are_as_many_as_it_says_page_by_page(self, desk: Desk) -> None:
        await desk.take([person(n, unit=("210502", "L-BG")[n % 2]) for n in range(25)])
        for figure, count in ((TOTAL, 13), (CITY, 25)):
            body = await desk.get(f"figures/{figure}/members", limit=4)
            assert body["value"] == body["sum"] == body["count"] == count
            items = await desk.all_items(f"figures/{figure}/members", limit=4)
            subjects = [item["subject"] for item in items]
            assert subjects == sorted(set(subjects))
            assert len(subjects) == count
            assert {item["quantity"] for item in items} == {1}

    async def test_of_a_dekad_weigh_what_they_moved(self, desk: Desk) -> None:
        on: dict[str, Any] = {"effective_on": date(2008, 6, 3)}
        await desk.take([person(1), person(2), person(3, **on), person(2, 2, status="ended", **on)])
        body = await desk.get("figures/insured-total.210502.2008-06-D1.this-dekad/members")
        weights = {item["subject"]: item["quantity"] for item in body["items"]}
        assert weights == {"person-000002": -1, "person-000003": 1}
        assert (body["value"], body["sum"], body["count"]) == (0, 0, 2)

    async def test_of_money_are_employers_with_their_names(self, desk: Desk) -> None:
        await desk.take([receipt(1), receipt(2, pooled_fen=50_000), receipt(3, key="lic:9")])
        await desk.take([linked("oc:D2143569X")])
        body = await desk.get(f"figures/{FUND}/members")
        found = {item["subject"]: (item["quantity"], item["name"]) for item in body["items"]}
        assert found == {"oc:D2143569X": (150_000, "平山某厂"), "lic:9": (100_000, None)}
        assert body["value"] == 250_000
        assert body["count"] == 2

    async def test_are_counted_beyond_a_bound_only_when_asked(self, desk: Desk) -> None:
        await desk.take([receipt(n, key=f"lic:{n}") for n in range(1, COUNTED_UP_TO + 1)])
        assert (await desk.get(f"figures/{FUND}/members"))["count"] == COUNTED_UP_TO
        await desk.take([receipt(0, key="lic:0")])
        assert (await desk.get(f"figures/{FUND}/members"))["count"] is None
        body = await desk.get(f"figures/{FUND}/members", count="true")
        assert body["count"] == COUNTED_UP_TO + 1

    async def test_can_be_narrowed_by_segments(self, desk: Desk) -> None:
        await desk.take(
            [
                person(1, worker_class="migrant"),
                person(2, worker_class="migrant", ownership="state"),
                person(3, trade="transport"),
            ]
        )
        for filters, count in (
            ({"worker_class": "migrant"}, 2),
            ({"worker_class": "migrant", "ownership": "state"}, 1),
            ({"trade": "transport"}, 1),
            ({"status": "retired"}, 0),
            ({"lead_kind": "unenrolled-person"}, 0),
        ):
            figure = await desk.get(f"figures/{TOTAL}", **filters)
            assert (figure["value"], figure["filters"]) == (count, filters)
            members = await desk.get(figure["links"]["members"])
            assert members["count"] == len(members["items"]) == count
            entries = await desk.all_items(figure["links"]["entries"])
            assert sum(entry["quantity"] for entry in entries) == count

    async def test_each_have_their_entries(self, desk: Desk) -> None:
        await desk.take([receipt(1), receipt(2), receipt(3, key="rec:a/b c")])
        for member in await desk.all_items(f"figures/{FUND}/members"):
            own = await desk.get(member["entries"])
            assert own["value"] == member["quantity"]
            assert sum(entry["quantity"] for entry in own["items"]) == member["quantity"]
            assert {entry["subject"] for entry in own["items"]} == {member["subject"]}


class TestItsEntries:
    async def test_name_fact_delivery_and_record(self, desk: Desk) -> None:
        fact = person(7)
        await desk.take([person(1, unit="L-BG"), fact])
        (entry,) = await desk.all_items(f"figures/{TOTAL}/entries")
        assert entry["quantity"] == 1
        assert entry["effective_on"] == "2008-04-30"
        assert entry["recorded_at"] == "2008-06-10T04:00:00Z"
        assert entry["subject"] == "person-000007"
        assert entry["segments"]["worker_class"] == "employee"
        assert entry["fact"]["id"] == fact.fact_id
        assert entry["fact"]["type"] == "enrollment.person-enrolled.v1"
        assert entry["fact"]["index"] == 1
        assert entry["delivery"] == {
            "id": DELIVERY,
            "record_no": 7,
            "href": f"/enrollment/v1/deliveries/{DELIVERY}/records/7",
        }

    async def test_of_a_fact_without_delivery_still_name_the_fact(self, desk: Desk) -> None:
        fact = person(7, delivery_id=None, record_no=None)
        await desk.take([fact])
        (entry,) = await desk.all_items(f"figures/{TOTAL}/entries")
        assert entry["delivery"] is None
        assert entry["fact"]["id"] == fact.fact_id

    async def test_sum_to_the_figure_over_pages(self, desk: Desk) -> None:
        moves = [person(n, 2, unit="L-BG", effective_on=date(2008, 6, n)) for n in range(1, 8)]
        await desk.take([*(person(n) for n in range(12)), *moves])
        for figure in (TOTAL, CITY, "insured-total.L-BG.2008-06-D1.this-dekad"):
            value = (await desk.get(f"figures/{figure}"))["value"]
            entries = await desk.all_items(f"figures/{figure}/entries", limit=3)
            assert sum(entry["quantity"] for entry in entries) == value
            places = [(entry["effective_on"], entry["id"]) for entry in entries]
            assert places == sorted(set(places))

    async def test_refuse_a_cursor_of_another_list(self, desk: Desk) -> None:
        await desk.take([person(n) for n in range(3)])
        link = (await desk.get(f"figures/{TOTAL}/members", limit=1))["next"]
        cursor = link.split("cursor=")[1].split("&")[0]
        for wrong in (cursor, "x", "WyJ4IiwxXQ"):
            answer = await desk.ask(f"figures/{TOTAL}/entries", cursor=wrong)
            assert answer.json()["code"] == "cursor-invalid", wrong


class TestEveryFigureOfAReport:
    async def test_opens_and_adds_up(self, desk: Desk) -> None:
        await desk.take([person(n, unit=("210502", "L-BG", "L-SJ")[n % 3]) for n in range(9)])
        await desk.take([receipt(n, unit=("210503", "L-BG")[n % 2]) for n in range(5)])
        answer = await desk.get("progress")
        for measure in answer["measures"]:
            for row in measure["rows"]:
                for kind in ("opening", "this_dekad", "cumulative"):
                    await _opens(desk, row[kind])


async def _opens(desk: Desk, shown: dict[str, Any]) -> None:
    figure = await desk.get(shown["links"]["figure"])
    members = await desk.get(shown["links"]["members"])
    entries = await desk.get(shown["links"]["entries"])
    assert figure["id"] == shown["id"]
    assert figure["value"] == shown["value"] == members["value"] == entries["value"]
    assert sum(item["quantity"] for item in members["items"]) == shown["value"]
    assert sum(item["quantity"] for item in entries["items"]) == shown["value"]
    assert members["count"] == len(members["items"])


class TestWhoMayOpenPersons:
    @pytest.mark.parametrize("department", ["agency", "auditor", "leading-group"])
    async def test_those_who_work_with_them(self, department: str, desk: Desk) -> None:
        answer = await desk.ask(f"figures/{CITY}/members", department)
        assert answer.status_code == 200

    @pytest.mark.parametrize("department", ["tax", "industry-commerce", "publicity", "finance"])
    @pytest.mark.parametrize("tail", ["members", "entries", "members/person-000001/entries"])
    async def test_nobody_else(self, department: str, tail: str, desk: Desk) -> None:
        answer = await desk.ask(f"figures/{TOTAL}/{tail}", department)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert (await desk.ask(f"figures/{TOTAL}", department)).status_code == 200

    @pytest.mark.parametrize("tail", ["members", "entries", "members/person-000001/entries"])
    async def test_a_unit_its_own(self, tail: str, desk: Desk) -> None:
        own = await desk.ask(f"figures/{TOTAL}/{tail}", "unit", ["210502"])
        other = await desk.ask(f"figures/{TOTAL}/{tail}", "unit", ["L-BG"])
        city = await desk.ask(f"figures/{CITY}/{tail}", "unit", ["210502"])
        assert own.status_code == 200
        for refused in (other, city):
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden-unit")


class TestMessagesComeTwice:
    async def test_and_count_once(self, desk: Desk) -> None:
        facts = [person(1), person(2)]
        await desk.take(facts)
        assert await desk.take_again(facts) == 2
        assert (await desk.get(f"figures/{TOTAL}"))["value"] == 2
