"""Something became known of some persons: their leads follow, and the difference is published.

The caller holds the lock of the register (``register.store.employers.lock_register``), so that
nobody is moved in it meanwhile and nobody else decides about persons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads import store as lead_store
from enrollment.leads.changes import Cause, steps_to
from enrollment.leads.persons import rules, store
from enrollment.leads.persons.rules import Standing
from enrollment.leads.projections import LeadFact, fact_of
from enrollment.leads.rules import Event
from enrollment.leads.work.rules import FOUND
from enrollment.leads.worth.projections import assess_persons


class Moved(NamedTuple):
    """A person the register moved."""

    person_key: str
    before: str | None
    """Its status; None for someone new."""
    after: Standing
    state: Event
    """The state it is now; ``what`` and the day are said here."""


async def hear_reports(
    conn: AsyncConnection, heard: Sequence[tuple[str, Event]], recorded_at: datetime
) -> list[LeadFact]:
    """Keep (person, report) pairs and bring the persons' leads after; the facts of what changed."""
    causes = {person: _cause(event) for person, event in heard}
    new = set(causes).difference(await store.told_of(conn, causes))
    known = [
        (person, _said(state, None, standing))
        for person, standing, state in await store.standings_of(conn, new)
    ]
    moved = await store.insert_events(conn, [*heard, *known])
    return await follow(conn, {**moved, **causes}, recorded_at)


async def bearing(conn: AsyncConnection, moves: Sequence[tuple[str, str | None, str]]) -> list[int]:
    """Which of these (person, status before, status after), by their place, bear on leads. Of a
    long list of people nobody has told of, nearly none: one statement."""
    changed = [at for at, (_, before, after) in enumerate(moves) if before != after]
    told_of = await store.told_of(conn, {moves[at][0] for at in changed})
    told_of.update(moves[at][0] for at in changed if moves[at][2] == "suspended")
    return [
        at
        for at in changed
        if rules.bears_on_leads(moves[at][1], moves[at][2], moves[at][0] in told_of)
    ]


async def hear_moves(
    conn: AsyncConnection, moves: Sequence[Moved], recorded_at: datetime
) -> list[LeadFact]:
    """Keep moves of the register that bear on leads, and bring the leads after."""
    kept = [(move.person_key, _said(move.state, move.before, move.after)) for move in moves]
    await store.insert_events(conn, kept)
    return await follow(conn, {person: _cause(event) for person, event in kept}, recorded_at)


async def follow(
    conn: AsyncConnection, causes: Mapping[str, Cause], recorded_at: datetime
) -> list[LeadFact]:
    """Work out the leads of these persons again and return the facts of what changed."""
    if not causes:
        return []
    events = await store.events_of(conn, causes)
    stored = await store.leads_of(conn, causes)
    steps = [
        step
        for person, cause in causes.items()
        for step in steps_to(
            person, rules.leads_of(events.get(person, ())), stored.get(person, ()), cause
        )
    ]
    if steps:
        await lead_store.write_steps(conn, steps, recorded_at)
    await assess_persons(conn, causes, recorded_at)
    ids = await store.person_ids_of(conn, causes) if steps else {}
    advanced = {step.lead.lead_id for step in steps if step.what != "opened"}
    stages = await lead_store.stages_of(conn, advanced) if advanced else {}
    return [
        fact_of(
            step,
            stages.get(step.lead.lead_id, FOUND),
            recorded_at,
            ids.get(step.lead.holder),
        )
        for step in steps
    ]


def _said(state: Event, before: str | None, after: Standing) -> Event:
    what, on = rules.crossing(before, after)
    return state._replace(what=what, effective_on=on)


def _cause(event: Event) -> Cause:
    return Cause(event.delivery_id, event.record_no, event.effective_on)
