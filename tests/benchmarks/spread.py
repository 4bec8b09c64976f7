"""The arithmetic of rounds: medians with spread, and ratios taken inside one round. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Spread:
    """The median of some values with the lowest and the highest of them."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Raises ValueError without values."""
        if not values:
            raise ValueError("no values")
        return cls(float(median(values)), float(min(values)), float(max(values)))


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """``above`` over ``below``, round by round: only values of the same round are compared.

    Raises ValueError when the rounds differ in number or a divisor is not positive.
    """
    if any(value <= 0 for value in below):
        raise ValueError("a rate that is not positive")
    return [one / other for one, other in zip(above, below, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0–1) of all values do not exceed.

    Raises ValueError without values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def rotated(items: Sequence[T], by: int) -> list[T]:
    """The items in order, beginning with another one each time ``by`` grows by one."""
    if not items:
        return []
    first = by % len(items)
    return [*items[first:], *items[:first]]
