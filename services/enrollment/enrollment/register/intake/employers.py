"""Feed ``employers``: the register of employers as it stands at the end of a month."""

from __future__ import annotations

from collections.abc import Sequence

from enrollment.register.intake.entries import EmployerLedger
from enrollment.register.intake.judging import employer_problems, org_code_of
from enrollment.register.rules import Employer
from enrollment.register.schemas import Employer as EmployerRecord
from enrollment.register.store import employers as store
from shared.deliveries.checks import owner_key_of
from shared.deliveries.feed import (
    ApplyContext,
    Disposition,
    JudgeContext,
    JudgedRow,
    Outcome,
    Verdict,
)
from shared.periods import Month

COLUMNS = Employer._fields


def judge_employers(records: Sequence[EmployerRecord], ctx: JudgeContext) -> list[Verdict]:
    """Each entry accepted as a row, or refused with every reason found."""
    last_on = Month.parse(ctx.delivery.period).last_on
    verdicts = []
    for record, problems in zip(records, employer_problems(records, ctx), strict=True):
        problems.not_after(record.enrolled_on, last_on, "/enrolled_on")
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        ownership = ctx.plan.ownership_of(record.reg_type)
        state = Employer(
            record.name,
            record.reg_type,
            record.industry,
            record.unit,
            record.enrolled_on,
            record.status,
            org_code_of(record),
            record.licence_no,
            owner_key_of(ctx.secrecy, owner_id=record.owner_id, tax_no=record.tax_no),
            ownership == "individual",
            record.in_township,
            ownership,
            ctx.plan.trade_of(record.industry),
        )
        verdicts.append(Verdict(record.agency_no, tuple(state)))
    return verdicts


async def apply_employers(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """The list's entries into ``register_employers``; see ``apply_insured_persons`` for what is
    a duplicate, a correction and a change. Records waiting for these employers are released."""
    outcome = Outcome()
    as_at = Month.parse(ctx.delivery.period).last_on
    await store.lock_register(ctx.conn)
    ledger = await EmployerLedger.open(ctx, {row.key for row in rows})
    for row in rows:
        after = Employer._make(row.row)
        before = ledger.current.get(row.key)
        if before is not None:
            if before.state == after:
                outcome.dispositions[row.no] = Disposition.DUPLICATE
                continue
            if ledger.is_behind(row.key, row.no):
                continue
        correction = ctx.restates or (before is not None and before.as_at == as_at)
        ledger.move(row.no, row.key, after, as_at, as_at=as_at, correction=correction)
    facts, released = await ledger.settle()
    outcome.facts += facts
    outcome.released |= released
    return outcome
