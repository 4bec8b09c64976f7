"""One employer as the tax office has told of it (O37–O41): by those who follow it up; each sees
the units its token covers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from shared.dependencies import SnapshotTx
from shared.problems import problem
from tax_feed.collection import models as money_models
from tax_feed.collection.store import receipt_totals
from tax_feed.collection.views import receipt_view
from tax_feed.headcounts import models as headcount_models
from tax_feed.headcounts.views import check_view
from tax_feed.ledger.schemas import EmployerLedger
from tax_feed.ledger.views import totals_view
from tax_feed.listing import PREFIX, Reader
from tax_feed.store import newest_of_employer
from tax_feed.views import with_money

MOST_ROWS = 500
"""Longest list of one kind in an employer's ledger."""

router = APIRouter(prefix=PREFIX, tags=["employers"])

_LISTS = (
    (headcount_models.employer_checks, "period"),
    (money_models.receipts, "received_on"),
    (money_models.arrears, "month"),
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
    checks, receipts, arrears = [
        await newest_of_employer(tx, table, by, key, caller.units, MOST_ROWS + 1)
        for table, by in _LISTS
    ]
    if not (checks or receipts or arrears):
        raise problem("not-found")
    received = await receipt_totals(tx, key, caller.units)
    return {
        "employer_key": key,
        "totals": totals_view(received, checks, arrears),
        "checks": [check_view(row) for row in checks[:MOST_ROWS]],
        "receipts": [receipt_view(row) for row in receipts[:MOST_ROWS]],
        "arrears": [with_money(row) for row in arrears[:MOST_ROWS]],
        "complete": max(len(checks), len(receipts), len(arrears)) <= MOST_ROWS,
    }
