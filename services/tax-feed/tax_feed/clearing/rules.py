"""Whether the instalments of a clearing plan were kept. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class Keeping(StrEnum):
    """How one instalment stands."""

    KEPT = "kept"
    LATE = "late"
    """Cleared after its day."""
    MISSED = "missed"
    """Its day is over and it is not cleared."""
    OPEN = "open"


class Planned(NamedTuple):
    """One instalment as agreed."""

    instalment_no: int
    due_on: date
    amount_fen: int


class Standing(NamedTuple):
    """One instalment against what has been cleared."""

    instalment_no: int
    due_on: date
    amount_fen: int
    due_by_then_fen: int
    """All instalments up to this one."""
    cleared_by_then_fen: int
    """What had been cleared by the end of its day (or by now, if that is earlier)."""
    keeping: Keeping
    cleared_on: date | None
    """The day all due by then was cleared."""


def standings(
    planned: Sequence[Planned], cleared: Sequence[tuple[date, int]], as_of: date
) -> list[Standing]:
    """Each instalment of a plan, in order of its day, at the end of ``as_of``.

    ``cleared``: days and fen of arrears cleared under the plan. Money pays the earliest
    instalment first, so an instalment is kept when all due up to it is cleared by its day.
    """
    money = sorted(one for one in cleared if one[0] <= as_of)
    found = []
    due = 0
    for one in sorted(planned, key=lambda one: (one.due_on, one.instalment_no)):
        due += one.amount_fen
        by_then = sum(fen for on, fen in money if on <= one.due_on)
        cleared_on = _reached(money, due)
        if cleared_on is not None:
            keeping = Keeping.KEPT if cleared_on <= one.due_on else Keeping.LATE
        else:
            keeping = Keeping.MISSED if one.due_on < as_of else Keeping.OPEN
        found.append(Standing(*one, due, by_then, keeping, cleared_on))
    return found


def _reached(money: Sequence[tuple[date, int]], due: int) -> date | None:
    total = 0
    for on, fen in money:
        total += fen
        if total >= due:
            return on
    return None
