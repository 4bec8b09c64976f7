"""A receipt or an arrears stock becomes state and money facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.deliveries.feed import (
    ApplyContext,
    Changed,
    JudgeContext,
    JudgedRow,
    Outcome,
    Verdict,
)
from shared.deliveries.state import upsert_state
from shared.events.tax_feed import ArrearsRecorded, ArrearsSettled, ContributionCollected
from shared.periods import Dekad, Month
from tax_feed.collection import models, rules, store
from tax_feed.collection.schemas import ArrearsStock, Receipt
from tax_feed.employers import employers_of
from tax_feed.stating import accepted, applier


def judge_receipts(records: Sequence[Receipt], ctx: JudgeContext) -> list[Verdict]:
    """Each receipt accepted, or refused with every reason found."""
    cutoff_on = Dekad.parse(ctx.delivery.period).cutoff_on(ctx.plan.cutoffs)
    employers = employers_of(records, ctx)
    verdicts = []
    for record, (key, org_code, problems) in zip(records, employers, strict=True):
        problems.unit(record.collecting_unit, "/collecting_unit", ctx)
        problems.not_after(record.received_on, ctx.today, "/received_on")
        if rules.receipt_out_of_period(record.received_on, cutoff_on):
            problems.add(
                "period-mismatch",
                "/received_on",
                value=record.received_on.isoformat(),
                limit=ctx.delivery.period,
            )
        pooled = problems.fen(record.pooled, "/pooled")
        individual = problems.fen(record.individual, "/individual")
        cleared = problems.fen(record.of_which_arrears, "/of_which_arrears")
        if not problems and cleared > pooled:
            problems.add(
                "arrears-above-pooled",
                "/of_which_arrears",
                value=str(record.of_which_arrears),
                pooled=str(record.pooled),
            )
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        row = (
            key,
            org_code,
            record.name,
            record.collecting_unit,
            record.month_for,
            record.received_on,
            pooled,
            individual,
            cleared,
            record.payer_count,
            record.cancelled,
        )
        verdicts.append(accepted(record.receipt_no, row))
    return verdicts


def _receipt_fact(
    row: Mapping[str, Any], change: Changed, cause: dict[str, Any]
) -> ContributionCollected:
    """A cancelled receipt is the same subject with nothing received."""
    counts = 0 if row["cancelled"] else 1
    return ContributionCollected(
        **cause,
        subject=f"receipt:{change.key}",
        receipt_no=change.key,
        month_for=row["month_for"],
        received_on=row["received_on"],
        pooled_fen=row["pooled_fen"] * counts,
        individual_fen=row["individual_fen"] * counts,
        arrears_pooled_fen=row["arrears_pooled_fen"] * counts,
        payer_count=row["payer_count"] * counts,
    )


apply_receipts = applier(models.receipts, _receipt_fact)


def judge_arrears(records: Sequence[ArrearsStock], ctx: JudgeContext) -> list[Verdict]:
    """Each arrears stock accepted, or refused with every reason found."""
    employers = employers_of(records, ctx)
    verdicts = []
    for record, (key, org_code, problems) in zip(records, employers, strict=True):
        problems.unit(record.unit, "/unit", ctx)
        problems.period(record.month, "/month", ctx)
        balance = problems.fen(record.balance, "/balance")
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        row = (key, org_code, record.name, record.unit, record.month, balance)
        verdicts.append(accepted(f"{key}|{record.month}", row))
    return verdicts


async def apply_arrears(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Arrears stocks into ``arrears``; one fact for each month whose published state moved,
    the following months of a corrected one included."""
    outcome = Outcome()
    changes = await upsert_state(ctx, models.arrears, models.ARREARS_COLUMNS, rows, outcome)
    own = {change.key: change.no for change in changes}
    first: dict[str, int] = {}
    for change in changes:  # in record order
        first.setdefault(change.row[0], change.no)
    for state in await store.restate_arrears_chain(ctx.conn, sorted(first)):
        no = own.get(f"{state.employer_key}|{state.month}")
        fact = ArrearsRecorded if state.balance_fen else ArrearsSettled
        outcome.facts.append(
            fact(
                key=state.employer_key,
                subject=f"arrears:{state.employer_key}:{state.month}",
                revision=state.revision,
                delivery_id=ctx.delivery.id,
                record_no=no or first[state.employer_key],
                part="" if no else state.month,
                recorded_at=ctx.recorded_at,
                correction=state.revision > 1,
                unit=state.unit,
                org_code=state.org_code,
                month=state.month,
                as_at=Month.parse(state.month).last_on,
                balance_fen=state.balance_fen,
                carried_fen=state.carried_fen,
                carried_unit=state.carried_unit,
            )
        )
    outcome.facts.sort(key=lambda made: (made.record_no or 0, made.part))
    return outcome
