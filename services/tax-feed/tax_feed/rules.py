"""Decisions that several capabilities share. Pure: no IO, no clock, no framework."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from shared.money import yuan


def finds_unenrolled(taxable_headcount: int, insured_headcount: int) -> bool:
    """Whether an employer has nobody, or too few, insured (O39, O40)."""
    return insured_headcount < taxable_headcount


def part_of(base_fen: int, rate: Decimal) -> int:
    """The part of a base at a rate such as ``0.20``, in fen, half up (away from zero)."""
    exact = base_fen * Fraction(rate)
    magnitude = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return -magnitude if exact < 0 else magnitude


def formula(base_fen: int, rate: Decimal) -> str:
    """How a part was reckoned, as it is shown: ``1650.00 × 20% = 330.00`` (yuan)."""
    percent = format((rate * 100).normalize(), "f")
    return f"{yuan(base_fen)} × {percent}% = {yuan(part_of(base_fen, rate))}"
