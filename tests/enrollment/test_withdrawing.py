"""The register's deliveries taken back: who never was listed ends as never valid; what stands
upon applications is refused with the reason."""

from __future__ import annotations

from datetime import date
from typing import Any

from shared.events.enrollment import (
    CensusVisited,
    EmployerEnded,
    PersonChanged,
    PersonEnded,
    PersonEnrolled,
)
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    complaint,
    employer,
    found,
    person,
    person_application,
    place,
    visit,
)
from tests.enrollment.test_register_feeds import PERSONS, active


async def withdraw(world: World, delivery: dict[str, Any]) -> dict[str, Any]:
    answer = await world.http.post(
        f"/deliveries/{delivery['delivery']}/withdrawal",
        json={"reason": "wrong file"},
        headers=world.headers("agency"),
    )
    await world.worker.drain()
    found: dict[str, Any] = answer.json()
    return {"status_code": answer.status_code, **found}


async def persons(world: World) -> dict[str, str]:
    rows = await world.rows("SELECT person_id, status FROM persons ORDER BY person_id")
    return {row["person_id"]: row["status"] for row in rows}


async def test_persons_listed_by_mistake_never_were_insured(world: World) -> None:
    await world.push("employers", [employer(1)])
    await world.push("insured-persons", [person(1, 1)])
    wrong = await world.push("insured-persons", [person(1, 1), person(2, 1), person(3)])
    assert list((await active(world)).values()) == [2]
    assert (await withdraw(world, wrong))["status_code"] == 202
    assert list((await persons(world)).values()) == ["active", "ended", "ended"]
    assert list((await active(world)).values()) == [1]
    ended = await world.facts(PersonEnded)
    assert [(one.correction, one.effective_on) for one in ended] == [(True, date(2008, 5, 31))] * 2


async def test_the_list_of_the_month_before_stands_again_from_its_day(world: World) -> None:
    await world.push("insured-persons", [person(1)], period="2008-04")
    wrong = await world.push("insured-persons", [person(1, status="retired")], period="2008-05")
    await withdraw(world, wrong)
    facts = await world.facts(*PERSONS)
    assert [type(one) for one in facts] == [PersonEnrolled, PersonChanged, PersonChanged]
    assert (facts[-1].status, facts[-1].effective_on) == ("active", date(2008, 4, 30))
    assert facts[-1].correction


async def test_employers_listed_by_mistake_end_unless_they_have_persons(world: World) -> None:
    wrong = await world.push("employers", [employer(1), employer(2)])
    await world.push("insured-persons", [person(1, 1)])
    refused = await withdraw(world, wrong)
    assert (refused["status_code"], refused["code"]) == (409, "withdrawal-refused")
    free = await world.push("employers", [employer(3)])
    assert (await withdraw(world, free))["status_code"] == 202
    (ended,) = await world.facts(EmployerEnded)
    assert (ended.revision, ended.correction) == (2, True)


async def test_an_application_is_taken_back_unless_something_stands_on_it(world: World) -> None:
    first = await world.push("person-applications", [person_application(1)])
    assert (await withdraw(world, first))["status_code"] == 202
    assert list((await persons(world)).values()) == ["ended"]
    (ended,) = await world.facts(PersonEnded)
    assert (ended.correction, ended.effective_on) == (True, date(2008, 6, 5))
    second = await world.push("person-applications", [person_application(2)])
    await world.push("person-applications", [person_application(2, "leave")])
    refused = await withdraw(world, second)
    assert (refused["status_code"], refused["code"]) == (409, "withdrawal-refused")
    third = await world.push("person-applications", [person_application(3)])
    await world.push("insured-persons", [person(3)])
    assert (await withdraw(world, third))["code"] == "withdrawal-refused"


async def test_a_full_register_ends_whom_it_does_not_name(world: World) -> None:
    await world.push("insured-persons", [person(1), person(2)], period="2008-04")
    answer = await world.http.post(
        "/feeds/insured-persons/deliveries",
        json=[person(1)],
        params={"period": "2008-05", "wait": 0, "mode": "replace", "confirm_removals": 1},
        headers={"Idempotency-Key": "full", **world.headers("agency")},
    )
    assert answer.status_code == 202, answer.text
    await world.worker.drain()
    assert list((await persons(world)).values()) == ["active", "ended"]
    (ended,) = await world.facts(PersonEnded)
    assert (ended.revision, ended.effective_on) == (2, date(2008, 5, 31))


async def test_a_visit_taken_back_leaves_the_entry_as_it_was_told_before(world: World) -> None:
    await world.push("census-units", [place(1), visit(2)])
    wrong = await world.push(
        "census-units", [visit(1), {**visit(2), "visited_on": "2008-06-04"}, place(3)]
    )
    assert (await withdraw(world, wrong))["status_code"] == 202
    entries = await world.rows(
        "SELECT frame_no, visited_on, visited, void FROM census_units ORDER BY frame_no"
    )
    assert [tuple(entry.values()) for entry in entries] == [
        ("PC-1", None, False, False),
        ("PC-2", date(2008, 6, 3), True, False),
        ("PC-3", None, False, True),
    ]
    last = {fact.frame_no: fact for fact in await world.facts(CensusVisited)}
    assert [(no, last[no].visited, last[no].found_uninsured_count) for no in sorted(last)] == [
        ("PC-1", False, 0),
        ("PC-2", True, 2),
    ]
    # Nothing of the visit taken back comes with the entry when it is told again.
    await world.push("census-units", [place(1, street="千金街道")])
    (entry,) = await world.rows("SELECT visited_on FROM census_units WHERE frame_no = 'PC-1'")
    assert entry["visited_on"] is None


async def test_a_visit_carried_on_goes_with_the_delivery_that_told_it(world: World) -> None:
    """However often the entry was told again without it; what it was told since stays."""
    wrong = await world.push("census-units", [visit(1), visit(2), visit(3)])
    await world.push("census-units", [place(1, street="千金街道"), place(2)])
    await world.push(
        "census-units", [place(1, street="东明街道"), visit(3) | {"outcome": "refused"}]
    )
    assert (await withdraw(world, wrong))["status_code"] == 202
    entries = await world.rows(
        "SELECT frame_no, street, visited_on, visited, void FROM census_units ORDER BY frame_no"
    )
    assert [tuple(entry.values()) for entry in entries] == [
        ("PC-1", "东明街道", None, False, False),
        ("PC-2", "平山街道", None, False, False),
        ("PC-3", "平山街道", date(2008, 6, 3), True, False),
    ]
    last = {fact.frame_no: fact for fact in await world.facts(CensusVisited)}
    assert {no: (fact.visited, fact.correction) for no, fact in last.items()} == {
        "PC-1": (False, True),
        "PC-2": (False, True),
        "PC-3": (True, True),
    }


async def test_persons_found_and_complaints_taken_back_are_void(world: World) -> None:
    for feed, record in (("census-persons", found(1)), ("complaints", complaint(1))):
        sent = await world.push(feed, [record], period="2008-06-D1")
        assert sent["counts"]["applied"] == 1, sent
        assert (await withdraw(world, sent))["status_code"] == 202
        (state,) = await world.rows(f"SELECT void, revision FROM {feed.replace('-', '_')}")
        assert (state["void"], state["revision"]) == (True, 2)
