"""One employer's ledger."""

from __future__ import annotations

from pydantic import BaseModel, Field

from tax_feed.collection.schemas import ArrearsView, ReceiptView
from tax_feed.headcounts.schemas import CheckView
from tax_feed.schemas import Money


class EmployerTotals(BaseModel):
    """Sums over all receipts of one employer that count, and the latest stocks."""

    receipt_count: int
    pooled: Money
    individual: Money
    of_which_arrears: Money
    arrears_month: str | None
    arrears: Money | None = Field(description="最近一月欠费余额 · balance of the latest month")
    taxable_headcount: int | None
    insured_headcount: int | None


class EmployerLedger(BaseModel):
    """All the office has said of one employer, newest first; ``complete`` is false where a list
    was cut (the totals never are)."""

    employer_key: str
    totals: EmployerTotals
    checks: list[CheckView]
    receipts: list[ReceiptView]
    arrears: list[ArrearsView]
    complete: bool
