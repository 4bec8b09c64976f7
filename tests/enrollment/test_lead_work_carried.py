"""Work on the leads of employers that are joined and parted: nothing of it is lost or doubled."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from enrollment.leads.work import rules
from enrollment.leads.work.rules import Entry, joined_of, state_of
from enrollment.linking.intake.matching import match_employers
from shared.events.enrollment import LeadAdvanced, LeadClosed, LeadOpened
from tests.enrollment.conftest import World
from tests.enrollment.office import Office, good, refused
from tests.enrollment.records import employer
from tests.enrollment.test_links import NAME, OTHER_FORM, decide, licensed, queue, taxed

ONE, TWO = "E000000001-U1", "E000000002-U1"


def entry(no: int, hour: int, kind: str, **more: Any) -> Entry:
    at = datetime(2008, 6, 10, tzinfo=UTC) + timedelta(hours=hour)
    return Entry(no, kind, date(2008, 6, 10), at, "li", "unit", **more)


ENFORCED = entry(1, 1, rules.STAGE, code="in-enforcement", means="visit")
NOTIFIED = entry(1, 2, rules.STAGE, code="notified", means="notice")
MINE = entry(2, 3, rules.ASSIGNMENT, officer="wang", home_unit="210502")
THEIRS = entry(2, 9, rules.ASSIGNMENT, officer="li", home_unit="210503")


@pytest.mark.parametrize(
    ("own", "other", "stage", "officer", "contacts"),
    [
        pytest.param([], [NOTIFIED, THEIRS], "notified", "li", 1, id="nothing was done here"),
        pytest.param([ENFORCED], [NOTIFIED], "in-enforcement", None, 2, id="further here"),
        pytest.param([NOTIFIED], [ENFORCED], "notified", None, 2, id="the later of one's own"),
        pytest.param([ENFORCED, MINE], [THEIRS], "in-enforcement", "wang", 1,
                     id="who has it here keeps it"),
        pytest.param([], [entry(1, 1, rules.PROPOSED, code="no-staff"), THEIRS], "found", "li", 0,
                     id="what was proposed there was about less"),
        pytest.param([], [entry(1, 1, rules.CONTACT, means="visit"),
                          entry(2, 5, rules.CONTACT, text="误记", corrects=1)], "found", None, 0,
                     id="corrected there"),
    ],
)  # fmt: skip
def test_where_work_stands_with_another_log(
    own: list[Entry], other: list[Entry], stage: str, officer: str | None, contacts: int
) -> None:
    state = state_of(own, [other])
    assert (state.stage, state.officer, state.contact_count) == (stage, officer, contacts)
    assert state.proposal_no is None


def test_joining_and_parting_leave_the_rest_of_the_state_alone() -> None:
    waits = entry(1, 1, rules.PROPOSED, code="no-staff")
    log = [waits, entry(2, 2, rules.JOINED, code="a"), entry(3, 3, rules.JOINED, code="b")]
    assert (joined_of(log), state_of(log)) == (["a", "b"], state_of([waits]))
    assert joined_of([*log, entry(4, 4, rules.PARTED, code="a")]) == ["b"]


async def two(world: World) -> str:
    """Two firms of alike names, a lead each; the address of what people decide about the pair."""
    await world.hear([licensed(1)])
    await world.hear([taxed(2, name=OTHER_FORM)])
    await match_employers(world.runtime)
    (link,) = await queue(world)
    assert link["status"] == "suggested"
    return f"/identity/links/{link['id']}"


async def stages(world: World) -> dict[str, str]:
    """Lead → stage, as whoever follows the facts has it."""
    told: dict[str, Any] = {}
    for fact in await world.facts(LeadOpened, LeadAdvanced, LeadClosed):
        assert fact.lead_id not in told or fact.revision == told[fact.lead_id].revision + 1
        told[fact.lead_id] = fact
    return {lead_id: str(fact.stage) for lead_id, fact in sorted(told.items())}


async def test_the_work_goes_with_the_employer_and_comes_back(world: World) -> None:
    path, li = await two(world), Office(world, "li", "agency")
    await li.act("PUT", TWO, "assignment", officer="li", officer_name="李某")
    await li.act(
        "PUT", TWO, "stage", stage="notified", on="2008-06-10", means="notice", text="送达"
    )
    assert await stages(world) == {ONE: "found", TWO: "notified"}

    assert (await decide(world, path, "confirm")).status_code == 200
    assert await stages(world) == {ONE: "notified", TWO: "ended"}
    now = await li.read(ONE)
    assert (now["stage"], now["officer"], now["contact_count"]) == ("notified", "li", 1)
    assert [row["lead_id"] for row in await li.listed(assignee="me")] == [ONE]
    assert await li.listed(never_contacted=True) == []
    total = good(await li.call("GET", "/lead-work/summary"))["total"]
    assert (total["standing"], total["never_contacted"], total["stages"]["ended"]) == (1, 0, 0)
    story = good(await li.call("GET", f"/leads/{ONE}/story"))["items"]
    assert any(f"lead {TWO}" in one["en"] and "送达" in one["zh"] for one in story)
    assert [one["code"] for one in now["log"] if one["kind"] == "joined"] == [TWO]
    # The lead that ended so is still read, and nobody works on it.
    assert (await li.read(TWO))["stage"] == "ended"
    assert "并入" in good(await li.call("GET", f"/leads/{TWO}/story"))["items"][-1]["zh"]
    gone = await li.try_to("POST", TWO, "contacts", on="2008-06-10", means="phone", text="x")
    assert refused(gone) == (404, "not-found")

    # What is done from now on is done here, and stays here.
    await li.act("POST", ONE, "contacts", on="2008-06-10", means="phone", text="催办")
    assert (await decide(world, path, "split")).status_code == 200
    assert await stages(world) == {ONE: "found", TWO: "notified"}
    here, there = await li.read(ONE), await li.read(TWO)
    assert (here["stage"], here["officer"], here["contact_count"]) == ("found", None, 1)
    assert (there["stage"], there["officer"], there["contact_count"]) == ("notified", "li", 1)


async def test_work_on_a_lead_that_none_takes_on_stays_readable(world: World) -> None:
    """Found to be a firm in the register since long before: there never was a lead."""
    await world.push("employers", [employer(1, name=NAME)])
    await world.hear([licensed(2, name=OTHER_FORM)])
    await match_employers(world.runtime)
    (link,) = await queue(world)
    li = Office(world, "li", "agency")
    await li.act("POST", TWO, "contacts", on="2008-06-10", means="phone", text="说已参保")
    answer = await decide(world, f"/identity/links/{link['id']}", "confirm")
    assert answer.status_code == 200, answer.text
    assert (await world.get("/leads")).json()["items"] == []
    assert (await li.read(TWO))["log"][0]["text"] == "说已参保"
    logged = good(await li.call("GET", "/lead-work/entries", kind="contact"))["items"]
    assert [row["lead_id"] for row in logged] == [TWO]


async def exclude(world: World, lead: str) -> dict[str, Any]:
    li, wang = Office(world, "li", "agency"), Office(world, "wang", "agency")
    await li.act("POST", lead, "exclusion", reason="no-staff", text="查无人员")
    return await wang.act("PUT", lead, "exclusion/review", agreed=True, text="同意")


async def test_an_exclusion_goes_with_the_evidence_weighed_and_so_does_its_revocation(
    world: World,
) -> None:
    path, wang = await two(world), Office(world, "wang", "agency")
    assert (await exclude(world, TWO))["stage"] == "excluded"
    await decide(world, path, "confirm")
    # The other firm's licence was not weighed.
    assert await stages(world) == {ONE: "found", TWO: "ended"}
    await decide(world, path, "split")
    assert await stages(world) == {ONE: "found", TWO: "excluded"}
    await wang.act("POST", TWO, "exclusion/revocation", text="有人员")
    for decision in ("confirm", "split"):
        assert (await decide(world, path, decision)).status_code == 200
    assert await stages(world) == {ONE: "found", TWO: "found"}


async def test_an_exclusion_of_both_is_taken_back_by_each(world: World) -> None:
    path, wang = await two(world), Office(world, "wang", "agency")
    await decide(world, path, "confirm")
    assert (await exclude(world, ONE))["stage"] == "excluded"
    await decide(world, path, "split")
    assert await stages(world) == {ONE: "excluded", TWO: "excluded"}
    for lead in (TWO, ONE):
        assert (await wang.act("POST", lead, "exclusion/revocation", text="有人"))[
            "stage"
        ] == "found"
    again = await wang.try_to("POST", TWO, "exclusion/revocation", text="x")
    assert refused(again) == (409, "conflict")
    for decision in ("confirm", "split"):
        assert (await decide(world, path, decision)).status_code == 200
    assert await stages(world) == {ONE: "found", TWO: "found"}
