"""The rate of the census, and its days. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple

from shared.money import percent
from shared.periods import CutoffDays, Dekad

VISITED_RATE: Final = "census-visited-rate@1"
"""Definition: visited entries of the frame over entries of the frame, those taken out of it since
it was frozen included; in per cent with one decimal, half up; none without entries."""

VISITED_RATE_SHOWN: Final[Mapping[str, str]] = {
    "id": VISITED_RATE,
    "zh": "走访率 = 底册内已走访 ÷ 底册应走访(定版后撤销的仍计入分母)",
    "en": "visited of the frame ÷ the frame; what was taken out since it was frozen stays in it",
}

LIVE: Final[dict[str, Any]] = {"kind": "live", "version": None, "name": None, "frozen_at": None}
"""What progress is counted against until a frame is frozen: the frame as it stands."""

ADDED: Final = "added"
REMOVED: Final = "removed"
MOVED: Final = "moved"
CHANGED: Final = "changed"


def visited_rate(visited: int, frame: int) -> str | None:
    """By the definition ``VISITED_RATE``."""
    return percent(visited, frame)


class Step(NamedTuple):
    """Visits and findings of one day or dekad, and up to its end."""

    period: str
    last_on: date
    visited: int
    found: int
    visited_to_date: int
    found_to_date: int


def series(
    rows: Iterable[Mapping[str, Any]], by: Literal["day", "dekad"], cutoffs: CutoffDays
) -> Iterator[Step]:
    """Days or dekads on which something happened, in their order. ``rows``: ``on``, ``visited``
    and ``found``; a day after its month's last cut-off belongs to the next dekad, as in reports."""
    visited = found = 0

    def period(row: Mapping[str, Any]) -> tuple[date, str]:
        if by == "day":
            return row["on"], row["on"].isoformat()
        dekad = Dekad.counting(row["on"], cutoffs)
        return dekad.cutoff_on(cutoffs), str(dekad)

    for (last_on, name), same in groupby(sorted(rows, key=lambda row: row["on"]), period):
        days: Sequence[Mapping[str, Any]] = list(same)
        now = sum(day["visited"] for day in days), sum(day["found"] for day in days)
        visited, found = visited + now[0], found + now[1]
        yield Step(name, last_on, *now, visited, found)
