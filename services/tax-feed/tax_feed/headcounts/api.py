"""What may be read of headcounts (O37, O39, O40, O45)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from tax_feed.headcounts import models, store, views
from tax_feed.headcounts.schemas import CheckPage, HeadcountPage, UnenrolledPage
from tax_feed.listing import PREFIX, AskedDep, MonthAsked

router = APIRouter(prefix=PREFIX, tags=["headcounts"])

FindingsOnly = Annotated[
    bool | None, Query(description="仅未参保或未全员参保 · only findings (O40)")
]


@router.get("/checks", response_model=CheckPage, summary="同征同查 · joint checks")
async def list_checks(
    asked: AskedDep, period: MonthAsked = None, unenrolled: FindingsOnly = None
) -> dict[str, Any]:
    """In order of period and employer key. ``unenrolled=true`` is the list of employers with
    nobody, or too few, insured (O40)."""
    table = models.employer_checks
    return await asked.page_of(
        table,
        "period",
        views.check_view,
        equal={"period": period},
        conditions=store.short_of(table, unenrolled),
    )


@router.get(
    "/unenrolled-employers",
    response_model=UnenrolledPage,
    summary="未参保单位反馈 · employers reported as unenrolled",
)
async def list_unenrolled_employers(
    asked: AskedDep,
    period: MonthAsked = None,
    cancelled: Annotated[
        bool | None, Query(description="false 仅现行有效 · false: only those that stand")
    ] = None,
) -> dict[str, Any]:
    """In order of period and employer key, those taken back among them (O40)."""
    return await asked.page_of(
        models.unenrolled_employers,
        "period",
        views.unenrolled_view,
        equal={"period": period, "cancelled": cancelled},
    )


@router.get(
    "/headcounts",
    response_model=HeadcountPage,
    summary="计税与缴费人数 · taxable and contributing headcounts",
)
async def list_headcounts(
    asked: AskedDep, period: MonthAsked = None, unenrolled: FindingsOnly = None
) -> dict[str, Any]:
    """In order of period and employer key, each with the headcount that may be deducted (O45)."""
    table = models.headcounts
    return await asked.page_of(
        table,
        "period",
        views.headcount_view,
        equal={"period": period},
        conditions=store.short_of(table, unenrolled),
    )
