"""What may be read of money received and owed (O11, O41)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from tax_feed.collection import models, store, views
from tax_feed.collection.schemas import ArrearsPage, ReceiptPage
from tax_feed.listing import PREFIX, AskedDep, MonthAsked

router = APIRouter(prefix=PREFIX, tags=["money"])


@router.get("/receipts", response_model=ReceiptPage, summary="入库 · receipts")
async def list_receipts(
    asked: AskedDep,
    received_from: Annotated[
        date | None, Query(description="入库日期起(含) · received on or after")
    ] = None,
    received_to: Annotated[
        date | None, Query(description="入库日期止(含) · received on or before")
    ] = None,
    month_for: MonthAsked = None,
) -> dict[str, Any]:
    """In order of the day received and receipt number, cancelled ones among them."""
    return await asked.page_of(
        models.receipts,
        "received_on",
        views.receipt_view,
        equal={"month_for": month_for},
        conditions=store.received_between(received_from, received_to),
    )


@router.get("/arrears", response_model=ArrearsPage, summary="欠费余额 · arrears")
async def list_arrears(asked: AskedDep, month: MonthAsked = None) -> dict[str, Any]:
    """In order of month and employer key."""
    return await asked.page_of(models.arrears, "month", equal={"month": month})
