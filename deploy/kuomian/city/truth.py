"""What is really so, kept apart from what is sent: the figures the product must arrive at."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

CITY = "210500"


class Truth:
    """Changes of each measure, by unit and effective date; persons or fen."""

    def __init__(self) -> None:
        self._changes: dict[tuple[str, str], dict[date, int]] = defaultdict(
            lambda: defaultdict(int)
        )

    def add(self, measure: str, unit: str, on: date, quantity: int) -> None:
        """Something took effect in a unit, and so in the city."""
        self._changes[measure, unit][on] += quantity
        self._changes[measure, CITY][on] += quantity

    def at(self, measure: str, unit: str, on: date) -> int:
        """The measure's value with everything effective up to and including ``on``."""
        changes = self._changes[measure, unit]
        return sum(quantity for effective, quantity in changes.items() if effective <= on)

    def person(self, unit: str, on: date, *, total: int = 0, active: int = 0) -> None:
        """Persons joining or leaving."""
        if total:
            self.add("insured-total", unit, on, total)
        if active:
            self.add("insured-active", unit, on, active)
