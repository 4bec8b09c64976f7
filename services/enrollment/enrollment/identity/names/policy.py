"""What each sign is worth in linking employers by name: the plan's points and thresholds. Pure.

Points are whole numbers; a pair's score lies between 0 and 1000. A city's plan may set each by a
dated parameter; where it names none, the points here count. They are this programme's own choice
(no rule gives any), made on labelled pairs, so that one sign alone never links what names leave
open: see docs/decisions/0027.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeAlias

from enrollment.identity.names.places import Places, places_of
from shared.plan import Plan

Signs: TypeAlias = tuple[int, ...]

LARGEST_BLOCK: Final = 60
"""Names that may share a blocking key before the key is too common to compare by."""


@dataclass(frozen=True, eq=False)
class NamePolicy:
    """The points and thresholds of one day, and the city's places."""

    places: Places
    link: int = 900
    """From this score on two employers are linked without a person."""
    ask: int = 600
    """From this score on a person is asked; below, they are two."""
    same_name: int = 960
    """The score of two equal names; everything else is added to it or taken off."""
    place: Signs = (-20, -80, -160, -260, -560)
    """The place is spelt otherwise; left out, the city's own; left out, another or inside the
    branch's part; a wider one; another one."""
    form: Signs = (-180, -260, -180, -300, -420)
    """有限公司 and 有限责任公司; two other forms of company; left out; company and other form;
    two other forms."""
    core: Signs = (-260, -260, -270, -170, -340, -460, -510)
    """One character that sounds alike; two characters swapped; a word of trade left out; leading
    words left out; one character left out; one other character; same brand, other trade."""
    no_brand: int = -200
    """A name that only tells the trade, without a place on both sides."""
    district: Signs = (60, -60)
    """From here on: agreed, differs."""
    address: Signs = (100, -60)
    legal_representative: Signs = (120, -100)
    founded: Signs = (80, -40)
    trade: Signs = (20, -30)
    registration: Signs = (10, -40)
    household: Signs = (-160, -220)
    """Two households, whose names repeat within a city; a household and a firm."""
    licence: Signs = (300, -250)
    org_code: Signs = (400, 0)
    largest_block: int = field(default=LARGEST_BLOCK)


_SINGLE: Final = {
    "link": "name-link-threshold",
    "ask": "name-ask-threshold",
    "same_name": "name-points-same-name",
    "no_brand": "name-points-no-brand",
}
_LISTS: Final = {
    "place": "name-points-place",
    "form": "name-points-form",
    "core": "name-points-core",
    "district": "name-points-district",
    "address": "name-points-address",
    "legal_representative": "name-points-legal-representative",
    "founded": "name-points-founded",
    "trade": "name-points-trade",
    "registration": "name-points-registration",
    "household": "name-points-household",
    "licence": "name-points-licence",
    "org_code": "name-points-org-code",
}


def policy_of(plan: Plan, on: date) -> NamePolicy:
    """The plan's points on a day, ours where it names none.

    Raises PlanLookupError for a parameter named but without a value on the day, ValueError for a
    list of the wrong length or thresholds out of order.
    """
    named = {parameter.name for parameter in plan.parameters}
    default = NamePolicy(places_of(plan))
    values: dict[str, int] = {
        field_name: plan.parameter(name, on).as_int()
        for field_name, name in _SINGLE.items()
        if name in named
    }
    lists: dict[str, Signs] = {
        field_name: plan.parameter(name, on).as_list()
        for field_name, name in _LISTS.items()
        if name in named
    }
    for field_name, points in lists.items():
        if len(points) != len(getattr(default, field_name)):
            raise ValueError(f"{_LISTS[field_name]} has {len(points)} points")
    policy = NamePolicy(default.places, **values, **lists)  # type: ignore[arg-type]
    if not 0 <= policy.ask <= policy.link <= 1000:
        raise ValueError("0 <= name-ask-threshold <= name-link-threshold <= 1000 does not hold")
    return policy
