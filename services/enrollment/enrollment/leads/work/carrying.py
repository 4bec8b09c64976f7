"""The work on a lead goes where its employer goes: joined with another, and parted again.

Logs stay where they were written. That another lead's log counts, or counts no more, is an entry of
its own, so an assignment, a contact or a stage is never lost and never copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads import projections
from enrollment.leads import store as leads_store
from enrollment.leads.changes import Step
from enrollment.leads.projections import LeadFact
from enrollment.leads.work import rules
from enrollment.leads.work.rules import Entry
from enrollment.leads.work.store import carried, log
from shared.periods import local_date

_SYSTEM = "system"
_DEPARTMENT = "agency"


async def join_work(
    conn: AsyncConnection, moves: Mapping[str, str], recorded_at: datetime
) -> list[LeadFact]:
    """Absorbed employer → the one it is: the work on its leads counts with the lead of the same
    kind that goes on, the standing one before others; the facts of stages that move by it. Where
    there is none the log stays readable by itself. The caller holds both rows, and the leads of
    both are worked out."""
    facts: list[LeadFact] = []
    pairs = await carried.targets(conn, moves)
    await _lock(conn, [target for _, target in pairs])
    for lead_id, target in pairs:
        facts += await _write(conn, target, rules.JOINED, lead_id, recorded_at)
    return facts


async def part_work(conn: AsyncConnection, other: str, recorded_at: datetime) -> list[LeadFact]:
    """The employer is one of its own again, and the work on its leads is theirs alone."""
    facts: list[LeadFact] = []
    pairs = await carried.joined(conn, other)
    await _lock(conn, [target for _, target in pairs])
    for lead_id, target in pairs:
        if lead_id in rules.joined_of(await log.log_of(conn, target)):
            facts += await _write(conn, target, rules.PARTED, lead_id, recorded_at)
    return facts


async def _lock(conn: AsyncConnection, targets: Sequence[str]) -> None:
    """All whose logs or states are going to be written, in one order: no crosswise waits."""
    upper = {lead_id for target in targets for lead_id in await carried.above(conn, target)}
    for lead_id in sorted({*targets, *upper}):
        await log.lock_work(conn, lead_id)


async def _write(
    conn: AsyncConnection, target: str, kind: str, code: str, recorded_at: datetime
) -> list[LeadFact]:
    entries = await log.log_of(conn, target)
    today = local_date(recorded_at)
    no = max((entry.no for entry in entries), default=0) + 1
    entry = Entry(no, kind, today, recorded_at, _SYSTEM, _DEPARTMENT, code=code)
    facts = await _fold(conn, target, entry, recorded_at)
    # Of several joined one after the other, those the work counts with by this one.
    for lead_id in await carried.above(conn, target):
        facts += await _fold(conn, lead_id, None, recorded_at)
    return facts


async def _fold(
    conn: AsyncConnection, lead_id: str, entry: Entry | None, recorded_at: datetime
) -> list[LeadFact]:
    """Bring where the work stands after its logs, ``entry`` added."""
    entries = await log.log_of(conn, lead_id)
    before = (await leads_store.stages_of(conn, [lead_id]))[lead_id]
    told = entries if entry is None else [*entries, entry]
    others = [other for _, other in await log.logs_joined(conn, told)]
    state = rules.state_of(told, others)
    if entry is None:
        await log.set_state(conn, lead_id, entries[-1].no, state)
    else:
        await log.append(conn, lead_id, entry, state)
    stored = await carried.standing(conn, lead_id)
    if stored is None or state.stage == before:
        return []
    lead = stored._replace(revision=stored.revision + 1, status="advanced")
    on = max(local_date(recorded_at), lead.opened_on)
    step = Step("advanced", lead, on, None, None)
    await leads_store.write_steps(conn, [step], recorded_at)
    return [projections.fact_of(step, state.stage, recorded_at)]
