"""An audited base or a month reviewed becomes state and a fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from shared.deliveries.checks import Problems
from shared.deliveries.feed import Changed, JudgeContext, Verdict
from shared.events.tax_feed import BaseAudited, DeductionReviewed
from shared.periods import Month
from tax_feed.audits import models, rules
from tax_feed.audits.schemas import BaseAudit, DeductionReview
from tax_feed.dated import rate_on
from tax_feed.employers import employers_of
from tax_feed.rules import part_of
from tax_feed.stating import accepted, applier


def judge_audits(records: Sequence[BaseAudit], ctx: JudgeContext) -> list[Verdict]:
    """Each audit accepted, with the pooled part due by the rate in force at the end of the last
    month audited, or refused with every reason found."""
    employers = employers_of(records, ctx)
    verdicts = []
    for record, (key, org_code, problems) in zip(records, employers, strict=True):
        problems.unit(record.unit, "/unit", ctx)
        problems.not_after(record.audited_on, ctx.today, "/audited_on")
        if record.to_month < record.from_month:
            problems.add(
                "dates-out-of-order", "/to_month", value=record.to_month, limit=record.from_month
            )
        last_on = Month.parse(record.to_month).last_on
        _begun(problems, record.to_month, record.audited_on, "/to_month")
        declared = problems.fen(record.declared_base, "/declared_base")
        audited = problems.fen(record.audited_base, "/audited_base")
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        rate = rate_on(ctx.plan, "employer-pooled-rate", last_on)
        row = (
            key,
            org_code,
            record.name,
            record.unit,
            record.audited_on,
            record.from_month,
            record.to_month,
            declared,
            audited,
            str(rate),
            part_of(audited - declared, rate),
            record.cancelled,
        )
        verdicts.append(accepted(record.audit_no, row))
    return verdicts


def judge_reviews(records: Sequence[DeductionReview], ctx: JudgeContext) -> list[Verdict]:
    """Each month reviewed accepted, with what may be deducted, or refused with every reason."""
    employers = employers_of(records, ctx)
    verdicts = []
    for record, (key, org_code, problems) in zip(records, employers, strict=True):
        problems.unit(record.unit, "/unit", ctx)
        problems.not_after(record.reviewed_on, ctx.today, "/reviewed_on")
        _begun(problems, record.month, record.reviewed_on, "/month")
        accrued = problems.fen(record.accrued, "/accrued")
        paid = problems.fen(record.paid, "/paid")
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        taxable, contributing = record.taxable_headcount, record.contributing_headcount
        row = (
            key,
            org_code,
            record.name,
            record.unit,
            record.review_no,
            record.month,
            record.reviewed_on,
            taxable,
            contributing,
            rules.approved_headcount(taxable, contributing),
            accrued,
            paid,
            rules.not_deductible(accrued, paid),
        )
        verdicts.append(accepted(f"{record.review_no}|{record.month}", row))
    return verdicts


def _begun(problems: Problems, month: str, on: date, pointer: str) -> None:
    """Nobody audits or reviews a month that has not begun."""
    problems.not_after(Month.parse(month).first_on, on, pointer, "dates-out-of-order")


def _audit_fact(row: Mapping[str, Any], change: Changed, cause: dict[str, Any]) -> BaseAudited:
    counts = 0 if row["cancelled"] else 1
    return BaseAudited(
        **cause,
        subject=f"base-audit:{change.key}",
        audit_no=change.key,
        audited_on=row["audited_on"],
        from_month=row["from_month"],
        to_month=row["to_month"],
        declared_base_fen=row["declared_base_fen"] * counts,
        audited_base_fen=row["audited_base_fen"] * counts,
        rate=row["rate"],
        pooled_due_fen=row["pooled_due_fen"] * counts,
        cancelled=row["cancelled"],
    )


def _review_fact(
    row: Mapping[str, Any], change: Changed, cause: dict[str, Any]
) -> DeductionReviewed:
    return DeductionReviewed(
        **cause,
        subject=f"deduction:{row['review_no']}:{row['month']}",
        review_no=row["review_no"],
        reviewed_on=row["reviewed_on"],
        month=row["month"],
        taxable_headcount=row["taxable_headcount"],
        contributing_headcount=row["contributing_headcount"],
        approved_headcount=row["approved_headcount"],
        accrued_fen=row["accrued_fen"],
        paid_fen=row["paid_fen"],
        not_deductible_fen=row["not_deductible_fen"],
        withdrawn=change.ended,
    )


apply_audits = applier(models.base_audits, _audit_fact)
apply_reviews = applier(models.deduction_reviews, _review_fact)
