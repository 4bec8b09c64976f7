"""What a person brought to a state comes to beside the row: its fact, its leads, the count of its
employer. The register lock is held."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from enrollment.golden import intake as golden
from enrollment.identity import store as identity_store
from enrollment.leads import projections
from enrollment.leads import store as lead_store
from enrollment.leads.changes import Cause
from enrollment.leads.persons.projections import Moved
from enrollment.leads.persons.rules import Standing
from enrollment.leads.projections import LeadFact
from enrollment.leads.rules import Event as LeadEvent
from enrollment.register import rules
from enrollment.register.rules import Person
from enrollment.register.store import employers as employer_store
from shared.deliveries.feed import ApplyContext, Recording
from shared.events.enrollment import PersonChanged, PersonEnded, PersonEnrolled

PersonFact = PersonEnrolled | PersonChanged | PersonEnded
_FACTS: dict[str, type[PersonFact]] = {
    "enrolled": PersonEnrolled,
    "changed": PersonChanged,
    "ended": PersonEnded,
}


def fact_of(
    recording: Recording,
    no: int,
    person_id: str,
    revision: int,
    before: Person | None,
    after: Person,
    effective_on: date,
    *,
    correction: bool = False,
) -> PersonFact:
    """The fact of record ``no`` having brought the person to the state ``after``. Pure."""
    return _FACTS[rules.person_fact(before, after)](
        key=person_id,
        subject=person_id,
        revision=revision,
        delivery_id=recording.delivery.id,
        record_no=no,
        recorded_at=recording.recorded_at,
        correction=correction,
        person_id=person_id,
        employer_id=after.employer_id,
        unit=after.unit,
        status=after.status,
        worker_class=after.worker_class,
        ownership=after.ownership,
        trade=after.trade,
        enrolled_on=after.enrolled_on,
        effective_on=effective_on,
    )


def moved_by(
    ctx: ApplyContext,
    no: int,
    key: str,
    revision: int,
    before: Person | None,
    after: Person,
    effective_on: date,
) -> Moved:
    """Record ``no`` having brought the person to the state ``after``, as leads of persons see it
    (O77)."""
    event = LeadEvent(
        f"register:{key}",
        revision,
        "",
        ctx.recorded_at,
        effective_on,
        ctx.feed.name,
        after.unit,
        "",
        0,
        ctx.delivery.id,
        no,
    )
    standing = Standing(after.status, after.enrolled_on, effective_on)
    return Moved(key, None if before is None else before.status, standing, event)


async def count_active(
    ctx: ApplyContext, deltas: Mapping[str, int], causes: Mapping[str, Cause]
) -> list[LeadFact]:
    """Move the employers' counts of active persons; a gap may open or close by it. ``causes``:
    what came last to or from each employer, of those whose count stays, too: one coming as another
    leaves may be whom the census found missing."""
    if not causes:
        return []
    conn = ctx.conn
    await identity_store.lock_employers(conn, causes)
    await employer_store.add_active(conn, deltas)
    await golden.refresh(conn, ctx.runtime.plan, causes, ctx.recorded_at)
    compared = await lead_store.with_headcounts(conn, causes)
    return await projections.follow(
        conn,
        {employer: causes[employer] for employer in sorted(compared)},
        ctx.recorded_at,
        plan=ctx.runtime.plan,
    )
