"""How large the city is and how its parts compare, at any scale.

Sizes follow the plan's targets unit by unit, so that another plan file makes another city;
the rest are assumptions of the design's reference data (log-normal headcounts with median 9,
35 % of enterprises unenrolled, payment rate about 0.77, mean wage 22,000 yuan).
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.plan import Plan

ENTERPRISES = 11_000
HOUSEHOLDS = 50_000
UNENROLLED_ENTERPRISES = 0.35
ENROLLED_HOUSEHOLDS = 0.28
MEAN_WAGE_FEN = 2_200_000
"""Mean yearly wage 2007, fen."""
BASE_SHARE = 0.75
POOLED_RATE = 0.20
INDIVIDUAL_RATE = 0.08
PAYMENT_RATE = 0.80

GROUPS = {"L-BG": 12, "L-BT": 4}
"""The two steel companies: enterprises in each, all large, all enrolled."""

_OPENING_SHARE = {
    "210502": 0.957, "210503": 0.961, "210504": 0.953, "210505": 0.966, "210521": 0.951,
    "210522": 0.948, "L-BG": 0.981, "L-BT": 0.977, "L-KF": 0.925, "L-SJ": 0.958,
}  # fmt: skip
"""Opening register over duty target: what each unit starts the campaign with."""

_ACHIEVED = {
    "210502": 1.08, "210503": 0.78, "210504": 1.16, "210505": 0.57, "210521": 0.69,
    "210522": 0.93, "L-BG": 0.42, "L-BT": 0.55, "L-KF": 1.34, "L-SJ": 0.86,
}  # fmt: skip
"""Net gain reached by the end of November over the net gain the duty target requires."""

_HEADS = {
    "210502": 22, "210503": 14, "210504": 21, "210505": 6, "210521": 13, "210522": 13,
    "L-KF": 5, "L-SJ": 6,
}  # fmt: skip
"""Relative numbers of enterprises."""

COUNTY_PREFIXES = ("210502", "210503", "210504", "210505", "210521", "210522")
"""The six county prefixes made people's identity numbers start with."""


@dataclass(frozen=True)
class UnitShape:
    """One reporting unit of the made city; all counts are persons or organisations."""

    code: str
    name: str
    prefix: str
    active: int
    retired: int
    net_gain: int
    enterprises: int
    households: int


def unit_shapes(plan: Plan, scale: float) -> list[UnitShape]:
    """The units of the plan at a scale (1 = the whole city), in plan order."""
    heads = sum(_HEADS.get(unit.code, 8) for unit in plan.units if unit.code not in GROUPS)
    shapes = []
    for index, unit in enumerate(plan.units):
        total = plan.target("insured-total", unit.code).duty
        active = plan.target("insured-active", unit.code).duty
        opening = _OPENING_SHARE.get(unit.code, 0.955)
        opening_total = max(40, round(total * opening * scale))
        opening_active = max(30, round(active * opening * scale))
        share = _HEADS.get(unit.code, 8) / heads
        is_group = unit.code in GROUPS
        prefix = unit.code if unit.code in COUNTY_PREFIXES else COUNTY_PREFIXES[index % 6]
        shapes.append(
            UnitShape(
                code=unit.code,
                name=unit.zh,
                prefix=prefix,
                active=opening_active,
                retired=max(10, opening_total - opening_active),
                net_gain=round((total - total * opening) * _ACHIEVED.get(unit.code, 0.8) * scale),
                enterprises=GROUPS[unit.code]
                if is_group
                else max(6, round(ENTERPRISES * share * scale)),
                households=0 if is_group else max(12, round(HOUSEHOLDS * share * scale)),
            )
        )
    return shapes
