"""What is owed and how it stands at a moment. Pure.

Lateness is judged by our receipt clock only: received exactly at the due moment is in time, and at
that moment nothing is missing yet. Early deliveries count for their period. Nothing is owed before
the plan was issued.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from shared.periods import due_moment, local_date
from shared.plan import Due, Ower, Plan

_MOMENT = timedelta(microseconds=1)


class State(StrEnum):
    """How one expected delivery stands; the first two before it came or was missed."""

    NOT_DUE = "not-due"
    DUE = "due"
    RECEIVED = "received"
    NIL = "nil"
    LATE = "late"
    MISSING = "missing"
    EXCUSED = "excused"


MISSED = frozenset({State.LATE, State.MISSING})
IN_TIME = frozenset({State.RECEIVED, State.NIL})


@dataclass(frozen=True, slots=True)
class Owed:
    """One expected delivery: of a feed, for a period, from a unit or else a department.

    ``opens_at``: from then on it is ``due``, the first moment of the day its period is cut off (of
    its due day where that is earlier), though not before the plan was issued.
    """

    feed: str
    department: str
    unit: str | None
    period: str
    cut_off_on: date
    opens_at: datetime
    due_at: datetime

    @property
    def ower(self) -> str:
        """The unit's code, else the department's."""
        return self.unit or self.department

    @property
    def id(self) -> str:
        """``receipts.tax.2008-06-D1``: no code and no period holds a dot."""
        return f"{self.feed}.{self.ower}.{self.period}"

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Where it stands in lists: by due moment, feed, and who owes it."""
        return self.due_at, self.feed, self.ower


def owed_until(plan: Plan, as_of: datetime) -> list[Owed]:
    """Everything whose period has begun by ``as_of``, in the order of lists; nothing before the
    day the plan was issued."""
    if as_of < due_moment(plan.issued_on, inclusive=False):
        return []
    found = [
        _owed(plan, feed.name, ower, due)
        for feed in plan.feeds
        for due in plan.due_for(feed.name, as_of, include_open=True)
        for ower in plan.owers(feed.name)
    ]
    return sorted(found, key=lambda owed: owed.order)


def _owed(plan: Plan, feed: str, ower: Ower, due: Due) -> Owed:
    opens_on = max(min(due.cut_off_on, due_day(due.due_at)), plan.issued_on)
    return Owed(
        feed,
        ower.department,
        ower.unit,
        str(due.period),
        due.cut_off_on,
        min(due_moment(opens_on, inclusive=False), due.due_at),
        due.due_at,
    )


def due_day(due_at: datetime) -> date:
    """The last calendar day on which it is still in time."""
    return local_date(due_at - _MOMENT)


class Came(NamedTuple):
    """What has come for one expected delivery: the first one, how many, and whether all said
    there is nothing."""

    received_at: datetime
    producer: str
    delivery: str
    deliveries: int
    all_nil: bool

    def and_also(self, other: Came) -> Came:
        """Both together; the earlier one is the first."""
        first = min(self, other, key=lambda came: (came.received_at, came.delivery))
        nil = self.all_nil and other.all_nil
        return first._replace(deliveries=self.deliveries + other.deliveries, all_nil=nil)


class Sender(NamedTuple):
    """Whose delivery it was, as its token said: ``unit`` only where that named exactly one."""

    department: str
    unit: str | None


Arrivals = Mapping[tuple[str, str], Mapping[Sender, Came]]
"""Feed and period → what came, by sender."""


def came_for(owed: Owed, arrivals: Arrivals, owers: Sequence[Ower]) -> Came | None:
    """What counts for it, of everything that came.

    A unit's: what came for that unit, and what a department that does not itself owe one sent for
    all units at once; a desk of several units is not for all. A department's: its own, or whatever
    came where nobody else owes the feed.
    """
    found: Came | None = None
    for sender, came in arrivals.get((owed.feed, owed.period), {}).items():
        if _counts(owed, sender, owers):
            found = came if found is None else found.and_also(came)
    return found


def _counts(owed: Owed, sender: Sender, owers: Sequence[Ower]) -> bool:
    if owed.unit is None:
        return len(owers) == 1 or sender.department == owed.department
    if sender.unit is not None:
        return sender.unit == owed.unit
    owing = {ower.department for ower in owers if ower.unit is None}
    return sender.department != "unit" and sender.department not in owing


def state_of(owed: Owed, as_of: datetime, came: Came | None, *, excused: bool) -> State:
    """How it stands at ``as_of``; what came later, or was excused later, is not told here.

    In time is in time, excused or not; an excuse stands before missing and before late.
    """
    if came is not None and came.received_at <= owed.due_at:
        return State.NIL if came.all_nil else State.RECEIVED
    if excused:
        return State.EXCUSED
    if came is not None:
        return State.LATE
    if as_of > owed.due_at:
        return State.MISSING
    return State.DUE if as_of >= owed.opens_at else State.NOT_DUE


def days_late(due_at: datetime, at: datetime) -> int:
    """Calendar days after the due day on which ``at`` lies; 0 when in time."""
    return (local_date(at) - due_day(due_at)).days if at > due_at else 0


@dataclass(frozen=True, slots=True)
class Standing:
    """One expected delivery and how it stands. ``reason`` and ``excuse`` are ids of marks."""

    owed: Owed
    state: State
    came: Came | None
    days_late: int
    reason: int | None = None
    excuse: int | None = None


def standing_of(
    owed: Owed,
    as_of: datetime,
    came: Came | None,
    reason: int | None = None,
    excuse: int | None = None,
) -> Standing:
    """State and lateness together; what is missing or excused is late up to ``as_of``."""
    state = state_of(owed, as_of, came, excused=excuse is not None)
    late = 0
    if state in MISSED or state is State.EXCUSED:
        late = days_late(owed.due_at, came.received_at if came else as_of)
    return Standing(owed, state, came, late, reason, excuse)


@dataclass(frozen=True, slots=True)
class Rates:
    """The five metrics of DHIS2's reporting rates, over what has fallen due and is not excused.

    A rate is an exact share; None where nothing was expected.
    """

    expected: int
    actual: int
    actual_on_time: int

    @property
    def reporting_rate(self) -> Fraction | None:
        """Completeness: received of expected."""
        return Fraction(self.actual, self.expected) if self.expected else None

    @property
    def reporting_rate_on_time(self) -> Fraction | None:
        """Received in time of expected."""
        return Fraction(self.actual_on_time, self.expected) if self.expected else None


def rates_of(standings: Iterable[Standing], as_of: datetime) -> Rates:
    """Of those whose due moment is over at ``as_of``; what is not due yet counts nowhere."""
    due = [one.state for one in standings if one.owed.due_at < as_of]
    expected = [state for state in due if state is not State.EXCUSED]
    return Rates(
        expected=len(expected),
        actual=sum(state in IN_TIME or state is State.LATE for state in expected),
        actual_on_time=sum(state in IN_TIME for state in expected),
    )
