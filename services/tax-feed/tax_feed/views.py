"""Rows of state as the API shows them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping

from shared.money import yuan
from tax_feed.rules import finds_unenrolled


def money(fen: int) -> dict[str, Any]:
    """A sum in fen, with yuan written beside it."""
    return {"fen": fen, "yuan": yuan(fen)}


def check_view(row: RowMapping) -> dict[str, Any]:
    """A row of ``employer_checks``."""
    return {
        **row,
        "unenrolled": finds_unenrolled(row["taxable_headcount"], row["insured_headcount"]),
        "due": money(row["due_fen"]),
        "paid": money(row["paid_fen"]),
        "arrears": money(row["arrears_fen"]),
        "pre_levied": money(row["pre_levied_fen"]),
    }


def receipt_view(row: RowMapping) -> dict[str, Any]:
    """A row of ``receipts``."""
    return {
        **row,
        "receipt_no": row["natural_key"],
        "pooled": money(row["pooled_fen"]),
        "individual": money(row["individual_fen"]),
        "of_which_arrears": money(row["arrears_pooled_fen"]),
    }


def arrears_view(row: RowMapping) -> dict[str, Any]:
    """A row of ``arrears``."""
    return {**row, "balance": money(row["balance_fen"])}


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
