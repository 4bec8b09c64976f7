"""Rows of counts become the progress of streets, units and all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from enrollment.frames.rules import visited_rate

_VISITS = (
    "frame",
    "visited",
    "refused",
    "counted_on_visits",
    "gone",
    "outside",
    "outside_visited",
)
_FOUND = ("found", "eligible", "able_to_pay", "eligible_able_to_pay")


def by_unit(
    visits: Iterable[Mapping[str, Any]],
    found: Iterable[Mapping[str, Any]],
    order: Sequence[str],
) -> dict[str, Any]:
    """Totals, and the same for each unit (in ``order``) and street (by name)."""
    streets: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    reasons: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in visits:
        streets[row["unit"], row["street"]].update({name: row[name] for name in _VISITS})
    for row in found:
        place = row["unit"], row["street"]
        streets[place].update({name: row[name] for name in _FOUND})
        reasons[place][row["reason"]] += row["found"]
    units = []
    for unit in order:
        places = sorted(place for place in streets if place[0] == unit)
        if places:
            own = [
                {**_shown(streets[place], reasons[place]), "street": place[1]} for place in places
            ]
            units.append({**_sum(own), "unit": unit, "streets": own})
    return {**_sum(units), "units": units}


def _sum(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for part in parts:
        counts.update({name: part[name] for name in (*_VISITS, *_FOUND)})
        reasons.update(part["by_reason"])
    return _shown(counts, reasons)


def _shown(counts: Counter[str], reasons: Counter[str]) -> dict[str, Any]:
    return {
        **{name: counts[name] for name in (*_VISITS, *_FOUND)},
        "visited_rate": visited_rate(counts["visited"], counts["frame"]),
        "by_reason": dict(sorted(reasons.items())),
    }
