"""What holds since when: the states of one person or employer in the order of their first days.

Pure, and the one place that says how a state told out of order finds its place:

- what is told *from* a day on holds from then on; whatever was told before about later days gives
  way, as the register's own state does;
- told *instead* it is that, and the state that stood last never was: the same statement with
  another day;
- told *between* it holds until the next state that is known, and undoes nothing that comes after;
  where that corrects an earlier statement, what began on the day it gave never did.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import Enum
from itertools import pairwise
from typing import Final, NamedTuple

ACTIVE: Final = "active"
INTERRUPTED: Final = "interrupted"
RETIRED: Final = "retired"
LEFT: Final = "left"
TRANSFERRED_IN: Final = "transferred-in"
TRANSFERRED_OUT: Final = "transferred-out"

_KINDS = {
    "active": ACTIVE,
    "enrolled": ACTIVE,
    "suspended": INTERRUPTED,
    "retired": RETIRED,
    "ended": LEFT,
}


def spell_kind(status: str, entry: str | None) -> str:
    """What kind of spell a status is, by how it came about: ``active``, ``interrupted``,
    ``retired``, ``left``, ``transferred-in`` or ``transferred-out``."""
    if status == "active" and entry == "transfer-in":
        return TRANSFERRED_IN
    if status == "ended" and entry in ("transfer-out", "moved-out"):
        return TRANSFERRED_OUT
    return _KINDS[status]


class Told(Enum):
    """How a state relates to those told before."""

    FROM = "from"
    INSTEAD = "instead"
    BETWEEN = "between"


State = tuple[str | bool | None, ...]
"""Values of a spell in the order of its table; compared as a whole."""


class Since(NamedTuple):
    """A state and the first day it holds; it holds until the next one begins."""

    on: date
    state: State


class Step(NamedTuple):
    """One thing told about a subject."""

    told: Told
    on: date
    state: State
    instead_of: date | None = None
    """Told between: the day that was given for it before."""


class Span(NamedTuple):
    """A state from a day on, up to but not including another; None: with no end known."""

    from_on: date
    to_on: date | None
    state: State


Timeline = tuple[Since, ...]
"""In the order of the days, no day twice; the last state is the one that stands."""


def told(timeline: Timeline, step: Step) -> Timeline:
    """The timeline after one more thing was told."""
    since = Since(step.on, step.state)
    if step.told is Told.BETWEEN:
        # The last one stands: it is another statement's, whatever its day.
        kept = [one for one in timeline[:-1] if one.on != step.instead_of] + [*timeline[-1:]]
        return tuple(sorted([*(one for one in kept if one.on != step.on), since]))
    stands = timeline[:-1] if step.told is Told.INSTEAD else timeline
    return (*(one for one in stands if one.on < step.on), since)


def after(timeline: Timeline, steps: Iterable[Step]) -> Timeline:
    """The timeline after all of these, in the order they were told."""
    for step in steps:
        timeline = told(timeline, step)
    return timeline


def past(timeline: Timeline) -> list[Span]:
    """All spans but the last, which stands without end."""
    return [Span(one.on, following.on, one.state) for one, following in pairwise(timeline)]
