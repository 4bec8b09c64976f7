"""Officers work on leads: stages, log, assignment, and who may."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

from shared.events.enrollment import LeadAdvanced, LeadClosed
from shared.events.registration_feed import EnterpriseChanged
from tests.enrollment.conftest import World
from tests.enrollment.office import CITY, COUNTY, OTHER, Office, good, only_lead, refused
from tests.enrollment.records import (
    employer_application,
    headcount,
    registered,
)


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
