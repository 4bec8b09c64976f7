"""Conditions on headcounts."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, not_


def short_of(table: Table, found: bool | None) -> tuple[ColumnElement[bool], ...]:
    """Rows with fewer insured than taxed, or those without (O39, O40); None for all."""
    if found is None:
        return ()
    gap = table.c.insured_headcount < table.c.taxable_headcount
    return (gap if found else not_(gap),)
