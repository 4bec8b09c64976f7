"""What freelancers pay on: floor and cap of the month's base (O79), and how it is rounded.

A month's mean wage is a twelfth of the year's. Floor and cap are worked out from the year's in one
step and rounded once: the floor up and the cap down to the whole fen, so that "not below" and "not
above" hold exactly. Contributions are rounded half up, each part by itself, month by month.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

from enrollment.policy.rules.case import Case, Rule
from enrollment.policy.rules.terms import Answer, Input
from shared.money import yuan

MEAN_WAGE: Final = "mean-wage-previous-year"
FLOOR: Final = "freelancer-base-floor-ratio"
CAP: Final = "base-cap-ratio"


class Bounds(NamedTuple):
    """Lowest and highest base of one month, in fen."""

    floor_fen: int
    cap_fen: int

    def base(self, declared_fen: int | None) -> tuple[int, str]:
        """The base that counts, and what made it: ``floor``, ``cap`` or ``declared``."""
        if declared_fen is None or declared_fen < self.floor_fen:
            return self.floor_fen, "floor"
        if declared_fen > self.cap_fen:
            return self.cap_fen, "cap"
        return declared_fen, "declared"


def find_bounds(case: Case, on: date) -> Bounds | None:
    """The bounds on a day; None, with what is lacking noted, where the plan does not say."""
    mean, floor, cap = (case.find(name, on) for name in (MEAN_WAGE, FLOOR, CAP))
    if mean is None or floor is None or cap is None:
        return None
    month = Fraction(mean.as_int(), 12)
    lowest, highest = month * Fraction(floor.as_decimal()), month * Fraction(cap.as_decimal())
    return Bounds(-(-lowest.numerator // lowest.denominator), int(highest))


_OUTCOMES: Final = {
    "accepted": ("基数合规", "the base stands"),
    "below-floor": ("低于下限", "below the floor"),
    "above-cap": ("高于上限", "above the cap"),
}
_BY_BASE: Final = {"declared": "accepted", "floor": "below-floor", "cap": "above-cap"}


def _freelancer_base(case: Case) -> Answer:
    bounds = find_bounds(case, case.on)
    (declared,) = case.need("declared_fen")
    if bounds is None:
        case.give_up()
    base, made_by = bounds.base(declared)
    outcome = _BY_BASE[made_by]
    zh, en = _OUTCOMES[outcome]
    low, high = yuan(bounds.floor_fen), yuan(bounds.cap_fen)
    return Answer(
        outcome,
        f"{zh}：月基数下限 {low} 元（进到分）、上限 {high} 元（舍到分），按 {yuan(base)} 元缴费",
        f"{en}: a month's floor is {low} yuan (rounded up to the fen), the cap {high} (down); "
        f"paid on {yuan(base)}",
        {
            "declared_fen": declared,
            "floor_fen": bounds.floor_fen,
            "cap_fen": bounds.cap_fen,
            "base_fen": base,
        },
    )


FREELANCER_BASE: Final = Rule(
    "freelancer-base",
    1,
    "自由职业者缴费基数",
    "Base of freelancers",
    ("O79",),
    (Input("declared_fen", "fen", "申报月缴费基数（分）", "declared base of a month, fen"),),
    _OUTCOMES,
    _freelancer_base,
    (MEAN_WAGE, FLOOR, CAP),
    bound=True,
)
