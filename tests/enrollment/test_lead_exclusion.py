"""Leads are excluded by two, open again by new evidence, or are given back."""

from __future__ import annotations

from shared.events.enrollment import LeadAdvanced, LeadClosed, LeadOpened
from shared.events.registration_feed import EnterpriseChanged
from tests.enrollment.conftest import World
from tests.enrollment.office import Office, only_lead, refused
from tests.enrollment.records import (
    at,
    employer,
    headcount,
    person,
    registered,
)


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


async def _excluded_gap(desk: World) -> str:
    await desk.push("employers", [employer(7)])
    await desk.hear([headcount(7, 9, 0, day=9)])
    [gap] = [one.lead_id for one in await desk.facts(LeadOpened) if one.headcount_gap == 9]
    await Office(desk, "li").act("POST", gap, "exclusion", reason="insured-elsewhere", text="行业")
    await Office(desk, "wang").act("PUT", gap, "exclusion/review", agreed=True, text="是")
    return gap


async def test_a_gap_is_excluded_and_a_larger_headcount_opens_another(desk: World) -> None:
    gap = await _excluded_gap(desk)
    told = await Office(desk, "li").read(gap)
    assert (told["stage"], told["kind"]) == ("excluded", "not-fully-enrolled")
    await desk.hear([headcount(7, 9, 0, day=10, revision=2, name="改名")])
    assert (await desk.facts(LeadOpened))[-1].lead_id == gap
    await desk.hear([headcount(7, 12, 0, day=11, revision=3)])
    opened = (await desk.facts(LeadOpened))[-1]
    assert (opened.headcount_gap, opened.lead_kind) == (12, "not-fully-enrolled")
    assert opened.lead_id != gap


async def test_a_gap_whose_exclusion_is_revoked_is_the_same_lead_again(desk: World) -> None:
    """One lead of the employer's gap, with all of its log; its clock starts anew."""
    gap = await _excluded_gap(desk)
    desk.runtime.clock.set(at(30, 4))  # type: ignore[attr-defined]
    told = await Office(desk, "li").act("POST", gap, "exclusion/revocation", text="查有人员")
    assert (told["stage"], told["status"], told["found_on"]) == ("found", "advanced", "2008-06-30")
    assert [one["kind"] for one in told["log"]] == [
        "exclusion-proposed",
        "excluded",
        "exclusion-revoked",
    ]
    reopened = (await desk.facts(LeadAdvanced))[-1]
    assert (reopened.lead_id, reopened.headcount_gap, reopened.correction) == (gap, 9, True)
    gaps = await desk.rows("SELECT lead_id FROM leads WHERE kind = 'not-fully-enrolled'")
    assert [one["lead_id"] for one in gaps] == [gap]
    # It may be excluded again.
    await Office(desk, "li").act("POST", gap, "exclusion", reason="insured-elsewhere", text="行业")
    told = await Office(desk, "wang").act("PUT", gap, "exclusion/review", agreed=True, text="是")
    assert told["stage"] == "excluded"


async def test_a_gap_gone_when_its_exclusion_is_revoked_ended_by_what_closed_it(
    desk: World,
) -> None:
    gap = await _excluded_gap(desk)
    people = [person(n, 7) for n in range(1, 10)]
    await desk.push("insured-persons", people)
    assert (await Office(desk, "li").read(gap))["outcome"] == "excluded"
    told = await Office(desk, "li").act("POST", gap, "exclusion/revocation", text="查有人员")
    assert (told["stage"], told["outcome"]) == ("enrolled", "enrolled")
    closed = (await desk.facts(LeadClosed))[-1]
    assert (closed.lead_id, closed.outcome, closed.correction) == (gap, "enrolled", True)
