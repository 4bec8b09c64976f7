"""Months and dekads (旬): what a report is about, where it is cut, and when it falls due.

Three things that are easily taken for one are kept apart: the *period* (1–10, 11–20, 21–end),
the *cut-off* (what took effect up to that day counts) and the *due moment* (the report must be
here by then). Cut-off days and due days are plan parameters; the defaults are those of the 2008
plan (每月10日、20日、30日前). Standard library only, so that ``rules`` may import it.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Final, Literal, TypeAlias, overload
from zoneinfo import ZoneInfo

LOCAL: Final = ZoneInfo("Asia/Shanghai")
"""The time zone every calendar day of the product is meant in."""

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2999

PeriodKind: TypeAlias = Literal["month", "dekad", "day"]

_MONTH: Final = re.compile(r"([0-9]{4})-([0-9]{2})")
_DEKAD: Final = re.compile(r"([0-9]{4})-([0-9]{2})-D([1-3])")
_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


class PeriodError(ValueError):
    """A period that cannot be read or does not exist; the message names the expected form."""


@dataclass(frozen=True, slots=True)
class CutoffDays:
    """The days on which the three dekads of a month are cut (plan parameter).

    ``third`` falls on the month's last day where the month is shorter (February), and
    ``year_last`` replaces it in December, so that the year's last report covers the whole year.
    """

    first: int = 10
    second: int = 20
    third: int = 30
    year_last: int = 31

    def __post_init__(self) -> None:
        # second < 28 keeps every window non-empty even in February.
        ordered = 1 <= self.first < self.second < min(self.third, 28)
        if not (ordered and self.third <= self.year_last <= 31):
            raise PeriodError(
                "cut-off days must rise: 1 <= first < second < third <= year_last <= 31, "
                f"second before the 28th; got {self.first}, {self.second}, {self.third}, "
                f"{self.year_last}"
            )


CUTOFF_DAYS: Final = CutoffDays()


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A calendar month, written ``2008-06``. Ordered by time; years 1900 to 2999."""

    year: int
    month: int

    def __post_init__(self) -> None:
        _check_month(self.year, self.month)

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read ``2008-06``; anything else raises PeriodError."""
        found = _MONTH.fullmatch(text)
        if found is None:
            raise PeriodError(f'not a month: {text[:40]!r}; expected YYYY-MM, such as "2008-06"')
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, on: date) -> Month:
        """The month the day lies in."""
        return cls(on.year, on.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def first_on(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_on(self) -> date:
        return date(self.year, self.month, _length(self.year, self.month))

    def next(self) -> Month:
        """The following month; PeriodError after 2999-12."""
        return Month(self.year, self.month + 1) if self.month < 12 else Month(self.year + 1, 1)

    def previous(self) -> Month:
        """The month before; PeriodError before 1900-01."""
        return Month(self.year, self.month - 1) if self.month > 1 else Month(self.year - 1, 12)

    def dekads(self) -> tuple[Dekad, Dekad, Dekad]:
        """The month's three dekads in order."""
        return (
            Dekad(self.year, self.month, 1),
            Dekad(self.year, self.month, 2),
            Dekad(self.year, self.month, 3),
        )


