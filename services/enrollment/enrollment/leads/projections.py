"""Something became known of some employers: their leads follow, and the difference is published."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.golden import intake as golden
from enrollment.golden.rules import Sighting
from enrollment.identity import store as identity_store
from enrollment.identity.intake import identify
from enrollment.identity.rules import Claim
from enrollment.leads import store
from enrollment.leads.changes import Cause, Step, Stored, merged_away, steps_of
from enrollment.leads.rules import FOUND, Event
from enrollment.leads.work.rules import FOUND as FOUND_STAGE
from enrollment.leads.work.rules import stage_of
from enrollment.leads.worth import store as worth_store
from enrollment.leads.worth.projections import (
    Holding,
    assess_employers,
    assess_first,
    assess_known,
)
from enrollment.leads.worth.rules import Trait
from enrollment.leads.worth.store import Beside
from shared.events import Fact
from shared.events.enrollment import LeadAdvanced, LeadClosed, LeadOpened
from shared.plan import Plan, PlanLookupError

LeadFact = LeadOpened | LeadAdvanced | LeadClosed

_FACTS: dict[str, type[LeadFact]] = {
    "opened": LeadOpened,
    "advanced": LeadAdvanced,
    "closed": LeadClosed,
}


_WHO = Sighting._fields.index("employer_id")


class First(NamedTuple):
    """Employers minted in this transaction, which have no leads and no entry in the register."""

    fresh: Mapping[str, Sequence[Event]] = {}
    """All that is known of each."""
    beside: Mapping[str, Beside] = {}
    """Of those whose subjects nobody has told of before; see ``assess_first``."""
    traits: Mapping[str, Trait] = {}


NOBODY = First()


async def hear(
    conn: AsyncConnection,
    plan: Plan,
    heard: Sequence[tuple[Claim, Event]],
    seen: Sequence[Sighting],
    told: Sequence[Sighting],
    recorded_at: datetime,
    traits: Mapping[str, Trait] | None = None,
) -> list[Fact]:
    """Keep what records say of employers and bring golden records and leads after; the facts of
    all of it. ``seen`` says the same as ``heard``, as the golden record takes it; ``told`` is what
    was known of its subjects (``golden.store.of_subjects``). ``traits``: all that the records say
    of the worth of leads; None where others may have told such of these subjects, and the caller
    has kept it.

    Nobody else may be telling other states of the same subjects: the caller has locked them
    (``store.lock_subjects``), or takes the only feed that tells of them, before ``told`` was read.
    """
    told_before = {one.subject for one in told}
    untold = {one.subject for one in seen}.difference(told_before)
    about = await store.known_of(conn, told_before)
    identified = await identify(
        conn, [claim for claim, _ in heard], recorded_at, [employer for _, employer in about]
    )
    minted = identified.minted
    events = [
        (employer, event) for employer, (_, event) in zip(identified.employers, heard, strict=True)
    ]
    causes = {
        employer: Cause(event.delivery_id, event.record_no, event.effective_on)
        for employer, event in events
    }
    # With those the subjects were known of before: all in one order, against crosswise waits.
    # Those minted just now nobody else can see.
    disputed = identified.disputed.difference(minted)
    known_before = {*causes, *(employer for _, employer in about), *disputed}
    unlocked = known_before.difference(minted, identified.locked)
    await identity_store.lock_employers(conn, unlocked)
    found = [
        Sighting._make((*one[:_WHO], employer, *one[_WHO + 1 :]))
        for employer, one in zip(identified.employers, seen, strict=True)
    ]
    await golden.see(conn, plan, found, recorded_at, minted, told)
    if traits is not None:
        await worth_store.write_traits(conn, traits, untold)
    moved = await store.insert_events(conn, events, about, minted, untold)
    others = {employer: cause for employer, cause in moved.items() if employer not in causes}
    fresh = store.by_employer(events, minted.keys() - moved.keys())
    first = First(fresh)
    if traits is not None:
        first = First(
            fresh,
            {
                employer: Beside(minted[employer].household, employer in identified.disputed)
                for employer, known in fresh.items()
                if untold.issuperset([event.subject for event in known])
            },
            traits,
        )
    leads = await follow(conn, {**others, **causes}, recorded_at, first, plan=plan)
    if disputed:
        await assess_employers(conn, disputed, recorded_at)
    return [*identified.facts, *leads]


async def follow(
    conn: AsyncConnection,
    causes: Mapping[str, Cause],
    recorded_at: datetime,
    first: First = NOBODY,
    merged: Collection[str] = (),
    *,
    plan: Plan,
) -> list[LeadFact]:
    """Work out the leads of these employers again and return the facts of what changed.

    ``causes``: employer → the record that made us look. ``first``: those minted in this
    transaction. ``merged``: those found to be others; nothing is known of them any more. The
    caller holds the row locks of all others (``identity.store.lock_employers``). A fixed number of
    reads and writes for any number of them.
    """
    if not causes:
        return []
    steps: list[Step] = []
    new: dict[str, tuple[Holding, Beside]] = {}
    holdings: dict[str, Holding] = {}
    for employer, known in first.fresh.items():
        changed = steps_of(employer, known, None, (), causes[employer])
        steps += changed
        holding = Holding(known, _stand(changed))
        if employer in first.beside:
            new[employer] = holding, first.beside[employer]
        else:
            holdings[employer] = holding
    before = [employer for employer in causes if employer not in first.fresh]
    if before:
        followed = await _follow_known(conn, before, causes, merged, gap_threshold(plan))
        steps += followed[0]
        holdings |= followed[1]
    if steps:
        await store.write_steps(conn, steps, recorded_at)
    if new:
        await assess_first(conn, new, first.traits, recorded_at)
    moved = {step.lead.lead_id for step in steps if step.what != "opened"}
    await assess_known(conn, holdings, recorded_at, moved)
    stages = await store.stages_of(conn, moved) if moved else {}
    return [
        fact_of(step, stages.get(step.lead.lead_id, FOUND_STAGE), recorded_at) for step in steps
    ]


async def _follow_known(
    conn: AsyncConnection,
    employers: Sequence[str],
    causes: Mapping[str, Cause],
    merged: Collection[str],
    threshold: Callable[[date], int],
) -> tuple[list[Step], dict[str, Holding]]:
    """``follow`` for those that were known before: what changes, and what is known of them then."""
    events = await store.events_of(conn, employers)
    entries = await store.entries_of(conn, employers)
    visited = {
        employer
        for employer in entries.keys() & events.keys()
        if any(event.subject.startswith(FOUND) for event in events[employer])
    }
    for employer, missing in (await store.missing_of(conn, visited)).items():
        entries[employer] = entries[employer]._replace(missing=missing)
    leads = await store.leads_of(conn, employers)
    steps: list[Step] = []
    holdings: dict[str, Holding] = {}
    for employer in employers:
        stored, cause = leads.get(employer, ()), causes[employer]
        if employer in merged:
            steps += merged_away(stored, cause)
        else:
            known, entry = events.get(employer, ()), entries.get(employer)
            changed = steps_of(employer, known, entry, stored, cause, threshold)
            steps += changed
            holdings[employer] = Holding(known, _stand(changed, stored))
    return steps, holdings


def _stand(steps: Sequence[Step], before: Sequence[Stored] = ()) -> list[Stored]:
    """An employer's leads after these steps."""
    if not steps:
        return list(before)
    if not before and len(steps) == 1:
        return [steps[0].lead]
    leads = {lead.lead_id: lead for lead in before}
    leads.update((step.lead.lead_id, step.lead) for step in steps)
    return list(leads.values())


