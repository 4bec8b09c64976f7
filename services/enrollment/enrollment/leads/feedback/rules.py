"""What a record may have become, and which days a period holds. Pure."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

from shared.periods import Dekad, Month

Outcome = Literal["in-progress", "enrolled", "not-effective", "already-enrolled", "held", "no-lead"]
OUTCOMES: Final[tuple[Outcome, ...]] = (
    "in-progress",
    "enrolled",
    "not-effective",
    "already-enrolled",
    "held",
    "no-lead",
)
"""A standing lead that may be won; a lead the register closed; a lead the test rules out; in the
register by then; waiting for people to decide who the employer is; evidence of nothing missing, or
nothing any more."""


def days_of(period: str) -> tuple[date, date]:
    """First and last day of a month ``2008-06`` or dekad ``2008-06-D1``; PeriodError else."""
    held = Dekad.parse(period) if "-D" in period else Month.parse(period)
    return held.first_on, held.last_on
