"""What the census makes of a record: pure decisions, the plan's limits coming in as values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from enrollment.policy.rules.ages import OF_WORKING_AGE, POST_UNKNOWN, TOO_OLD, TOO_YOUNG
from shared.plan import Plan

ELIGIBLE: Final[Mapping[str, bool | None]] = {
    OF_WORKING_AGE: True,
    TOO_YOUNG: False,
    TOO_OLD: False,
    POST_UNKNOWN: None,
}
"""Finding → eligible by age; None where it cannot be told."""


def reference_day(plan: Plan, found_on: date) -> date:
    """The day ages are taken on: that of the finding, or the census's first day for everybody."""
    first_on = plan.calendar.census_from.value
    found = plan.parameter("age-at-census-on-day-found", first_on).as_flag()
    return found_on if found else first_on


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
