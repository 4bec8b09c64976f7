"""The effect a dry run would have had: keys, facts, and sums by unit before and after (F6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.deliveries.feed import Feed
from shared.deliveries.following import Removals, superseded_by
from shared.deliveries.store import DeliveryRow, effects
from shared.events import Fact

Sums = Mapping[str | None, Mapping[str, int]]
"""Unit (None: a department's own) → name → sum."""


class EffectSoFar:
    """What a dry run comes to, chunk by chunk; ``seen`` and ``measured`` in its savepoint."""

    def __init__(self, feed: Feed, before: Sums) -> None:
        self._standing = feed.standing
        self._before = before
        self._facts: Counter[str] = Counter()
        self._leads: Counter[str] = Counter()

    @classmethod
    async def begin(cls, conn: AsyncConnection, feed: Feed) -> EffectSoFar:
        """Before anything is applied."""
        return cls(feed, await effects.sums_by_unit(conn, feed.standing))

    def seen(self, facts: Iterable[Fact]) -> None:
        """Facts a chunk would publish."""
        for fact in facts:
            self._facts[fact.kind] += 1
            if fact.leads:
                self._leads[fact.leads] += 1

    async def measured(
        self, conn: AsyncConnection, row: DeliveryRow, removals: Removals | None
    ) -> dict[str, Any]:
        """The effect, with all chunks applied and not yet taken back."""
        effect: dict[str, Any] = {
            "facts": dict(sorted(self._facts.items())),
            "leads": dict(sorted(self._leads.items())),
            "unchanged_count": row.duplicate_count,
        }
        if self._standing is None:
            return effect
        new, corrected = await effects.touched(conn, self._standing, row)
        removed = removals.found_count if removals is not None and removals.confirmed else 0
        if superseded_by(row) is not None:
            removed += await effects.left_behind(conn, self._standing, row)
        return {
            **effect,
            "new_count": new,
            "corrected_count": corrected,
            "removed_count": removed,
            "figures": changed(self._before, await effects.sums_by_unit(conn, self._standing)),
        }


def changed(before: Sums, after: Sums) -> list[dict[str, Any]]:
    """One line per unit and sum that differ, in order. Removals are not in them: what becomes of
    those keys is found when they are removed."""
    lines: list[dict[str, Any]] = []
    for unit in sorted(before.keys() | after.keys(), key=lambda unit: unit or ""):
        was, now = before.get(unit, {}), after.get(unit, {})
        for name in sorted(was.keys() | now.keys()):
            if was.get(name, 0) != now.get(name, 0):
                old, new = was.get(name, 0), now.get(name, 0)
                lines.append({"unit": unit, "figure": name, "before": old, "after": new})
    return lines
