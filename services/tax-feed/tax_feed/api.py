"""What may be read of the tax office's word on employers (O37–O41): by the office itself and by
those who follow it up; each sees the units its token covers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.auth import Caller, allow
from shared.dependencies import ReadTx, SnapshotTx
from shared.paging import Page, PageDep
from shared.problems import problem
from tax_feed import models, store, views
from tax_feed.schemas import ArrearsPage, CheckPage, EmployerLedger, ReceiptPage

PREFIX = "/tax-feed/v1"
MOST_ROWS = 500
"""Longest list of one kind in an employer's ledger."""

router = APIRouter(prefix=PREFIX, tags=["tax"])

Reader = Annotated[
    Caller,
    allow("tax", "agency", "unit", "leading-group", "finance", "auditor", "operator"),
]
Month = Query(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="月份 · month, 2008-05")
UnitAsked = Annotated[str | None, Query(description="填报单位 · reporting unit")]
KeyAsked = Annotated[
    str | None, Query(max_length=80, description="单位键 · employer key, oc:… or own:…")
]


@router.get("/checks", response_model=CheckPage, summary="同征同查 · joint checks")
async def list_checks(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    period: Annotated[str | None, Month] = None,
    unit: UnitAsked = None,
    employer_key: KeyAsked = None,
    unenrolled: Annotated[
        bool | None, Query(description="仅未参保或未全员参保 · only findings (O40)")
    ] = None,
) -> dict[str, Any]:
    """In order of period and employer key. ``unenrolled=true`` is the list of employers with
    nobody, or too few, insured (O40)."""
    wanted = store.Wanted(
        equal={"period": period, "unit": _allowed(unit, caller), "employer_key": employer_key},
        units=caller.units,
        conditions=() if unenrolled is None else (store.unenrolled(unenrolled),),
    )
    rows = await _page(tx, models.employer_checks, wanted, page, str)
    return page.of(
        rows, lambda row: (row["period"], row["natural_key"]), request, response, views.check_view
    )


@router.get("/receipts", response_model=ReceiptPage, summary="入库 · receipts")
async def list_receipts(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    received_from: Annotated[
        date | None, Query(description="入库日期起(含) · received on or after")
    ] = None,
    received_to: Annotated[
        date | None, Query(description="入库日期止(含) · received on or before")
    ] = None,
    month_for: Annotated[str | None, Month] = None,
    unit: UnitAsked = None,
    employer_key: KeyAsked = None,
) -> dict[str, Any]:
    """In order of the day received and receipt number, cancelled ones among them."""
    wanted = store.Wanted(
        equal={
            "month_for": month_for,
            "unit": _allowed(unit, caller),
            "employer_key": employer_key,
        },
        units=caller.units,
        since=received_from,
        until=received_to,
    )
    rows = await _page(tx, models.receipts, wanted, page, _day)
    return page.of(
        rows,
        lambda row: (row["received_on"].isoformat(), row["natural_key"]),
        request,
        response,
        views.receipt_view,
    )


@router.get("/arrears", response_model=ArrearsPage, summary="欠费余额 · arrears")
async def list_arrears(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    month: Annotated[str | None, Month] = None,
    unit: UnitAsked = None,
    employer_key: KeyAsked = None,
) -> dict[str, Any]:
    """In order of month and employer key."""
    wanted = store.Wanted(
        equal={"month": month, "unit": _allowed(unit, caller), "employer_key": employer_key},
        units=caller.units,
    )
    rows = await _page(tx, models.arrears, wanted, page, str)
    return page.of(
        rows, lambda row: (row["month"], row["natural_key"]), request, response, views.arrears_view
    )


@router.get(
    "/employers/{key}",
    response_model=EmployerLedger,
    summary="地税所报的一户单位全貌 · all the office has said of one employer",
)
async def get_employer(
    key: Annotated[str, Path(max_length=80, description="单位键 · oc:…, lic:… or own:…")],
    caller: Reader,
    tx: SnapshotTx,
) -> dict[str, Any]:
    """Totals and the newest rows. 404 when nothing is known of the key in the caller's units."""
    found = {
        table.name: await store.newest_of_employer(tx, table, key, caller.units, MOST_ROWS + 1)
        for table in store.ORDER
    }
    if not any(found.values()):
        raise problem("not-found")
    checks, receipts, arrears = (
        found[table.name] for table in (models.employer_checks, models.receipts, models.arrears)
    )
    received = await store.receipt_totals(tx, key, caller.units)
    return {
        "employer_key": key,
        "totals": views.totals_view(received, checks, arrears),
        "checks": [views.check_view(row) for row in checks[:MOST_ROWS]],
        "receipts": [views.receipt_view(row) for row in receipts[:MOST_ROWS]],
        "arrears": [views.arrears_view(row) for row in arrears[:MOST_ROWS]],
        "complete": all(len(rows) <= MOST_ROWS for rows in found.values()),
    }


def _allowed(unit: str | None, caller: Caller) -> str | None:
    if unit is not None:
        caller.require_unit(unit)
    return unit


async def _page(
    tx: AsyncConnection,
    table: Table,
    wanted: store.Wanted,
    page: Page,
    read: Callable[[str], str | date],
) -> Any:
    """The rows of a page and one more; ``read`` makes the cursor's sort value what it was."""
    after = page.after(str, str)
    place = (read(after[0]), after[1]) if after else None
    return await store.list_states(tx, table, wanted, place, page.limit + 1)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise problem("cursor-invalid") from None
