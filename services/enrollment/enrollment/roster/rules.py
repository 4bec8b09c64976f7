"""When a visit is by someone who should have made it. Pure."""

from __future__ import annotations

from typing import Final

NOT_IN_ROSTER: Final = "not-in-roster"
OUTSIDE_DATES: Final = "outside-dates"
OTHER_STREET: Final = "other-street"

FINDINGS: Final = (NOT_IN_ROSTER, OUTSIDE_DATES, OTHER_STREET)
"""The enumerator's code stands in no roster of the unit; it did, but not on the day of the visit;
it did, for other streets only."""
