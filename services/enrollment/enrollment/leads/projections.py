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
from enrollment.leads.changes import Cause, Step, merged_away, steps_of
from enrollment.leads.rules import FOUND, Event
from enrollment.leads.work.rules import FOUND as FOUND_STAGE
from enrollment.leads.work.rules import stage_of
from enrollment.leads.worth import store as worth_store
from enrollment.leads.worth.projections import assess_employers, assess_first
from enrollment.leads.worth.store import Trait
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
    alone: Mapping[str, tuple[Event, bool]] = {}
    """Those of one record about a subject nobody has told of before; see ``assess_first``."""
    traits: Mapping[str, Trait] = {}
    disputed: Collection[str] = ()


NOBODY = First()


async def hear(
    conn: AsyncConnection,
    plan: Plan,
    heard: Sequence[tuple[Claim, Event]],
    seen: Sequence[Sighting],
    recorded_at: datetime,
    traits: Sequence[Trait] | None = None,
) -> list[Fact]:
    """Keep what records say of employers and bring golden records and leads after; the facts of
    all of it. ``seen`` says the same as ``heard``, as the golden record takes it. ``traits``: all
    that the records say of the worth of leads; None where others may have told such of these
    subjects, and the caller has kept it.

    Nobody else may be telling other states of the same subjects: the caller has locked them
    (``store.lock_subjects``), or takes the only feed that tells of them.
    """
    about = await store.known_of(conn, {event.subject for _, event in heard})
    identified = await identify(
        conn, [claim for claim, _ in heard], recorded_at, [employer for _, employer in about]
    )
    events = [
        (employer, event) for employer, (_, event) in zip(identified.employers, heard, strict=True)
    ]
    causes = {
        employer: Cause(event.delivery_id, event.record_no, event.effective_on)
        for employer, event in events
    }
    # With those the subjects were known of before: all in one order, against crosswise waits.
    # Those minted just now nobody else can see.
    disputed = identified.disputed.difference(identified.minted)
    known_before = {*causes, *(employer for _, employer in about), *disputed}
    unlocked = known_before.difference(identified.minted, identified.locked)
    await identity_store.lock_employers(conn, unlocked)
    found = [
        Sighting._make((*one[:_WHO], employer, *one[_WHO + 1 :]))
        for employer, one in zip(identified.employers, seen, strict=True)
    ]
    told_before = await golden.see(conn, plan, found, recorded_at, identified.minted)
    if traits is not None:
        await worth_store.write_traits(conn, traits)
    untold = {one.subject for one in seen}.difference(told_before)
    moved = await store.insert_events(conn, events, about, identified.minted, untold)
    others = {employer: cause for employer, cause in moved.items() if employer not in causes}
    fresh = store.by_employer(events, identified.minted.difference(moved))
    first = First(
        fresh,
        {}
        if traits is None
        else {
            employer: (known[0], household)
            for (employer, household) in _households(identified.employers, heard).items()
            if (known := fresh.get(employer)) is not None
            and len(known) == 1
            and known[0].subject not in told_before
        },
        {trait.subject: trait for trait in traits or ()},
        identified.disputed,
    )
    leads = await follow(conn, {**others, **causes}, recorded_at, first, plan=plan)
    if disputed:
        await assess_employers(conn, disputed, recorded_at)
    return [*identified.facts, *leads]


def _households(employers: Sequence[str], heard: Sequence[tuple[Claim, Event]]) -> dict[str, bool]:
    """Employer → whether the last claim about it says household."""
    return {
        employer: claim.household for employer, (claim, _) in zip(employers, heard, strict=True)
    }


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
    caller holds the row locks of all others (``identity.store.lock_employers``). Four reads, five
    where the census found someone, and two writes for any number.
    """
    if not causes:
        return []
    fresh = first.fresh
    threshold = gap_threshold(plan)
    steps = [
        step
        for employer, known in fresh.items()
        for step in steps_of(employer, known, None, (), causes[employer])
    ]
    before = [employer for employer in causes if employer not in fresh]
    if before:
        events = await store.events_of(conn, before)
        entries = await store.entries_of(conn, before)
        visited = {
            employer
            for employer in entries.keys() & events.keys()
            if any(event.subject.startswith(FOUND) for event in events[employer])
        }
        for employer, missing in (await store.missing_of(conn, visited)).items():
            entries[employer] = entries[employer]._replace(missing=missing)
        leads = await store.leads_of(conn, before)
        for employer in before:
            stored, cause = leads.get(employer, ()), causes[employer]
            if employer in merged:
                steps += merged_away(stored, cause)
            else:
                known, entry = events.get(employer, ()), entries.get(employer)
                steps += steps_of(employer, known, entry, stored, cause, threshold)
    if steps:
        await store.write_steps(conn, steps, recorded_at)
    if first.alone:
        await assess_first(conn, steps, *first[1:], recorded_at)
    if len(first.alone) < len(causes):
        others = [employer for employer in causes if employer not in first.alone]
        await assess_employers(conn, others, recorded_at)
    moved = {step.lead.lead_id for step in steps if step.what != "opened"}
    stages = await store.stages_of(conn, moved) if moved else {}
    return [
        fact_of(step, stages.get(step.lead.lead_id, FOUND_STAGE), recorded_at) for step in steps
    ]


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
