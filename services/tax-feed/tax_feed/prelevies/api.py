"""What may be read of pre-levies (O46–O48)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from tax_feed.listing import PREFIX, AskedDep, MonthAsked
from tax_feed.prelevies import models, store, views
from tax_feed.prelevies.rules import Stage
from tax_feed.prelevies.schemas import PreLevyPage

router = APIRouter(prefix=PREFIX, tags=["pre-levies"])


@router.get(
    "/pre-levies", response_model=PreLevyPage, summary="先行征收名单 · the list of pre-levies"
)
async def list_pre_levies(
    asked: AskedDep,
    month: MonthAsked = None,
    stage: Annotated[Stage | None, Query(description="阶段 · stage")] = None,
) -> dict[str, Any]:
    """In order of month and number. ``stage=individual-due`` lists those that have enrolled and
    owe the individual part (O47)."""
    return await asked.page_of(
        models.pre_levies,
        "month",
        views.pre_levy_view,
        equal={"month": month},
        conditions=store.at_stage(stage),
    )
