"""Pre-levies as the API shows them. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping

from tax_feed.prelevies.rules import stage_of
from tax_feed.rules import formula
from tax_feed.views import with_money


def pre_levy_view(row: RowMapping) -> dict[str, Any]:
    """A row of ``pre_levies`` with its stage and how the individual part was reckoned."""
    return {
        "individual": None,
        **with_money(row),
        "levy_no": row["natural_key"],
        "stage": stage_of(row["enrolled_on"], row["settled_on"], row["cancelled"]),
        "headcount_gap": row["taxable_headcount"] - row["insured_headcount"],
        "individual_formula": formula(row["base_fen"], Decimal(row["individual_rate"])),
    }
