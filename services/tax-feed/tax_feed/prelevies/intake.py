"""A pre-levy becomes state and a fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.deliveries.checks import Problems, is_household, owner_key_of
from shared.deliveries.feed import Changed, JudgeContext, Verdict
from shared.events.tax_feed import PreLevied, PreLevySettled
from shared.periods import Month
from tax_feed.dated import rate_on
from tax_feed.employers import employers_of
from tax_feed.prelevies import models, rules
from tax_feed.prelevies.schemas import PreLevy
from tax_feed.rules import finds_unenrolled, part_of
from tax_feed.stating import accepted, applier


def judge_pre_levies(records: Sequence[PreLevy], ctx: JudgeContext) -> list[Verdict]:
    """Each pre-levy accepted, with the individual part that is due once its employer enrols, or
    refused with every reason found. Levies of earlier months may come with their next stage."""
    employers = employers_of(records, ctx, [record.licence_no for record in records])
    verdicts = []
    for record, (key, org_code, problems) in zip(records, employers, strict=True):
        problems.unit(record.unit, "/unit", ctx)
        problems.trade(record.reg_type, None, ctx)
        if record.month > ctx.delivery.period:
            problems.period(record.month, "/month", ctx)
        _stages(problems, record, ctx)
        base = problems.fen(record.base, "/base", minimum=1)
        pooled = problems.fen(record.pooled, "/pooled", minimum=1)
        paid = None
        if record.individual is not None:
            paid = problems.fen(record.individual, "/individual")
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        last_on = Month.parse(record.month).last_on
        rate = rate_on(ctx.plan, "individual-rate", last_on)
        row = (
            key,
            org_code,
            record.name,
            record.unit,
            record.month,
            record.levied_on,
            is_household(record.reg_type, ctx.plan),
            record.licence_no,
            owner_key_of(ctx.secrecy, tax_no=record.tax_no),
            record.taxable_headcount,
            record.insured_headcount,
            base,
            pooled,
            str(rate),
            part_of(base, rate),
            record.enrolled_on,
            record.settled_on,
            paid,
            record.cancelled,
        )
        verdicts.append(accepted(record.levy_no, row))
    return verdicts


def _stages(problems: Problems, record: PreLevy, ctx: JudgeContext) -> None:
    """Somebody is missing; levied, enrolled, settled follow each other; settled says how much."""
    taxable, insured = record.taxable_headcount, record.insured_headcount
    if not finds_unenrolled(taxable, insured):
        problems.add(
            "nothing-missing", "/insured_headcount", insured=str(insured), taxable=str(taxable)
        )
    before = record.levied_on
    problems.not_after(before, ctx.today, "/levied_on")
    for name, on in (("enrolled_on", record.enrolled_on), ("settled_on", record.settled_on)):
        problems.not_after(on, ctx.today, f"/{name}")
        if on is not None and on < before:
            limit = before.isoformat()
            problems.add("dates-out-of-order", f"/{name}", value=on.isoformat(), limit=limit)
        before = on or before
    if record.settled_on is None:
        return
    if record.enrolled_on is None:
        problems.add(
            "field-needed",
            "/enrolled_on",
            field="enrolled_on",
            zh="参保后方可征收个人部分",
            en="the individual part is levied after enrolment",
        )
    if record.individual is None:
        problems.add(
            "field-needed",
            "/individual",
            field="individual",
            zh="结清须写明已征收的个人部分",
            en="settled says how much was levied",
        )


def _fact(
    row: Mapping[str, Any], change: Changed, cause: dict[str, Any]
) -> PreLevied | PreLevySettled:
    """A later stage is news; the same stage told otherwise corrects it."""
    before = dict(zip(models.COLUMNS, change.previous, strict=True)) if change.previous else None
    stage = _stage(row)
    counts = 0 if row["cancelled"] else 1
    whole: dict[str, Any] = {
        **cause,
        "correction": before is not None and _stage(before) is stage,
        "subject": f"pre-levy:{change.key}",
        "name": row["name"],
        "month": row["month"],
        "household": row["household"],
        "licence_no": row["licence_no"],
        "owner_key": row["owner_key"],
        "taxable_headcount": row["taxable_headcount"],
        "headcount_gap": (row["taxable_headcount"] - row["insured_headcount"]) * counts,
        "levied_on": row["levied_on"],
        "pooled_fen": row["pooled_fen"] * counts,
        "individual_due_fen": row["individual_due_fen"] * counts,
        "enrolled_on": row["enrolled_on"],
        "cancelled": row["cancelled"],
    }
    if stage is rules.Stage.SETTLED:
        settled_on, paid = row["settled_on"], row["individual_fen"]
        return PreLevySettled(**whole, settled_on=settled_on, individual_fen=paid)
    return PreLevied(**whole)


def _stage(row: Mapping[str, Any]) -> rules.Stage:
    return rules.stage_of(row["enrolled_on"], row["settled_on"], row["cancelled"])


apply_pre_levies = applier(models.pre_levies, _fact)
