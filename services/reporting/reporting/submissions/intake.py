"""A form, a monthly report or an activity becomes state and a fact."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from reporting.submissions import models, rules
from reporting.submissions.schemas import Activity, DekadReport, MonthlyReport
from shared.crypto import mask_within
from shared.deliveries.checks import Problems, content_hash
from shared.deliveries.feed import (
    ApplyContext,
    Changed,
    JudgeContext,
    JudgedRow,
    Outcome,
    Verdict,
)
from shared.deliveries.state import upsert_state
from shared.events.reporting import ActivityLogged, DekadReported, MonthlyReported
from shared.periods import Month

OFFICE: Final = "leading-group"
_MAY_BE_NEGATIVE: Final = frozenset({"fund_new"})
_PERCENT_LIMIT: Final = Decimal(1_000_000)
_PERCENT_DECIMALS: Final = 4


def judge_dekads(records: Sequence[DekadReport], ctx: JudgeContext) -> list[Verdict]:
    """Each form accepted as stated, or refused: for another period or unit, without any figure,
    or with a part that is more than its whole."""
    return [_dekad(record, ctx) for record in records]


def _dekad(record: DekadReport, ctx: JudgeContext) -> Verdict:
    problems = Problems()
    problems.period(record.period, "/period", ctx)
    problems.not_after(record.sent_on, ctx.today, "/sent_on")
    ower = _ower(problems, record.unit, ctx)
    figures = {name: getattr(record, name) for name in rules.COUNTS}
    for name in rules.MONEY:
        amount, least = getattr(record, name), None if name in _MAY_BE_NEGATIVE else 0
        figures[name] = None if amount is None else problems.fen(amount, f"/{name}", least)
    percents = [_percent(problems, record, name) for name in rules.PERCENTS]
    if all(value is None for value in figures.values()):
        problems.add("figures-missing", "")
    for part, whole in [] if problems else rules.above_their_wholes(figures):
        values = {"value": str(figures[part]), "whole": whole, "limit": str(figures[whole])}
        if part in rules.MONEY:
            values |= {"value": str(getattr(record, part)), "limit": str(getattr(record, whole))}
        problems.add("part-above-whole", f"/{part}", **values)
    if problems:
        return Verdict(problems=tuple(problems))
    row = (
        ctx.delivery.department,
        record.unit,
        record.period,
        record.sent_on,
        *(figures[name] for name in rules.COUNTS),
        *(figures[name] for name in rules.MONEY),
        *percents,
        _masked(record.remarks),
    )
    return Verdict(f"{ower}|{record.period}", row, content_hash(row))


def _percent(problems: Problems, record: DekadReport, name: str) -> str | None:
    value: Decimal | None = getattr(record, name)
    if value is None:
        return None
    exponent = value.as_tuple().exponent
    plain = isinstance(exponent, int) and -exponent <= _PERCENT_DECIMALS
    if not plain or not 0 <= value < _PERCENT_LIMIT:
        problems.add("value-out-of-range", f"/{name}", minimum="0", maximum=str(_PERCENT_LIMIT - 1))
        return None
    return f"{value:f}"


async def apply_dekads(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Forms into ``dekad_reports``; a later one of the same sender and dekad is a correction."""
    outcome = Outcome()
    columns = models.DEKAD_COLUMNS
    for change in await upsert_state(ctx, models.dekad_reports, columns, rows, outcome):
        row = dict(zip(columns, change.row, strict=True))
        figures = {name: row[name] for name in rules.COUNTS}
        figures |= {f"{name}_fen": row[f"{name}_fen"] for name in rules.MONEY}
        outcome.facts.append(
            DekadReported(
                **_cause(ctx, change, "dekad-report", row),
                figures={name: value for name, value in figures.items() if value is not None},
                sent_on=row["sent_on"],
                withdrawn=change.ended,
            )
        )
    return outcome


def judge_monthlies(records: Sequence[MonthlyReport], ctx: JudgeContext) -> list[Verdict]:
    """Each report accepted, or refused: for another period or unit."""
    verdicts = []
    for record in records:
        problems = Problems()
        problems.period(record.period, "/period", ctx)
        problems.not_after(record.sent_on, ctx.today, "/sent_on")
        ower = _ower(problems, record.unit, ctx)
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        overall, found, suggestions = map(
            mask_within, (record.overall, record.problems, record.suggestions)
        )
        row = (
            ctx.delivery.department,
            record.unit,
            record.period,
            record.sent_on,
            overall,
            found,
            suggestions,
            _masked(record.measures),
            rules.items_of(found),
            rules.items_of(suggestions),
        )
        verdicts.append(Verdict(f"{ower}|{record.period}", row, content_hash(row)))
    return verdicts


