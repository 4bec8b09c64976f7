"""How progress is judged: named, versioned definitions over figures. Pure.

Shares are exact fractions; only ``shown`` rounds them (one decimal, half up, domain.md §6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from shared.money import percent
from shared.periods import Dekad, days_elapsed_share


@dataclass(frozen=True, slots=True)
class Definition:
    """A formula with the name and version it is quoted by."""

    name: str
    version: int
    zh: str
    en: str

    @property
    def id(self) -> str:
        return f"{self.name}@{self.version}"


COMPLETION: Final = Definition(
    "completion-of-target", 1, "完成率 = 累计 ÷ 任务", "cumulative ÷ target"
)
NET_GAIN: Final = Definition(
    "completion-of-net-gain",
    1,
    "净增完成率 = (累计 − 期初) ÷ (任务 − 期初)",
    "(cumulative − opening) ÷ (duty − opening)",
)
TIME_PROGRESS: Final = Definition(
    "time-progress", 1, "序时进度 = 已过天数 ÷ 全年天数", "days elapsed ÷ days of the year"
)
GAIN_PACE: Final = Definition(
    "net-gain-pace",
    1,
    "净增进度要求 = 期初日以来已过天数 ÷ 期初日至年末天数(基金即序时进度)",
    "days since the opening ÷ days from the opening to the end (time progress for money)",
)
AGAINST_PACE: Final = Definition(
    "points-against-pace",
    1,
    "快慢 = 净增完成率 − 净增进度要求(百分点)",
    "completion of net gain − net-gain pace, in percentage points",
)
NEEDED: Final = Definition(
    "needed-per-dekad",
    1,
    "每旬还需净增 = 差额 ÷ 剩余旬数(向上取整)",
    "shortfall ÷ dekads left, rounded up",
)
SHORTFALL: Final = Definition(
    "shortfall", 1, "差额 = 任务 − 累计,不小于 0", "duty − cumulative, not below 0"
)
PROJECTION: Final = Definition(
    "linear-projection",
    1,
    "年末预计 = 期初 + 净增 ÷ 净增进度要求",
    "opening + net gain ÷ net-gain pace: as fast as so far until the end",
)
RANK: Final = Definition(
    "rank-by-completion",
    1,
    "位次按完成率由高到低,相同者并列",
    "by completion of the duty target, highest first, ties share a place",
)

DEFINITIONS: Final = (
    COMPLETION,
    NET_GAIN,
    TIME_PROGRESS,
    GAIN_PACE,
    AGAINST_PACE,
    NEEDED,
    SHORTFALL,
    PROJECTION,
    RANK,
)


def completion(now: int, target: int | None) -> Fraction | None:
    """Share of the target reached; None without a target."""
    return Fraction(now, target) if target else None


def net_gain_completion(opening: int, now: int, target: int | None) -> Fraction | None:
    """Share of the required net gain reached; None where no gain is required."""
    if target is None or target <= opening:
        return None
    return Fraction(now - opening, target - opening)


def time_progress(on: date, first_on: date, last_on: date) -> Fraction:
    """序时进度 by the end of the day; 2008 has 366 days."""
    return days_elapsed_share(on, first_on, last_on)


def gain_pace(on: date, opening_on: date, last_on: date) -> Fraction:
    """Share of the net gain due by the end of the day when it grows evenly from the opening."""
    span = (last_on - opening_on).days
    return Fraction(max(0, min((on - opening_on).days, span)), span) if span > 0 else Fraction(1)


def against_pace(gained: Fraction | None, pace: Fraction) -> Fraction | None:
    """How far ahead of the pace (negative: behind), as a share."""
    return None if gained is None else gained - pace


def shortfall(now: int, duty: int | None) -> int | None:
    """What is missing of the duty target, never negative."""
    return None if duty is None else max(0, duty - now)


def dekads_left(period: Dekad, last_on: date, *, still_open: bool) -> int:
    """Dekads in which something can still be gained, the period itself while it is open."""
    last, left = Dekad.of(last_on), int(still_open)
    while period < last:
        period = period.next()
        left += 1
    return left


def needed_per_dekad(missing: int | None, left: int) -> int | None:
    """Net gain needed in each dekad left, rounded up; None where none is left or no target is."""
    if missing is None:
        return None
    if missing == 0:
        return 0
    return -(-missing // left) if left > 0 else None


def projected(opening: int, now: int, pace: Fraction) -> int | None:
    """Where the year ends at the average speed so far; None on the opening day itself."""
    return opening + round((now - opening) / pace) if pace > 0 else None


def ranks(shares: Sequence[Fraction | None]) -> list[int | None]:
    """Places by share, highest first; equal shares share a place and the next ones are skipped."""
    known = [share for share in shares if share is not None]
    return [
        None if share is None else 1 + sum(other > share for other in known) for share in shares
    ]


def shown(share: Fraction | None) -> str | None:
    """A share in percent with one decimal, half up: ``"81.4"``; None stands for "—"."""
    return None if share is None else percent(share, 1)
