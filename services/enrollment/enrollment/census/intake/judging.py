"""When a day of the census is one: for the judges of both feeds. Pure."""

from __future__ import annotations

from datetime import date

from shared.deliveries.checks import Problems
from shared.deliveries.feed import JudgeContext
from shared.periods import Dekad


def in_census(problems: Problems, on: date, last_on: date, pointer: str, ctx: JudgeContext) -> None:
    """The day lies within the census (O65), not after the delivery's period nor in the future."""
    calendar = ctx.plan.calendar
    first, last = calendar.census_from.value, calendar.census_to.value
    if not first <= on <= last:
        bounds = {"first": first.isoformat(), "last": last.isoformat()}
        problems.add("outside-census", pointer, value=on.isoformat(), **bounds)
    else:
        problems.not_after(on, last_on, pointer, "period-mismatch")
        problems.not_after(on, ctx.today, pointer)


def last_day(ctx: JudgeContext) -> date:
    """The last day that belongs to the delivery's dekad."""
    dekad = Dekad.parse(ctx.delivery.period)
    return max(dekad.last_on, dekad.cutoff_on(ctx.plan.cutoffs))
