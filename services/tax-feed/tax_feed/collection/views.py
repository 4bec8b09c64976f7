"""Money as the API shows it. Pure."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from tax_feed.views import money, with_money


def receipt_view(row: RowMapping) -> dict[str, Any]:
    """A row of ``receipts``."""
    return {
        **with_money(row),
        "receipt_no": row["natural_key"],
        "of_which_arrears": money(row["arrears_pooled_fen"]),
    }
