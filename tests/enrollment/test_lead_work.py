"""Officers work on leads: stages, log, assignment, exclusion by two, lists and their counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from enrollment.leads.work import intake
from enrollment.leads.work.store import lists
from shared.clock import FixedClock
from shared.events.enrollment import LeadAdvanced, LeadClosed, LeadOpened
from shared.events.registration_feed import EnterpriseChanged
from shared.plan import Plan
from shared.problems import Problem
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    at,
    employer,
    employer_application,
    headcount,
    registered,
)

CITY, COUNTY, OTHER = "L-SJ", "210502", "210503"


class Office:
    """One officer at the door; remembers nothing but who it is."""

    def __init__(
        self, world: World, who: str, department: str = "unit", units: tuple[str, ...] | None = None
    ) -> None:
        self.world, self.who, self.department = world, who, department
        self.units = (COUNTY,) if units is None and department == "unit" else units

    async def call(
        self, method: str, path: str, body: Any = None, etag: str | None = None, **query: Any
    ) -> httpx.Response:
        headers = self.world.headers(self.department, self.units, self.who)
        if etag is not None:
            headers["If-Match"] = etag
        return await self.world.http.request(method, path, json=body, headers=headers, params=query)

    async def read(self, lead_id: str) -> dict[str, Any]:
        return good(await self.call("GET", f"/leads/{lead_id}/work"))

    async def act(self, method: str, lead_id: str, what: str, **body: Any) -> dict[str, Any]:
        """Look, then do it with what was seen."""
        return good(await self.try_to(method, lead_id, what, **body))

    async def try_to(self, method: str, lead_id: str, what: str, **body: Any) -> httpx.Response:
        seen = await self.call("GET", f"/leads/{lead_id}/work")
        return await self.call(method, f"/leads/{lead_id}/{what}", body, seen.headers["etag"])

    async def listed(self, **query: Any) -> list[dict[str, Any]]:
        """Every page of the list, two leads at a time."""
        found: list[dict[str, Any]] = []
        answer = good(await self.call("GET", "/lead-work", limit=2, **query))
        while True:
            found += answer["items"]
            if answer["next"] is None:
                return found
            path = answer["next"].removeprefix("/enrollment/v1")
            headers = self.world.headers(self.department, self.units, self.who)
            answer = good(await self.world.http.get(path, headers=headers))


def good(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.fixture
async def desk(world: World) -> AsyncIterator[World]:
    """Enrollment on 10 June, when one licence has just become known."""
    world.runtime.clock.set(at(10, 4))  # type: ignore[attr-defined]
    await world.hear([registered(1, day=9)])
    yield world


async def only_lead(world: World) -> str:
    [row] = await world.rows("SELECT lead_id FROM leads WHERE NOT void ORDER BY lead_id")
    return str(row["lead_id"])


async def test_a_lead_is_notified_promises_is_enforced_and_closes_by_the_register(
    desk: World,
) -> None:
    li, lead = Office(desk, "li"), await only_lead(desk)
    fresh = await li.read(lead)
    assert (fresh["stage"], fresh["due_on"], fresh["due_for"]) == (
        "found",
        "2008-06-20",
        "first-contact",
    )
    assert (fresh["register_by"], fresh["never_contacted"]) == ("2008-06-09", True)

    told = await li.act(
        "PUT", lead, "stage", stage="notified", on="2008-06-10", means="notice", text="送达"
    )
    assert (told["stage"], told["due_on"], told["due_for"]) == (
        "notified",
        "2008-07-10",
        "registration",
    )
    assert (told["register_by"], told["never_contacted"]) == ("2008-07-10", False)
    [advanced] = await desk.facts(LeadAdvanced)
    assert (advanced.stage, advanced.status, advanced.revision) == ("notified", "advanced", 2)

    promise = {"stage": "promised", "on": "2008-06-10", "text": "答应"}
    assert refused(await li.try_to("PUT", lead, "stage", **promise)) == (422, "parameter-invalid")
    told = await li.act("PUT", lead, "stage", **promise, promised_by="2008-06-12")
    assert (told["due_on"], told["due_for"]) == ("2008-06-12", "promise")
    told = await li.act("PUT", lead, "stage", stage="in-enforcement", on="2008-06-10", text="移交")
    assert told["stages_next"] == ["notified", "promised"]

    # A department's earlier notice started the 30 days (O50), until it is taken back.
    noticed = date(2008, 6, 2)
    await desk.hear([registered(1, 11, revision=2, what=EnterpriseChanged, notified_on=noticed)])
    assert (await li.read(lead))["register_by"] == "2008-07-02"
    await desk.hear([registered(1, 12, revision=3, what=EnterpriseChanged)])
    assert (await li.read(lead))["register_by"] == "2008-07-10"

    # More evidence changes nothing of the work, and its fact still tells the stage.
    await desk.hear([headcount(1, 9, 0, day=11)])
    assert (await desk.facts(LeadAdvanced))[-1].stage == "in-enforcement"
    await desk.push("employer-applications", [employer_application(1, effective_on="2008-06-10")])
    [closed] = await desk.facts(LeadClosed)
    assert (closed.stage, closed.outcome) == ("enrolled", "enrolled")
    assert (await li.read(lead))["stage"] == "enrolled"
    for method, what, body in (
        ("PUT", "stage", promise | {"promised_by": "2008-06-12"}),
        ("PUT", "assignment", {"officer": "li"}),
        ("POST", "contacts", {"on": "2008-06-10", "means": "phone", "text": "x"}),
        ("POST", "exclusion", {"reason": "no-staff", "text": "x"}),
    ):
        assert refused(await li.try_to(method, lead, what, **body)) == (409, "lead-closed"), what

    story = good(await li.call("GET", f"/leads/{lead}/story"))
    kinds = [item["kind"] for item in story["items"]]
    assert kinds[0] == "opened"
    assert kinds.index("closed") == kinds.index("entered") + 1  # behind what closed it
    assert sorted(kinds[1:]) == sorted(
        ["registered"] * 3 + ["found-unenrolled", "entered", "closed", "stage", "stage", "stage"]
    )
    assert all(item["zh"] and item["en"] and "{" not in item["en"] for item in story["items"])
    assert {item["by"] for item in story["items"]} >= {"business-licences", "li"}


_REFUSED: list[tuple[str, dict[str, Any], tuple[int, str]]] = [
    ("enrolled", {}, (409, "stage-not-allowed")),
    ("excluded", {}, (409, "stage-not-allowed")),
    ("found", {}, (409, "stage-not-allowed")),
    ("notified", {}, (422, "parameter-invalid")),
    ("notified", {"means": "phone", "on": "2008-06-11"}, (422, "parameter-invalid")),
    ("notified", {"means": "phone", "next_on": "2008-06-01"}, (422, "parameter-invalid")),
    ("notified", {"means": "smoke"}, (422, "parameter-invalid")),
]


async def test_steps_that_are_refused(desk: World) -> None:
    li, lead = Office(desk, "li"), await only_lead(desk)
    for stage, more, expected in _REFUSED:
        body = {"stage": stage, "on": "2008-06-10", "text": "x", **more}
        assert refused(await li.try_to("PUT", lead, "stage", **body)) == expected, (stage, more)
    assert (await li.read(lead))["version"] == 0


async def test_the_log_grows_is_corrected_and_measures_are_followed(desk: World) -> None:
    li, lead = Office(desk, "li"), await only_lead(desk)
    group = Office(desk, "zhao", "leading-group")
    contact = {"on": "2008-06-10", "means": "visit", "text": "身份证 210502197001010018 来访"}
    await li.act("POST", lead, "contacts", **contact, next_on="2008-06-15", next_step="再访")
    assert (await li.read(lead))["due_on"] == "2008-06-15"
    fixed = await li.act("POST", lead, "contacts", **{**contact, "on": "2008-06-09", "corrects": 1})
    assert (fixed["contacted_on"], fixed["contact_count"], fixed["next_on"]) == (
        "2008-06-09",
        1,
        None,
    )
    assert len(fixed["log"]) == 2
    assert "19700101" not in str(fixed["log"])
    for wrong in (1, 9):
        again = await li.try_to("POST", lead, "contacts", **{**contact, "corrects": wrong})
        assert refused(again) == (409, "conflict")

    measure = {"kind": "measure", "on": "2008-06-10", "text": "约谈负责人"}
    await group.act("POST", lead, "contacts", **measure, next_on="2008-06-12")
    by_group = await group.try_to("POST", lead, "contacts", **contact)
    assert refused(by_group) == (403, "forbidden")
    [shown] = good(await group.call("GET", "/lead-work/entries"))["items"]
    assert (shown["lead_id"], shown["followed_by"]) == (lead, 0)
    await li.act("POST", lead, "contacts", **contact)
    [shown] = good(await group.call("GET", "/lead-work/entries", unit=COUNTY))["items"]
    assert shown["followed_by"] == 1
    assert good(await group.call("GET", "/lead-work/entries", unit=OTHER))["items"] == []
    [first, second] = good(await li.call("GET", "/lead-work/entries", kind="contact"))["items"]
    assert (first["no"], second["no"]) == (2, 4)


async def test_excluded_by_two_and_open_again_by_new_evidence_or_revoked(desk: World) -> None:
    li, wang, lead = Office(desk, "li"), Office(desk, "wang"), await only_lead(desk)
    why = {"reason": "no-staff", "text": "查无人员"}
    unknown = await li.try_to("POST", lead, "exclusion", **{**why, "reason": "bored"})
    assert refused(unknown) == (422, "parameter-invalid")
    nothing = await wang.try_to("PUT", lead, "exclusion/review", agreed=True, text="同意")
    assert refused(nothing) == (409, "conflict")
    await li.act("POST", lead, "exclusion", **why)
    assert refused(await li.try_to("POST", lead, "exclusion", **why)) == (409, "conflict")
    own = await li.try_to("PUT", lead, "exclusion/review", agreed=True, text="同意")
    assert refused(own) == (403, "same-person")
    told = await wang.act("PUT", lead, "exclusion/review", agreed=False, text="再查")
    assert (told["stage"], told["proposal_no"]) == ("found", None)

    await li.act("POST", lead, "exclusion", **why)
    told = await wang.act("PUT", lead, "exclusion/review", agreed=True, text="同意")
    assert (told["stage"], told["outcome"], told["closed_on"]) == (
        "excluded",
        "excluded",
        "2008-06-10",
    )
    [closed] = await desk.facts(LeadClosed)
    assert (closed.outcome, closed.stage, closed.sources) == (
        "excluded",
        "excluded",
        ["business-licences"],
    )
    # The same licence changed is what was weighed; a joint check is not.
    await desk.hear([registered(1, day=12, revision=2, what=EnterpriseChanged)])
    assert (await li.read(lead))["stage"] == "excluded"
    await desk.hear([headcount(1, 9, 0, day=13)])
    again = await li.read(lead)
    assert (again["stage"], again["status"], again["sources"]) == (
        "found",
        "advanced",
        ["employer-checks"],
    )
    told = await wang.act("POST", lead, "exclusion/revocation", text="有人员")
    assert (told["decision_no"], told["sources"]) == (
        None,
        ["business-licences", "employer-checks"],
    )
    nothing = await wang.try_to("POST", lead, "exclusion/revocation", text="x")
    assert refused(nothing) == (409, "conflict")


async def test_a_revoked_exclusion_reopens_the_lead_and_its_clock(desk: World) -> None:
    li, wang, lead = Office(desk, "li"), Office(desk, "wang"), await only_lead(desk)
    await li.act("POST", lead, "exclusion", reason="duplicate", text="重复")
    await wang.act("PUT", lead, "exclusion/review", agreed=True, text="同意")
    desk.runtime.clock.set(at(30, 4))  # type: ignore[attr-defined]
    told = await li.act("POST", lead, "exclusion/revocation", text="并不重复")
    assert (told["stage"], told["found_on"], told["days_overdue"]) == ("found", "2008-06-30", 0)
    closed, reopened = (await desk.facts(LeadClosed))[-1], (await desk.facts(LeadAdvanced))[-1]
    assert reopened.revision == closed.revision + 1
    assert (reopened.correction, reopened.outcome) == (True, None)


async def test_a_gap_is_excluded_and_a_larger_headcount_opens_another(desk: World) -> None:
    await desk.push("employers", [employer(7)])
    await desk.hear([headcount(7, 9, 0, day=9)])
    [gap] = [one.lead_id for one in await desk.facts(LeadOpened) if one.headcount_gap == 9]
    await Office(desk, "li").act("POST", gap, "exclusion", reason="insured-elsewhere", text="行业")
    told = await Office(desk, "wang").act("PUT", gap, "exclusion/review", agreed=True, text="是")
    assert (told["stage"], told["kind"]) == ("excluded", "not-fully-enrolled")
    await desk.hear([headcount(7, 9, 0, day=10, revision=2, name="改名")])
    assert (await desk.facts(LeadOpened))[-1].lead_id == gap
    await desk.hear([headcount(7, 12, 0, day=11, revision=3)])
    opened = (await desk.facts(LeadOpened))[-1]
    assert (opened.headcount_gap, opened.lead_kind) == (12, "not-fully-enrolled")
    assert opened.lead_id != gap


async def test_of_two_officers_one_is_told_to_look_again(desk: World) -> None:
    li, wang, lead = Office(desk, "li"), Office(desk, "wang"), await only_lead(desk)
    path, body = f"/leads/{lead}/contacts", {"on": "2008-06-10", "means": "phone", "text": "x"}
    assert refused(await li.call("POST", path, body)) == (428, "precondition-required")
    seen = (await li.call("GET", f"/leads/{lead}/work")).headers["etag"]
    both = await asyncio.gather(
        li.call("POST", path, body, seen), wang.call("POST", path, body, seen)
    )
    assert sorted(one.status_code for one in both) == [201, 412]
    [won] = [one for one in both if one.status_code == 201]
    [lost] = [one for one in both if one.status_code == 412]
    assert lost.json()["etag"] == won.headers["etag"]
    assert len((await li.read(lead))["log"]) == 1
    # Evidence that came since was not seen either.
    await desk.hear([headcount(1, 9, 0, day=11)])
    late = await wang.call("POST", path, body, won.headers["etag"])
    assert refused(late) == (412, "precondition-failed")


_MAY: list[tuple[str, tuple[str, ...] | None, str, int]] = [
    ("agency", (OTHER,), "PUT", 403),
    ("unit", (OTHER,), "PUT", 403),
    ("supervision", None, "PUT", 403),
    ("leading-group", None, "PUT", 403),
    ("tax", None, "PUT", 403),
    ("supervision", None, "GET", 200),
    ("leading-group", None, "GET", 200),
    ("unit", (OTHER,), "GET", 403),
    ("tax", None, "GET", 403),
    ("agency", None, "PUT", 200),
]


async def test_who_may(desk: World) -> None:
    lead = await only_lead(desk)
    seen = await Office(desk, "li").call("GET", f"/leads/{lead}/work")
    for department, units, method, expected in _MAY:
        office = Office(desk, "x", department, units)
        if method == "GET":
            found = await office.call("GET", f"/leads/{lead}/story")
        else:
            path = f"/leads/{lead}/assignment"
            found = await office.call("PUT", path, {"officer": "x"}, seen.headers["etag"])
        assert found.status_code == expected, (department, units, method)


async def test_an_assignment_ends_when_the_lead_moves_to_another_county(desk: World) -> None:
    agency, lead = Office(desk, "chen", "agency"), await only_lead(desk)
    given = {"officer": "li", "officer_name": "李"}
    await agency.act("PUT", lead, "assignment", **given)
    unsaid = await agency.try_to("PUT", lead, "assignment", officer="wang")
    assert refused(unsaid) == (422, "parameter-invalid")
    told = await agency.act("PUT", lead, "assignment", officer="wang", unit=CITY, reason="大户")
    assert (told["unit"], told["lead_unit"], told["officer"]) == (CITY, COUNTY, "wang")
    nowhere = await agency.try_to("PUT", lead, "assignment", unit="nowhere", reason="x")
    assert refused(nowhere) == (422, "parameter-invalid")
    # Handed to the city: its own county still reads it and does not edit it.
    assert (await Office(desk, "li").read(lead))["unit"] == CITY
    own = await Office(desk, "li").try_to("PUT", lead, "assignment", officer="li", reason="x")
    assert refused(own) == (403, "forbidden-unit")
    assert [one["lead_id"] for one in await Office(desk, "wang", "agency").listed(assignee="me")]
    await desk.hear([registered(1, day=12, revision=2, what=EnterpriseChanged, unit=OTHER)])
    moved = await agency.read(lead)
    assert (moved["unit"], moved["officer"], moved["officer_name"]) == (OTHER, None, None)
    assert await Office(desk, "wang", "agency").listed(assignee="me") == []


async def _a_city_of_work(world: World) -> None:
    """Leads of two counties, found on several days, some worked on, some closed."""
    for day, numbers in ((1, range(2, 5)), (6, range(5, 8)), (28, range(8, 11))):
        world.runtime.clock.set(at(day, 4))  # type: ignore[attr-defined]
        await world.hear(
            [registered(n, day=day, unit=OTHER if n % 3 == 0 else COUNTY) for n in numbers]
        )
    world.runtime.clock.set(at(29, 4))  # type: ignore[attr-defined]
    agency = Office(world, "chen", "agency")
    ids = [one["lead_id"] for one in await agency.listed()]
    for lead in ids[1:4]:
        await agency.act("PUT", lead, "assignment", officer="li")
    told = {"on": "2008-06-29", "means": "phone", "text": "x"}
    await agency.act("POST", ids[2], "contacts", **told)
    await agency.act("PUT", ids[4], "stage", stage="notified", **told)
    await agency.act("POST", ids[5], "exclusion", reason="other", text="x")
    await agency.act("POST", ids[6], "exclusion", reason="other", text="x")
    await Office(world, "wang", "agency").act(
        "PUT", ids[6], "exclusion/review", agreed=True, text="x"
    )
    await world.push("employer-applications", [employer_application(3)])
    world.runtime.clock.set(at(30, 4))  # type: ignore[attr-defined]


async def test_every_count_is_the_length_of_the_list_of_the_same_filter(desk: World) -> None:
    await _a_city_of_work(desk)
    agency = Office(desk, "chen", "agency")
    everything = await agency.listed()
    assert [(one["found_on"], one["lead_id"]) for one in everything] == sorted(
        (one["found_on"], one["lead_id"]) for one in everything
    )
    summary = good(await agency.call("GET", "/lead-work/summary"))
    assert summary["total"]["standing"] == len(everything) == 8
    assert summary["units"][0]["unit"] == COUNTY
    seen = 0
    for counts in summary["units"]:
        if not counts["standing"] and not any(counts["stages"].values()):
            continue
        asked = [
            ({}, counts["standing"]),
            ({"never_contacted": True}, counts["never_contacted"]),
            ({"overdue": True}, counts["overdue"]),
            ({"overdue": False}, counts["standing"] - counts["overdue"]),
            ({"excluding": True}, counts["excluding"]),
            *(({"stage": stage}, n) for stage, n in counts["stages"].items()),
            *(({"age": age}, n) for age, n in counts["ages"].items()),
            *(({"level": level}, n) for level, n in counts["levels"].items()),
            *(
                ({"assignee": one["officer"] or "none"}, one["standing"])
                for one in counts["officers"]
            ),
            *(
                ({"assignee": one["officer"] or "none", "overdue": True}, one["overdue"])
                for one in counts["officers"]
            ),
        ]
        for query, count in asked:
            assert len(await agency.listed(unit=counts["unit"], **query)) == count, query
            seen += bool(count)
    assert seen > 20
    total = summary["total"]
    assert sum(total["ages"].values()) == sum(total["levels"].values()) + 8 - total["overdue"] == 8
    assert (total["stages"]["excluded"], total["stages"]["enrolled"]) == (1, 1)
    assert total["stages"]["notified"] == total["excluding"] == 1
    for query in ({"unit": COUNTY, "age": "11-30"}, {"assignee": "li"}, {"q": "第4厂"}):
        one = good(await agency.call("GET", "/lead-work/summary", **query))["total"]
        found = await agency.listed(**query)
        assert one["standing"] == len(found)
        assert found
    county = await Office(desk, "li").listed()
    assert {one["unit"] for one in county} == {COUNTY}
    assert refused(await agency.call("GET", "/lead-work", age="1-2")) == (422, "parameter-invalid")
    assert refused(await agency.call("GET", "/lead-work", cursor="WyJ4IiwieCJd")) == (
        422,
        "cursor-invalid",
    )


async def test_overdue_leads_go_up_level_by_level_as_days_pass(desk: World) -> None:
    lead, agency = await only_lead(desk), Office(desk, "chen", "agency")
    limits = intake.limits_of(desk.runtime.plan, date(2008, 6, 10))
    assert limits.escalation_steps == (0, 10, 20, 40)
    expected = {
        20: None,  # found on the 10th, ten days for the first contact
        21: "officer",
        30: "officer",
        31: "unit",
        40: "unit",
        41: "leading-group-office",
        60: "leading-group-office",
        61: "supervision",
        400: "supervision",
    }
    for day, level in expected.items():
        today = date.fromordinal(date(2008, 5, 31).toordinal() + day)
        async with desk.runtime.database.read() as conn:
            row = await lists.find_work(conn, lead, limits._replace(today=today))
        assert row is not None
        assert (row.level, row.days_overdue) == (level, max(day - 20, 0)), day
    assert (await agency.read(lead))["level"] is None


async def test_all_leads_of_a_filter_are_assigned_at_once_or_none(desk: World) -> None:
    await _a_city_of_work(desk)
    agency, path = Office(desk, "chen", "agency"), "/lead-work/assignments"
    county = {"unit": COUNTY, "assignee": "none"}
    wanted = len(await agency.listed(**county))
    body = {
        "leads": county,
        "assignment": {"officer": "sun", "officer_name": "孙", "reason": "分片"},
        "expected": wanted,
    }
    assert wanted > 1
    wrong = await agency.call("POST", path, {**body, "expected": wanted + 1})
    assert refused(wrong) == (409, "conflict")
    assert await agency.listed(assignee="sun") == []
    elsewhere = Office(desk, "x", "unit", (OTHER,))
    assert refused(await elsewhere.call("POST", path, body)) == (403, "forbidden-unit")
    closed = {**body, "leads": {"stage": "enrolled"}}
    assert refused(await agency.call("POST", path, closed)) == (409, "lead-closed")
    both = await asyncio.gather(*(agency.call("POST", path, body) for _ in range(2)))
    assert sorted(one.status_code for one in both) == [200, 409]
    [done] = [one for one in both if one.status_code == 200]
    assert good(done) == {"assigned": wanted}
    mine = await Office(desk, "sun").listed(assignee="me")
    assert len(mine) == wanted
    [entry] = (await agency.read(mine[0]["lead_id"]))["log"][-1:]
    assert (entry["kind"], entry["officer_name"], entry["text"]) == ("assignment", "孙", "分片")
    assert refused(await agency.call("POST", path, body)) == (409, "conflict")


async def test_a_plan_without_the_limits_says_which_it_lacks(clock: FixedClock) -> None:
    small = Plan.read(Path(__file__).parents[1] / "shared" / "plan" / "other_city.yaml")
    with pytest.raises(Problem) as lacking:
        intake.limits_of(small, clock.today())
    assert lacking.value.code == "not-available"
    assert "lead-first-contact-limit" in str(lacking.value)
