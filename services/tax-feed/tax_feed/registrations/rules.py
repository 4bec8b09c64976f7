"""The clock a notice starts. Pure."""

from __future__ import annotations

from datetime import date, timedelta


def enrol_by(notified_on: date | None, limit_days: int) -> date | None:
    """The last day to enrol for who was told on a day (O38): so many days after it, none where
    nobody was told."""
    return None if notified_on is None else notified_on + timedelta(days=limit_days)