async def apply_monthlies(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Reports into ``monthly_reports``; their texts stay here, the facts count their items."""
    outcome = Outcome()
    columns = models.MONTHLY_COLUMNS
    for change in await upsert_state(ctx, models.monthly_reports, columns, rows, outcome):
        row = dict(zip(columns, change.row, strict=True))
        outcome.facts.append(
            MonthlyReported(
                **_cause(ctx, change, "monthly-report", row),
                problem_count=len(row["problem_items"]),
                suggestion_count=len(row["suggestion_items"]),
                withdrawn=change.ended,
            )
        )
    return outcome


def judge_activities(records: Sequence[Activity], ctx: JudgeContext) -> list[Verdict]:
    """Each activity accepted, or refused: in the future, after the period, of another unit, or
    for a department by somebody who is not the leading group's office."""
    last_on = Month.parse(ctx.delivery.period).last_on
    verdicts = []
    for record in records:
        problems = Problems()
        problems.not_after(record.held_on, ctx.today, "/held_on")
        problems.not_after(record.held_on, last_on, "/held_on", "held-after-period")
        department = _actor(problems, record, ctx)
        if ctx.delivery.department == "unit" and record.unit is None:
            problems.add("field-missing", "/unit", field="unit")
        elif record.unit is not None:
            problems.unit(record.unit, "/unit", ctx)
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        by_unit = record.unit if ctx.delivery.department == "unit" else None
        row = (
            department,
            record.unit,
            ctx.delivery.period,
            rules.duty_met(ctx.plan, department, by_unit),
            record.kind,
            record.held_on,
            mask_within(record.place),
            mask_within(record.title),
            record.copies,
            record.persons_reached,
            _masked(record.questions),
            record.cancelled,
        )
        key = f"{by_unit or department}|{record.activity_no}"
        # The period it came in is no part of what it states.
        stated = content_hash((*row[:2], *row[3:]))
        verdicts.append(Verdict(key, row, stated))
    return verdicts


def _actor(problems: Problems, record: Activity, ctx: JudgeContext) -> str:
    """The department that did it: the sender's own, or the one the office names."""
    if record.department is None or record.department == ctx.delivery.department:
        return ctx.delivery.department
    if ctx.delivery.department != OFFICE:
        problems.add("department-not-yours", "/department", value=record.department)
    known = any(row.code == record.department for row in ctx.plan.departments)
    problems.coded(record.department, "/department", known)
    return record.department


async def apply_activities(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Activities into ``activities``; a cancelled one counts as nothing."""
    outcome = Outcome()
    columns = models.ACTIVITY_COLUMNS
    for change in await upsert_state(ctx, models.activities, columns, rows, outcome):
        row = dict(zip(columns, change.row, strict=True))
        cause = _cause(ctx, change, "activity", row)
        del cause["period"]
        outcome.facts.append(
            ActivityLogged(
                **cause,
                duty=row["duty"],
                activity=row["kind"],
                held_on=row["held_on"],
                copies=row["copies"],
                persons_reached=row["persons_reached"],
                cancelled=row["cancelled"],
            )
        )
    return outcome


def _ower(problems: Problems, unit: str | None, ctx: JudgeContext) -> str:
    """Who submits: a unit names itself, a department does not name one."""
    department = ctx.delivery.department
    if department != "unit":
        if unit is not None:
            problems.add("unit-not-expected", "/unit", value=unit, department=department)
        return department
    if unit is None:
        problems.add("field-missing", "/unit", field="unit")
        return ""
    problems.unit(unit, "/unit", ctx)
    return unit


def _masked(text: str | None) -> str | None:
    return None if text is None else mask_within(text)


def _cause(ctx: ApplyContext, change: Changed, what: str, row: dict[str, Any]) -> dict[str, Any]:
    """What every fact of a submission says: whose it is and where it came from."""
    return {
        "key": row["unit"] or row["department"],
        "subject": f"{what}:{change.key}",
        "revision": change.revision,
        "delivery_id": ctx.delivery.id,
        "record_no": change.no,
        "recorded_at": ctx.recorded_at,
        "correction": ctx.restates or change.revision > 1,
        "department": row["department"],
        "unit": row["unit"],
        "period": row["period"],
    }
