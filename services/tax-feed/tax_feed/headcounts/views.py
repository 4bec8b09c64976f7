"""Headcounts as the API shows them. Pure."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from tax_feed.rules import finds_unenrolled
from tax_feed.views import with_money


def check_view(row: RowMapping) -> dict[str, Any]:
    """A row of ``employer_checks``."""
    return {**with_money(row), "unenrolled": _found(row)}


def unenrolled_view(row: RowMapping) -> dict[str, Any]:
    """A row of ``unenrolled_employers``."""
    missing = row["taxable_headcount"] - row["insured_headcount"]
    stands = not row["cancelled"]
    return {**row, "unenrolled": stands, "missing": missing if stands else 0}


def headcount_view(row: RowMapping) -> dict[str, Any]:
    """A row of ``headcounts``."""
    deductible = min(row["taxable_headcount"], row["insured_headcount"])
    return {**row, "unenrolled": _found(row), "deductible_headcount": deductible}


def _found(row: RowMapping) -> bool:
    return finds_unenrolled(row["taxable_headcount"], row["insured_headcount"])