def gap_threshold(plan: Plan) -> Callable[[date], int]:
    """The least gap that makes a lead on a day, by the plan; 1 where it does not say."""

    def threshold(on: date) -> int:
        try:
            return plan.parameter("headcount-gap-threshold", on).as_int()
        except PlanLookupError:
            return 1

    return threshold


def fact_of(
    step: Step, worked: str, recorded_at: datetime, person_id: str | None = None
) -> LeadFact:
    """The fact of a step; ``worked``: the stage that work on the lead has reached; ``person_id``:
    of a person who is or was in the register."""
    lead = step.lead
    return _FACTS[step.what](
        key=lead.holder,
        subject=lead.lead_id,
        revision=lead.revision,
        delivery_id=step.delivery_id,
        record_no=step.record_no,
        part=f"{lead.lead_id}.{lead.revision}",
        recorded_at=recorded_at,
        correction=step.correction,
        lead_id=lead.lead_id,
        lead_kind=lead.kind,
        unit=lead.unit,
        employer_id=lead.employer_id,
        person_id=person_id,
        person_key=lead.person_key,
        status=lead.status,
        sources=lead.sources.split(","),
        headcount_gap=lead.gap,
        opened_on=lead.opened_on,
        effective_on=step.effective_on,
        outcome=lead.outcome,
        stage=stage_of(lead.status, lead.outcome, worked),
    )
