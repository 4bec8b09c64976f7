"""Conditions on tax registrations."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, not_

from tax_feed.registrations.models import tax_registrations


def told(notified: bool | None, enrol_by_until: date | None) -> tuple[ColumnElement[bool], ...]:
    """Those that were told to enrol or were not, and those whose last day is reached by a day."""
    columns = tax_registrations.c
    found: list[ColumnElement[bool]] = []
    if notified is not None:
        missing = columns.notified_on.is_(None)
        found.append(not_(missing) if notified else missing)
    if enrol_by_until is not None:
        found.append(columns.enrol_by <= enrol_by_until)
    return tuple(found)
