"""When a feed's deliveries fall due: periods, cut-offs and due moments, from the plan's rules.

Pure: the moment of asking comes in as a value. Nothing falls due before a feed's first period,
and the last period is the one in which the campaign ends, unless the feed names an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from shared.periods import CutoffDays, Dekad, Month, Period, due_moment, local_date, month_due_on
from shared.plan.records import Feed, PlanCalendar


class Due(NamedTuple):
    """One expected delivery. ``due_at`` is aware UTC; received exactly then is in time."""

    period: Period
    cut_off_on: date
    due_at: datetime


def cutoffs_of(calendar: PlanCalendar) -> CutoffDays:
    """The plan's cut-off days; PeriodError where they do not rise."""
    first, second, third = calendar.dekad_cutoff_days.value
    return CutoffDays(first, second, third, calendar.year_last_cutoff_day.value)


def first_period(feed: Feed) -> Period | None:
    """The feed's first period, None where nothing ever falls due. PeriodError if unreadable."""
    return _parsed(feed, feed.first_period)


def last_period(feed: Feed) -> Period | None:
    """The feed's last period where it ends before the campaign, else None. PeriodError if
    unreadable."""
    return _parsed(feed, feed.last_period)


def begins_on(period: Period) -> date:
    """The first day of a period."""
    return period if isinstance(period, date) else period.first_on


def _parsed(feed: Feed, period: str | None) -> Period | None:
    if feed.period == "event" or period is None:
        return None
    if feed.period == "dekad":
        return Dekad.parse(period)
    if feed.period == "day":
        return date.fromisoformat(period)
    return Month.parse(period)


def due_of(feed: Feed, period: Period, calendar: PlanCalendar) -> Due:
    """Cut-off and due moment of one period of the feed.

    Raises ValueError where the rule does not suit the kind of period (``checks`` refuses such a
    plan file, so a loaded plan never does).
    """
    inclusive = calendar.due_inclusive.value
    cut_off_on, due_on = _cut_off_on(period, calendar), None
    match feed.due.kind, period:
        case "cut-off", Dekad():
            due_on = cut_off_on
        case "day-of-next-month", Month():
            due_on = month_due_on(period, feed.due.day or calendar.monthly_feed_due_day.value)
        case "day-of-same-month", Month():
            day = feed.due.day or calendar.monthly_feed_due_day.value
            due_on = month_due_on(period.previous(), day)
        case "next-day", date():
            due_on = period + timedelta(days=1)
        case "fixed", _:
            due_on = feed.due.due_on
    if due_on is None:
        raise ValueError(f"feed {feed.name}: no due rule {feed.due.kind} for a {feed.period}")
    return Due(period, cut_off_on, due_moment(due_on, inclusive=inclusive))


def dues_until(
    feed: Feed, as_of: datetime, campaign_to: date, calendar: PlanCalendar
) -> Iterator[Due]:
    """Every delivery of the feed whose period has begun by ``as_of``, oldest first."""
    last = last_period(feed)
    until = min(local_date(as_of), campaign_to, *(() if last is None else (begins_on(last),)))
    period = first_period(feed)
    while period is not None:
        if begins_on(period) > until:
            return
        yield due_of(feed, period, calendar)
        if feed.period == "once":
            return
        period = period + timedelta(days=1) if isinstance(period, date) else period.next()


def _cut_off_on(period: Period, calendar: PlanCalendar) -> date:
    if isinstance(period, Dekad):
        return period.cutoff_on(cutoffs_of(calendar))
    return period.last_on if isinstance(period, Month) else period
