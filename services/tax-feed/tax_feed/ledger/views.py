"""An employer's totals as the API shows them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping

from tax_feed.views import money


def totals_view(
    received: RowMapping,
    checks: Sequence[RowMapping],
    arrears: Sequence[RowMapping],
) -> dict[str, Any]:
    """Sums of an employer's receipts, and the newest of its checks and arrears (newest first)."""
    check = checks[0] if checks else None
    owed = arrears[0] if arrears else None
    return {
        "receipt_count": received["receipt_count"],
        "pooled": money(received["pooled_fen"]),
        "individual": money(received["individual_fen"]),
        "of_which_arrears": money(received["arrears_pooled_fen"]),
        "arrears_month": owed["month"] if owed else None,
        "arrears": money(owed["balance_fen"]) if owed else None,
        "taxable_headcount": check["taxable_headcount"] if check else None,
        "insured_headcount": check["insured_headcount"] if check else None,
    }