@dataclass(frozen=True, order=True, slots=True)
class Dekad:
    """A third of a month (旬), written ``2008-06-D1``: nominally the 1st–10th, 11th–20th, 21st–end.

    The nominal range (``first_on`` to ``last_on``) names the period; what counts in its report
    is the ``window`` between two cut-offs, which may differ by a day at the month's end.
    """

    year: int
    month: int
    number: int

    def __post_init__(self) -> None:
        _check_month(self.year, self.month)
        if self.number not in (1, 2, 3):
            raise PeriodError(f"no dekad {self.number}: a month has D1, D2 and D3")

    @classmethod
    def parse(cls, text: str) -> Dekad:
        """Read ``2008-06-D1``; anything else raises PeriodError."""
        found = _DEKAD.fullmatch(text)
        if found is None:
            raise PeriodError(
                f'not a dekad: {text[:40]!r}; expected YYYY-MM-D1, D2 or D3, such as "2008-06-D1"'
            )
        return cls(int(found[1]), int(found[2]), int(found[3]))

    @classmethod
    def of(cls, on: date) -> Dekad:
        """The dekad whose nominal range holds the day: 31 May lies in 2008-05-D3."""
        return cls(on.year, on.month, min((on.day - 1) // 10 + 1, 3))

    @classmethod
    def counting(cls, on: date, cutoffs: CutoffDays = CUTOFF_DAYS) -> Dekad:
        """The dekad whose window holds the day: 31 May counts in 2008-06-D1."""
        found = cls.of(on)
        while on > found.cutoff_on(cutoffs):
            found = found.next()
        while on <= found.window(cutoffs)[0]:
            found = found.previous()
        return found

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}-D{self.number}"

    @property
    def in_month(self) -> Month:
        """The month the dekad is a third of."""
        return Month(self.year, self.month)

    @property
    def first_on(self) -> date:
        return date(self.year, self.month, (self.number - 1) * 10 + 1)

    @property
    def last_on(self) -> date:
        day = self.number * 10 if self.number < 3 else _length(self.year, self.month)
        return date(self.year, self.month, day)

    def next(self) -> Dekad:
        """The following dekad; PeriodError after 2999-12-D3."""
        if self.number < 3:
            return Dekad(self.year, self.month, self.number + 1)
        month = self.in_month.next()
        return Dekad(month.year, month.month, 1)

    def previous(self) -> Dekad:
        """The dekad before; PeriodError before 1900-01-D1."""
        if self.number > 1:
            return Dekad(self.year, self.month, self.number - 1)
        month = self.in_month.previous()
        return Dekad(month.year, month.month, 3)

    def cutoff_on(self, cutoffs: CutoffDays = CUTOFF_DAYS) -> date:
        """The last day that counts: the 10th, 20th, 30th; the last of February; 31 December."""
        if self.number < 3:
            day = cutoffs.first if self.number == 1 else cutoffs.second
        else:
            day = cutoffs.year_last if self.month == 12 else cutoffs.third
        return date(self.year, self.month, min(day, _length(self.year, self.month)))

    def window(self, cutoffs: CutoffDays = CUTOFF_DAYS) -> tuple[date, date]:
        """``(after_on, up_to_on)``: what took effect after the first and up to the second counts.

        Windows of successive dekads meet without gap or overlap (本旬 of the report form).
        """
        return self.previous().cutoff_on(cutoffs), self.cutoff_on(cutoffs)

    def due_on(self, cutoffs: CutoffDays = CUTOFF_DAYS, days_after: int = 0) -> date:
        """The day the report is due: the cut-off day itself unless the plan grants days after it.

        Weekends do not move it: the calendar day stands and lateness is marked.
        """
        return self.cutoff_on(cutoffs) + timedelta(days=days_after)

    def due_at(
        self, cutoffs: CutoffDays = CUTOFF_DAYS, days_after: int = 0, *, inclusive: bool = True
    ) -> datetime:
        """The due moment, aware UTC: 24:00 Asia/Shanghai of the due day.

        A receipt at exactly this moment is in time; only a later one is late. With
        ``inclusive=False`` "10日前" is read as before the 10th: 24:00 of the day before.
        """
        return due_moment(self.due_on(cutoffs, days_after), inclusive=inclusive)


Period: TypeAlias = Month | Dekad | date


@overload
def parse_period(text: str, kind: Literal["month"]) -> Month: ...
@overload
def parse_period(text: str, kind: Literal["dekad"]) -> Dekad: ...
@overload
def parse_period(text: str, kind: Literal["day"]) -> date: ...
@overload
def parse_period(text: str, kind: PeriodKind) -> Period: ...
def parse_period(text: str, kind: PeriodKind) -> Period:
    """Read a period of the kind; raises PeriodError naming the expected form."""
    if kind == "month":
        return Month.parse(text)
    if kind == "dekad":
        return Dekad.parse(text)
    found = _DAY.fullmatch(text)
    if found is None:
        raise PeriodError(f'not a day: {text[:40]!r}; expected YYYY-MM-DD, such as "2008-06-10"')
    _check_month(int(found[1]), int(found[2]))
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError as error:
        raise PeriodError(f"no such day: {text!r}; expected an existing YYYY-MM-DD") from error


def month_due_on(month: Month, day: int = 5) -> date:
    """The day a monthly feed without a stated day falls due: the 5th of the next month.

    The 5th is an assumption kept in the plan file (the plan names no day for O40, O51, O52).
    A day beyond the next month's end means its last day.
    """
    if not 1 <= day <= 31:
        raise PeriodError(f"no day {day} of a month: expected 1 to 31")
    after = month.next()
    return date(after.year, after.month, min(day, _length(after.year, after.month)))


def due_moment(on: date, *, inclusive: bool = True) -> datetime:
    """24:00 Asia/Shanghai of the day as aware UTC; its 0:00 when the day itself is not included."""
    ends = on + timedelta(days=1) if inclusive else on
    return datetime.combine(ends, time.min, tzinfo=LOCAL).astimezone(UTC)


def local_date(at: datetime) -> date:
    """The calendar day in Asia/Shanghai of an aware moment; ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError("a moment must carry its time zone")
    return at.astimezone(LOCAL).date()


def days_elapsed_share(on: date, start: date, end: date) -> Fraction:
    """Share of the days from start to end, both included, that have passed by the end of ``on``.

    序时进度: 2008-01-01 is 1/366 of 2008. Zero before the start, one from the end on.
    """
    if end < start:
        raise PeriodError(f"the span ends on {end} before it starts on {start}")
    total = (end - start).days + 1
    elapsed = (on - start).days + 1
    return Fraction(max(0, min(elapsed, total)), total)


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _check_month(year: int, month: int) -> None:
    if not (FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12):
        raise PeriodError(
            f"no such month: {year:04d}-{month:02d}; expected a year {FIRST_YEAR}-{LAST_YEAR} "
            "and a month 01-12"
        )
