"""Persons without wage as the API shows them. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping

from tax_feed.rules import formula
from tax_feed.views import with_money


def no_wage_view(row: RowMapping) -> dict[str, Any]:
    """A row of ``no_wage_persons``: both parts with how they were reckoned."""
    shown = {name: value for name, value in with_money(row).items() if name != "sealed"}
    return {
        **shown,
        "individual_formula": formula(row["base_fen"], Decimal(row["individual_rate"])),
        "employer_formula": formula(row["base_fen"], Decimal(row["employer_rate"])),
    }
