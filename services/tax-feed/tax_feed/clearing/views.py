"""Clearing plans as the API shows them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import RowMapping

from tax_feed.clearing.rules import Standing
from tax_feed.views import money, with_money


def plan_view(row: RowMapping, as_of: date) -> dict[str, Any]:
    """A plan as ``store.list_plans`` gives it."""
    behind = max(0, row["due_fen"] - row["cleared_fen"])
    return {
        **with_money(row),
        "behind": money(behind),
        "in_default": behind > 0,
        "as_of": as_of,
    }


def instalments_view(found: Sequence[Standing]) -> list[dict[str, Any]]:
    """A plan's instalments against what was cleared."""
    return [
        {
            "instalment_no": one.instalment_no,
            "due_on": one.due_on,
            "amount": money(one.amount_fen),
            "due_by_then": money(one.due_by_then_fen),
            "cleared_by_then": money(one.cleared_by_then_fen),
            "keeping": one.keeping,
            "cleared_on": one.cleared_on,
        }
        for one in found
    ]
