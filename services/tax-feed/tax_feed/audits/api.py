"""What may be read of audits and reviews (O42, O44, O45)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from shared.dependencies import ReadTx
from shared.problems import problem
from tax_feed.audits import models, store, views
from tax_feed.audits.schemas import BaseAuditPage, DeductionAnswer, DeductionReviewPage
from tax_feed.listing import PREFIX, AskedDep, MonthAsked, Reader

router = APIRouter(prefix=PREFIX, tags=["audits"])


@router.get("/base-audits", response_model=BaseAuditPage, summary="缴费基数稽核 · audited bases")
async def list_base_audits(
    asked: AskedDep,
    to_month: MonthAsked = None,
    cancelled: Annotated[
        bool | None, Query(description="false 仅现行有效 · false: only those that stand")
    ] = None,
) -> dict[str, Any]:
    """In order of the day of the audit, those taken back among them (O42)."""
    return await asked.page_of(
        models.base_audits,
        "audited_on",
        views.audit_view,
        equal={"to_month": to_month, "cancelled": cancelled},
    )


@router.get(
    "/deduction-reviews",
    response_model=DeductionReviewPage,
    summary="税前列支审核 · reviews of deductions before tax",
)
async def list_deduction_reviews(
    asked: AskedDep,
    month: MonthAsked = None,
    refused: Annotated[
        bool | None, Query(description="true 仅有不予列支 · true: only with something refused")
    ] = None,
) -> dict[str, Any]:
    """Month by month, each with the approved headcount and what is not deductible (O44, O45)."""
    return await asked.page_of(
        models.deduction_reviews,
        "month",
        equal={"month": month},
        conditions=store.refused_only(refused),
    )


@router.get(
    "/deduction-reviews/{review_no}",
    response_model=DeductionAnswer,
    summary="一次审核的答复 · the answer of one review",
)
async def get_deduction_review(
    review_no: Annotated[str, Path(max_length=40, description="审核文书号 · review number")],
    caller: Reader,
    tx: ReadTx,
) -> dict[str, Any]:
    """Which months and sums may not be deducted, and for how many persons. 404 also for a review
    of another unit."""
    rows = await store.months_of(tx, review_no, caller.units)
    if not rows:
        raise problem("not-found")
    return views.answer_view(rows)
