"""Lists of work and their counts, levels as days pass, and assigning many at once."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from enrollment.leads.work import intake
from enrollment.leads.work.store import lists
from shared.clock import FixedClock
from shared.plan import Plan
from shared.problems import Problem
from tests.enrollment.conftest import World
from tests.enrollment.office import COUNTY, OTHER, Office, good, only_lead, refused
from tests.enrollment.records import (
    at,
    employer_application,
    registered,
)


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
