"""Rows of state as the API shows them. Pure."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from shared.money import yuan


def money(fen: int) -> dict[str, Any]:
    """A sum in fen, with yuan written beside it."""
    return {"fen": fen, "yuan": yuan(fen)}


def with_money(row: RowMapping) -> dict[str, Any]:
    """The row with every ``…_fen`` also as money under its name without the ending."""
    sums = {
        name.removesuffix("_fen"): money(value)
        for name, value in row.items()
        if name.endswith("_fen") and value is not None
    }
    return {**row, **sums}
