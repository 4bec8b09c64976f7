"""What the census makes of a record: pure decisions, the plan's limits coming in as values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from shared.plan import Plan

OF_WORKING_AGE: Final = "of-working-age"
TOO_YOUNG: Final = "too-young"
TOO_OLD: Final = "too-old"
POST_UNKNOWN: Final = "post-unknown"

ELIGIBLE: Final[Mapping[str, bool | None]] = {
    OF_WORKING_AGE: True,
    TOO_YOUNG: False,
    TOO_OLD: False,
    POST_UNKNOWN: None,
}
"""Finding → eligible by age; None where it cannot be told."""


class AgeLimits(NamedTuple):
    """The plan's limits in full years on one day (O67)."""

    lower: int
    man: int
    woman_cadre: int
    woman_worker: int
    birthday_included: bool
    """Whether the birthday of the upper limit itself still counts."""


def age_limits(plan: Plan, on: date) -> AgeLimits:
    """The limits the plan has in force on a day. Raises PlanLookupError where it has none."""
    return AgeLimits(
        plan.parameter("age-lower", on).as_int(),
        plan.parameter("age-upper-man", on).as_int(),
        plan.parameter("age-upper-woman-cadre", on).as_int(),
        plan.parameter("age-upper-woman-worker", on).as_int(),
        plan.parameter("age-limit-birthday-included", on).as_flag(),
    )


def reference_day(plan: Plan, found_on: date) -> date:
    """The day ages are taken on: that of the finding, or the census's first day for everybody."""
    first_on = plan.calendar.census_from.value
    found = plan.parameter("age-at-census-on-day-found", first_on).as_flag()
    return found_on if found else first_on


def birthday(birth_on: date, years: int) -> date:
    """The day the years are full; of someone born on 29 February, 1 March in common years."""
    try:
        return birth_on.replace(year=birth_on.year + years)
    except ValueError:
        return date(birth_on.year + years, 3, 1)


def age_finding(birth_on: date, sex: str, post: str | None, on: date, limits: AgeLimits) -> str:
    """``of-working-age``, ``too-young``, ``too-old``, or ``post-unknown`` for a woman of whom
    only her post (``cadre`` or ``worker``) would tell. The lower limit's birthday counts."""
    if on < birthday(birth_on, limits.lower):
        return TOO_YOUNG
    if sex == "M":
        uppers = {limits.man}
    elif post is None:
        uppers = {limits.woman_cadre, limits.woman_worker}
    else:
        uppers = {limits.woman_cadre if post == "cadre" else limits.woman_worker}
    within = {_is_within(birth_on, upper, on, limits.birthday_included) for upper in uppers}
    if len(within) > 1:
        return POST_UNKNOWN
    return OF_WORKING_AGE if within.pop() else TOO_OLD


def _is_within(birth_on: date, upper: int, on: date, birthday_included: bool) -> bool:
    limit_on = birthday(birth_on, upper)
    return on < limit_on or (birthday_included and on == limit_on)


class Frame(NamedTuple):
    """An entry of the frame with its visit, as it is kept; the order of the table's columns."""

    unit: str
    frame_no: str
    street: str
    community: str | None
    kind: str
    name: str | None
    org_code: str | None
    licence_no: str | None
    void: bool
    visited_on: date | None
    visitor: str | None
    outcome: str | None
    persons_found: int
    uninsured_found: int
    visited: bool
    """Whether it counts as visited."""
    visit_delivery_id: str | None = None
    """The delivery that told the visit; no part of what the entry says."""


_VISIT: Final = ("visited_on", "visitor", "outcome", "persons_found", "uninsured_found")
_TOLD_BY: Final = "visit_delivery_id"
NO_VISIT: Final[Mapping[str, Any]] = {
    _TOLD_BY: None,
    **dict.fromkeys(_VISIT[:3]),
    **dict.fromkeys(_VISIT[3:], 0),
}
"""The columns of an entry nobody has been to."""


def with_visit(
    before: Frame | None, after: Frame, counting: Collection[str], told_by: str | None = None
) -> Frame:
    """The entry as it stands then, ``told_by`` that delivery: told again without a visit it keeps
    the visit known. It counts as visited when its outcome is one of ``counting`` and it is still
    in the frame."""
    if after.visited_on is not None:
        after = after._replace(visit_delivery_id=told_by)
    elif before is not None:
        kept: dict[str, Any] = {name: getattr(before, name) for name in (*_VISIT, _TOLD_BY)}
        after = after._replace(**kept)
    return after._replace(visited=after.outcome in counting and not after.void)


def corrects(before: Frame | None, after: Frame) -> bool:
    """Whether the visit told now takes the place of the one before: a later day is a further
    visit, the same or an earlier one was never true as it was told."""
    if before is None or before.visited_on is None or after.visited_on is None:
        return False
    return after.visited_on <= before.visited_on
