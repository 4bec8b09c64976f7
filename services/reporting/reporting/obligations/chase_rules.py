"""Who is reminded and who is chased, at what level. Pure; what was told before comes in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from reporting.obligations.rules import MISSED, Standing, State
from shared.plan import Chasing

Kind = Literal["reminder", "overdue"]


class Told(NamedTuple):
    """A notice given before."""

    revision: int
    standing: bool
    level: int | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice to give, give again, or take back; ``revision`` counts its states."""

    kind: Kind
    about: Standing
    revision: int
    standing: bool
    level: int | None
    """From 1; None for a reminder."""


def notices(
    standings: Sequence[Standing],
    told: Mapping[tuple[str, Kind], Told],
    now: datetime,
    chasing: Chasing,
) -> list[Notice]:
    """What has to be told now. With what this returns among ``told`` it returns nothing, however
    often it is asked at that moment.

    A reminder is given once, within its days before the due moment and only while nothing has
    come. A chase goes out once something is still missing its hours after; should it turn out to
    have come in time, or be excused, it is taken back, and stands again when that is undone.
    """
    levels = _levels(standings, len(chasing.levels.rows))
    before = timedelta(days=chasing.remind_days_before.value)
    after = timedelta(hours=chasing.chase_hours_after.value)
    found: list[Notice] = []
    for one in standings:
        owed = one.owed
        if (
            one.state in (State.NOT_DUE, State.DUE)
            and owed.due_at - before <= now
            and (owed.id, "reminder") not in told
        ):
            found.append(Notice("reminder", one, 1, True, None))
        had = told.get((owed.id, "overdue"))
        if had is None:
            if one.state is State.MISSING and now >= owed.due_at + after:
                found.append(Notice("overdue", one, 1, True, levels[owed.id]))
        elif had.standing != (one.state in MISSED):
            again = not had.standing
            found.append(Notice("overdue", one, had.revision + 1, again, had.level))
    return found


def _levels(standings: Iterable[Standing], highest: int) -> dict[str, int]:
    """Missed deadlines in a row, this one included, of whoever owes the feed; an excused one
    neither adds to the row nor ends it. At most ``highest``."""
    row: dict[tuple[str, str], int] = {}
    levels: dict[str, int] = {}
    for one in standings:  # in the order of due moments
        whose = (one.owed.feed, one.owed.ower)
        if one.state in MISSED:
            row[whose] = row.get(whose, 0) + 1
        elif one.state in (State.RECEIVED, State.NIL):
            row[whose] = 0
        levels[one.owed.id] = max(1, min(row.get(whose, 0), highest))
    return levels
