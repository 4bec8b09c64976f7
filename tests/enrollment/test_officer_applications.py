"""Applications by officers: made by one, decided by another; what nobody may be refused for."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from enrollment.policy.rules.ages import age_finding, age_limits
from enrollment.register.intake import officers
from enrollment.register.refusals import forbidden_ground
from shared.clock import FixedClock
from shared.events.deliveries import BY_OFFICER, EnrollmentDeliveryReceived
from shared.periods import Dekad
from shared.plan import Plan
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    employer,
    employer_application,
    foreigner,
    found,
    identity,
    person,
    person_application,
)

PATH = "/register/applications"


def _as(world: World, who: str, department: str, units: list[str] | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.issuer.token(who, department, units)}"}


async def propose(
    world: World, record: dict[str, Any], *, feed: str = "person-applications", **who: Any
) -> httpx.Response:
    caller: dict[str, Any] = {"who": "maker", "department": "agency", "units": None, **who}
    return await world.http.post(
        PATH, json={"feed": feed, "record": record}, headers=_as(world, **caller)
    )


async def decide(
    world: World, made: httpx.Response, decision: str, *, tag: str | None = None, **more: Any
) -> httpx.Response:
    caller: dict[str, Any] = {"who": "checker", "department": "agency", "units": None}
    caller |= {name: more.pop(name) for name in tuple(more) if name in caller}
    headers = _as(world, **caller)
    tag = made.headers["etag"] if tag is None else tag
    if tag:
        headers["If-Match"] = tag
    path = f"{PATH}/{made.json()['application_id']}/decision"
    answer = await world.http.post(path, json={"decision": decision, **more}, headers=headers)
    await world.worker.drain()
    return answer


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_nothing_is_in_the_register_before_another_person_approves(world: World) -> None:
    made = await propose(world, person_application(1))
    assert made.status_code == 201
    shown = made.json()
    assert (shown["state"], shown["maker"], shown["checker"]) == ("pending", "maker", None)
    assert shown["record"]["identity_no"] != identity(1)
    assert identity(1) not in str(await world.rows("SELECT * FROM officer_applications"))
    await world.worker.drain()
    assert await world.rows("SELECT * FROM persons") == []

    assert code(await decide(world, made, "approve", who="maker")) == (403, "same-person")
    assert code(await decide(world, made, "approve", tag="")) == (428, "precondition-required")
    assert code(await decide(world, made, "approve", tag='"old"')) == (412, "precondition-failed")
    other: dict[str, Any] = {"who": "x", "department": "unit", "units": ["210503"]}
    assert code(await decide(world, made, "approve", **other)) == (403, "forbidden-unit")
    assert await world.rows("SELECT * FROM persons") == []

    approved = await decide(world, made, "approve")
    assert approved.status_code == 200, approved.text
    shown = approved.json()
    assert (shown["state"], shown["checker"]) == ("approved", "checker")
    (row,) = await world.rows("SELECT status, delivery_id::text, entry FROM persons")
    assert row == {"status": "active", "delivery_id": shown["delivery_id"], "entry": "enrol"}
    assert (await world.delivery(shown["delivery_id"]))["receipt"]["applied"] == 1
    (told,) = await world.facts(EnrollmentDeliveryReceived)
    assert told.mode == BY_OFFICER
    assert code(await decide(world, made, "approve")) == (412, "precondition-failed")
    assert code(await decide(world, approved, "approve")) == (409, "conflict")


async def test_deciding_needs_one_connection_of_the_pool_at_a_time(world: World) -> None:
    """Two at once, as many officers as the pool has connections would wait for each other."""
    made = await propose(world, person_application(1))
    path = f"{PATH}/{made.json()['application_id']}/decision"
    headers = _as(world, "checker", "agency", None) | {"If-Match": made.headers["etag"]}
    async with AsyncExitStack() as taken:
        for _ in range(world.runtime.settings.database_pool_size - 1):
            await taken.enter_async_context(world.runtime.database.read())
        approved = await world.http.post(path, json={"decision": "approve"}, headers=headers)
    assert approved.status_code == 200, approved.text


async def test_an_application_is_decided_by_one_at_a_time(world: World) -> None:
    made = await propose(world, person_application(1))
    async with officers.deciding(world.runtime, made.json()["application_id"]):
        assert code(await decide(world, made, "approve")) == (409, "conflict")
    assert await world.rows("SELECT * FROM persons") == []
    assert (await decide(world, made, "approve")).json()["state"] == "approved"


async def test_an_application_is_judged_when_it_is_made(world: World) -> None:
    own = {"department": "unit", "units": ["210502"]}
    cases: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        (person_application(1, worker_class=None), {}, "field-missing"),
        (person_application(1, nonsense=1), {}, "field-unknown"),
        (person_application(1, applied_on="2008-06-30"), {}, "period-mismatch"),
        (person_application(1, unit="210503"), own, "unit-not-yours"),
        (foreigner(1, person_application(1), nationality=None), {}, "field-missing"),
    ]
    for record, who, expected in cases:
        answer = await propose(world, record, **who)
        assert code(answer) == (422, "parameter-invalid")
        assert [one["code"] for one in answer.json()["errors"]] == [expected]


async def test_employers_numbers_and_who_may(world: World) -> None:
    made = await propose(world, employer_application(1), feed="employer-applications")
    again = await propose(world, employer_application(1), feed="employer-applications")
    assert code(again) == (409, "conflict")
    await world.push("person-applications", [person_application(4)])
    taken = await propose(world, person_application(5, application_no="PA-4-enrol"))
    assert code(taken) == (409, "conflict")
    assert code(await propose(world, person_application(1), department="tax")) == (403, "forbidden")
    approved = await decide(world, made, "approve")
    assert approved.status_code == 200, approved.text
    assert len(await world.rows("SELECT * FROM register_employers")) == 1
    pending = await world.get(PATH, state="pending")
    assert pending.json()["items"] == []
    (one,) = (await world.get(PATH, "unit", ["210502"])).json()["items"]
    assert "record" not in one
    assert (await world.get(PATH, "unit", ["210503"])).json()["items"] == []


async def test_a_forbidden_refusal_is_refused_and_on_record(world: World) -> None:
    made = await propose(world, person_application(1))
    attempts: list[tuple[dict[str, str], str]] = [
        ({"reason": "higher-age"}, "higher-age"),
        ({"reason": "papers-missing", "note": "系外地 户口，不予办理"}, "residence-elsewhere"),
        ({"reason": "papers-missing", "note": "缴费年限不足"}, "short-payment"),
    ]
    for said, _ in attempts:
        answer = await decide(world, made, "refuse", **said)
        assert code(answer) == (422, "refusal-forbidden")
        assert "不得以户籍不在本地、年龄偏大、缴费年限短等理由拒绝接收" in answer.text
    for unlisted in ({}, {"reason": "because"}):
        assert code(await decide(world, made, "refuse", **unlisted)) == (422, "parameter-invalid")
    for who in ("leading-group", "supervision"):
        logged = (await world.get("/register/refusal-attempts", who)).json()["items"]
        assert [one["ground"] for one in logged] == [ground for _, ground in attempts]
    assert {one["officer"] for one in logged} == {"checker"}
    assert (await world.get("/register/refusal-attempts", "tax")).status_code == 403
    (row,) = await world.rows("SELECT state, version FROM officer_applications")
    assert row == {"state": "pending", "version": 1}

    refused = await decide(world, made, "refuse", reason="papers-missing", note="缺身份证复印件")
    assert refused.json()["state"] == "refused"
    assert await world.rows("SELECT * FROM persons") == []


@pytest.mark.parametrize(
    ("reason", "note", "ground"),
    [
        ("papers-missing", None, None),
        ("papers-missing", "缺劳动合同", None),
        ("residence-elsewhere", None, "residence-elsewhere"),
        ("papers-missing", "户籍，不在本地", "residence-elsewhere"),
        ("papers-missing", "本人年龄偏大", "higher-age"),
        ("年龄偏大", None, "higher-age"),
        ("papers-missing", "缴费年限 短", "short-payment"),
    ],
)
def test_what_counts_as_a_forbidden_ground(
    reason: str, note: str | None, ground: str | None
) -> None:
    assert forbidden_ground(Plan.default(), reason, note) == ground


async def test_the_days_applications_take(world: World, clock: FixedClock) -> None:
    """Four of a feed, one refused, one waiting too long; the limit is ten days."""
    days = ("2008-06-10", "2008-06-08", "2008-06-05", "2008-05-21")
    await world.push(
        "person-applications",
        [person_application(n, applied_on=day) for n, day in enumerate(days)],
    )
    refused = await propose(world, person_application(8, applied_on="2008-06-01"))
    await propose(world, person_application(9, applied_on="2008-06-10"))
    await decide(world, refused, "refuse", reason="papers-missing")
    approved = await propose(world, person_application(7, applied_on="2008-06-09"))
    await decide(world, approved, "approve")

    async def taken() -> dict[str, Any]:
        answer = await world.get(f"{PATH}/statistics", unit="210502")
        (unit,) = answer.json()["units"]
        assert answer.json()["limit_days"] == 10
        found: dict[str, Any] = unit
        return found

    assert await taken() == {
        "unit": "210502",
        "count": 7,
        "decided_count": 6,
        "pending_count": 1,
        "median_days": 2,
        "p90_days": 20,
        "late_count": 1,
        "overdue_count": 0,
    }
    clock.advance(timedelta(days=11))
    assert (await taken())["overdue_count"] == 1
    rows = f"{PATH}/statistics/applications"
    pages, target = [], f"/enrollment/v1{rows}?unit=210502&limit=3"
    while target:
        answer = await world.http.get(f"http://test{target}", headers=world.headers("agency"))
        pages.append(answer.json()["items"])
        target = answer.json()["next"]
    assert [len(page) for page in pages] == [3, 3, 1]
    listed = [(row["source"], row["key"]) for page in pages for row in page]
    assert listed == sorted(listed) and len(set(listed)) == 7
    (late,) = (await world.get(rows, decided=True, late=True)).json()["items"]
    assert (late["key"], late["days"], late["decided_on"]) == ("PA-3-enrol", 20, "2008-06-10")
    (waiting,) = (await world.get(rows, decided=False)).json()["items"]
    assert (waiting["source"], waiting["late"]) == ("officer-applications", True)
    assert (await world.get(rows, "unit", ["210503"])).json()["items"] == []


async def test_employed_and_not_enrolled(world: World, clock: FixedClock) -> None:
    """Late by twelve days, waiting for a decision, and found at work by the census."""
    await world.push("employers", [employer(1)])
    await world.push("insured-persons", [person(4, 1)], period="2008-04")
    await world.push(
        "person-applications",
        [
            person_application(
                1, employer_no=1, employed_from="2008-05-24", effective_on="2008-06-05"
            ),
            person_application(
                2, employer_no=1, employed_from="2008-06-05", effective_on="2008-06-05"
            ),
        ],
    )
    await propose(world, person_application(3, employer_no=1, employed_from="2008-06-01"))
    await world.push(
        "census-persons",
        [
            found(4, employer_name="本溪第1厂"),
            found(5, employer_name="本溪第1厂"),
            found(7, employer_name="本溪第1厂", identity_no=identity(7, date(1931, 1, 1))),
            found(6),
        ],
    )
    answer = await world.get("/register/employed-not-enrolled", as_of="2008-06-10")
    gaps = answer.json()["items"]
    assert [(one["source"], one["key"], one["days"], one["open"]) for one in gaps] == [
        ("census-persons", "210502.PR-5", 7, True),
        ("officer-applications", gaps[1]["key"], 9, True),
        ("person-applications", "PA-1-enrol", 12, False),
    ]
    for day in ("2008-06-04", "2008-06-10", date(2008, 6, 30).isoformat()):
        query = {"as_of": day}
        (count,) = (await world.get("/register/employed-not-enrolled/counts", **query)).json()
        for name, is_open in (("open_count", True), ("closed_count", False)):
            listed = await world.get("/register/employed-not-enrolled", open=is_open, **query)
            assert len(listed.json()["items"]) == count[name], (day, name)
    first = await world.get("/register/employed-not-enrolled", limit=2)
    assert len(first.json()["items"]) == 2
    rest = await world.http.get(
        f"http://test{first.json()['next']}", headers=world.headers("agency")
    )
    assert len(rest.json()["items"]) == 1


async def test_what_speaks_against_an_enrolment_is_a_finding(world: World) -> None:
    """Nobody is refused for it; by the same ages as the rule, on the day it takes effect."""
    await world.push("employers", [employer(1), employer(2)], period="2008-04")
    gone = employer_application(2, "leave", effective_on="2008-06-04")
    await world.push("employer-applications", [gone])
    born = {
        1: date(1990, 1, 1),
        2: date(1948, 6, 5),  # sixty on the very day
        3: date(1948, 6, 6),
        4: date(1948, 2, 29),
        5: date(1992, 6, 5),
        6: date(1992, 6, 6),
        7: date(1955, 6, 1),
    }
    records = [
        person_application(
            n, identity_no=identity(n, on), post=("cadre", None)[n == 7], effective_on="2008-06-05"
        )
        for n, on in born.items()
    ]
    records += [person_application(8, employer_no=2, effective_on="2008-06-03")]
    records += [person_application(9, employer_no=2, effective_on="2008-06-04", unit="210503")]
    sent = await world.push("person-applications", records)
    assert await world.problems(sent) == {}
    rows = (await world.get("/register/enrolment-findings")).json()["items"]
    people = await world.rows(
        "SELECT a.natural_key AS no, p.birth_on, p.sex, p.post, p.worker_class, a.effective_on "
        "FROM person_applications a JOIN persons p USING (person_key)"
    )
    plan = world.runtime.plan
    expected = {("PA-9-enrol", "employer-ended")}
    for one in people:
        limits = age_limits(plan, one["effective_on"])
        finding = age_finding(
            one["birth_on"],
            one["sex"],
            one["post"],
            one["effective_on"],
            limits,
            one["worker_class"],
        )
        expected |= {(one["no"], finding)} - {(one["no"], "of-working-age")}
    assert {(row["application_no"], row["finding"]) for row in rows} == expected
    assert {finding for _, finding in expected} >= {"too-old", "too-young", "employer-ended"}
    counts = (await world.get("/register/enrolment-findings/counts")).json()
    assert sum(one["count"] for one in counts) == len(rows)
    for one in counts:
        query = {"unit": one["unit"], "finding": one["finding"]}
        listed = await world.get("/register/enrolment-findings", **query)
        assert len(listed.json()["items"]) == one["count"]
    first = await world.get("/register/enrolment-findings", limit=1)
    assert first.json()["items"] == rows[:1]
    own = await world.get("/register/enrolment-findings", "unit", ["210503"])
    assert [row["application_no"] for row in own.json()["items"]] == ["PA-9-enrol"]


async def test_a_full_list_of_the_dekad_leaves_what_officers_decided(world: World) -> None:
    approved = await decide(world, await propose(world, person_application(1)), "approve")
    assert approved.status_code == 200, approved.text
    period = str(Dekad.of(world.runtime.clock.today()))
    query: dict[str, Any] = {"mode": "replace", "confirm_removals": 1}
    await world.push("person-applications", [person_application(2)], period=period, **query)
    rows = await world.rows("SELECT status FROM persons")
    assert rows == [{"status": "active"}] * 2
