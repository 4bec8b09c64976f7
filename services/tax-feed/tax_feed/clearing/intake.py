"""An instalment of a clearing plan becomes state and a fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.deliveries.feed import (
    ApplyContext,
    Changed,
    Disposition,
    JudgeContext,
    JudgedRow,
    Outcome,
    RowProblem,
    Verdict,
)
from shared.events.tax_feed import ClearingInstalmentSet
from tax_feed.clearing import models, store
from tax_feed.clearing.schemas import ClearingInstalment
from tax_feed.employers import employers_of
from tax_feed.stating import accepted, applier


def judge_instalments(records: Sequence[ClearingInstalment], ctx: JudgeContext) -> list[Verdict]:
    """Each instalment accepted, or refused with every reason found."""
    employers = employers_of(records, ctx)
    verdicts = []
    for record, (key, org_code, problems) in zip(records, employers, strict=True):
        problems.unit(record.unit, "/unit", ctx)
        problems.not_after(record.agreed_on, ctx.today, "/agreed_on")
        if record.due_on < record.agreed_on:
            problems.add(
                "dates-out-of-order",
                "/due_on",
                value=record.due_on.isoformat(),
                limit=record.agreed_on.isoformat(),
            )
        problems.takes_effect(record.due_on, ctx.plan.campaign_to, "/due_on")
        amount = problems.fen(record.amount, "/amount", minimum=1)
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        row = (
            key,
            org_code,
            record.name,
            record.unit,
            record.plan_no,
            record.instalment_no,
            record.agreed_on,
            record.due_on,
            amount,
            record.cancelled,
        )
        verdicts.append(accepted(f"{record.plan_no}|{record.instalment_no}", row))
    return verdicts


async def apply_instalments(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Instalments into ``clearing_instalments``. One plan is one employer's: an instalment under
    the number of another's is rejected, or money would pay the wrong one's arrears."""
    owners = await store.owners_of(ctx.conn, {row.row[4] for row in rows})
    own: list[JudgedRow] = []
    foreign: list[JudgedRow] = []
    for row in rows:
        employer, plan_no = row.row[0], row.row[4]
        mine = owners.setdefault(plan_no, employer) == employer
        (own if mine else foreign).append(row)
    outcome = await _apply(ctx, own)
    for row in foreign:
        outcome.dispositions[row.no] = Disposition.REJECTED
        params = {"value": row.row[4]}
        outcome.problems[row.no] = (RowProblem("plan-of-another", "/plan_no", params),)
    return outcome


def _fact(row: Mapping[str, Any], _: Changed, cause: dict[str, Any]) -> ClearingInstalmentSet:
    return ClearingInstalmentSet(
        **cause,
        subject=f"instalment:{row['plan_no']}:{row['instalment_no']}",
        plan_no=row["plan_no"],
        instalment_no=row["instalment_no"],
        agreed_on=row["agreed_on"],
        due_on=row["due_on"],
        pooled_fen=0 if row["cancelled"] else row["amount_fen"],
        cancelled=row["cancelled"],
    )


_apply = applier(models.clearing_instalments, _fact)
