"""Feed ``census-units``: the frame, and the visits to what stands in it (O65, O66, O69)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from enrollment.census import models, rules, store
from enrollment.census.intake.judging import in_census, last_day
from enrollment.census.rules import Frame
from enrollment.census.schemas import CensusUnit
from enrollment.golden import intake as golden
from enrollment.golden.rules import STANDING, WITHDRAWN, Sighting
from enrollment.golden.sources import named_only
from enrollment.identity.numbers import org_code_of, problems_of
from enrollment.identity.rules import keys_of
from shared.deliveries.checks import Problems, content_hash
from shared.deliveries.feed import (
    ApplyContext,
    Changed,
    JudgeContext,
    JudgedRow,
    Outcome,
    Verdict,
)
from shared.deliveries.standing import ENDED_HASH
from shared.deliveries.state import upsert_state
from shared.events.enrollment import CensusVisited
from shared.periods import local_date

OUTCOMES = "visit-outcomes"
COLUMNS = Frame._fields


def judge_census_units(records: Sequence[CensusUnit], ctx: JudgeContext) -> list[Verdict]:
    """Each entry accepted as a row, or refused with every reason found."""
    last_on = last_day(ctx)
    verdicts = []
    for record, problems in zip(records, problems_of(records, ctx), strict=True):
        if record.kind == "residence" and record.name is not None:
            problems.add("name-of-residence", "/name")
        _visit(record, problems, ctx)
        if record.visited_on is not None:
            in_census(problems, record.visited_on, last_on, "/visited_on", ctx)
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        row = Frame(
            record.unit,
            record.frame_no,
            record.street,
            record.community,
            record.kind,
            record.name,
            org_code_of(record),
            record.licence_no,
            record.void,
            record.visited_on,
            record.visitor,
            record.outcome,
            record.persons_found,
            record.uninsured_found,
            False,  # decided where the visit known before can be seen
        )
        verdicts.append(Verdict(f"{record.unit}.{record.frame_no}", row))
    return verdicts


def _visit(record: CensusUnit, problems: Problems, ctx: JudgeContext) -> None:
    """A visit is told whole or not at all, and its counts agree."""
    told = (record.visitor, record.outcome, record.persons_found or None)
    if record.visited_on is None:
        if any(told) or record.uninsured_found:
            problems.add("field-missing", "/visited_on", field="visited_on")
        return
    for name in ("visitor", "outcome"):
        if getattr(record, name) is None:
            problems.add("field-missing", f"/{name}", field=name)
    if record.outcome is not None:
        known = ctx.plan.find_code(OUTCOMES, record.outcome) is not None
        problems.coded(record.outcome, "/outcome", known)
    if record.uninsured_found > record.persons_found:
        value, limit = str(record.uninsured_found), str(record.persons_found)
        problems.add("more-than-found", "/uninsured_found", value=value, limit=limit)


async def apply_census_units(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Entries into ``census_units``, in record order; an entry told again without a visit keeps
    the visit known, so that a frame sent twice undoes nothing. When a version stands again, only
    the visit it tells itself does. A fact per visit that changed or is taken back."""
    outcome = Outcome()
    counting = {row.code for row in ctx.runtime.plan.codes(OUTCOMES) if row.counts}
    known = await store.frames(ctx.conn, {row.key for row in rows})
    told_by, whole = ctx.delivery.id, []
    for row in rows:
        # Where something was taken back, what is known of a visit may be of that very record.
        before = None if ctx.restates else known.get(row.key)
        frame = rules.with_visit(before, Frame._make(row.row), counting, told_by)
        known[row.key] = frame
        ended = row.content_hash == ENDED_HASH
        hashed = ENDED_HASH if ended else content_hash(tuple(frame)[:-1])
        whole.append(row._replace(row=frame, content_hash=hashed))
    changed = await upsert_state(ctx, models.census_units, COLUMNS, whole, outcome)
    outcome.facts += [_fact(ctx, one) for one in changed if _visited_on(one)]
    seen = [_sighting(ctx, one) for one in changed if _names_somebody(one)]
    if seen:
        await golden.see_places(ctx.conn, ctx.runtime.plan, seen, ctx.recorded_at)
    return outcome


def _names_somebody(changed: Changed) -> bool:
    """It carries an employer's number, or did before."""
    frames = [Frame._make(row) for row in (changed.row, changed.previous) if row is not None]
    return any(frame.org_code or frame.licence_no for frame in frames)


def _sighting(ctx: ApplyContext, changed: Changed) -> Sighting:
    """What was written down of whoever is at the place."""
    frame = Frame._make(changed.row)
    keys = keys_of(frame.org_code, frame.licence_no, None)
    return named_only(
        f"census:{changed.key}",
        changed.revision,
        ctx.delivery.department,
        ctx.feed.name,
        STANDING if keys and not frame.void else WITHDRAWN,
        keys,
        frame.name,
        frame.unit,
        frame.visited_on or local_date(ctx.recorded_at),
        ctx.recorded_at,
        ctx.delivery.id,
        changed.no,
    )


def _visited_on(changed: Changed) -> date | None:
    """The day of the visit, or of the one that is taken back."""
    now = Frame._make(changed.row).visited_on
    if now is not None or changed.previous is None:
        return now
    return Frame._make(changed.previous).visited_on


def _fact(ctx: ApplyContext, changed: Changed) -> CensusVisited:
    frame = Frame._make(changed.row)
    before = None if changed.previous is None else Frame._make(changed.previous)
    visited_on = _visited_on(changed)
    if visited_on is None:
        raise ValueError("an entry without a visit makes no fact")
    return CensusVisited(
        key=f"census:{changed.key}",
        subject=f"census:{changed.key}",
        revision=changed.revision,
        delivery_id=ctx.delivery.id,
        record_no=changed.no,
        recorded_at=ctx.recorded_at,
        correction=ctx.restates or rules.corrects(before, frame),
        unit=frame.unit,
        frame_no=frame.frame_no,
        visited_on=visited_on,
        found_uninsured_count=frame.uninsured_found if frame.visited else 0,
        street=frame.street,
        outcome=frame.outcome or "",
        visited=frame.visited,
    )
