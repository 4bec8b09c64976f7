"""Money in whole fen, and how amounts and percentages are written on the forms.

Amounts travel as integer fen and are never floats. 万元 stands with two decimals and percentages
with one, half up (away from zero for negatives); an empty figure is "—" and differs from 0.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Final

FEN_PER_YUAN: Final = 100
FEN_PER_WAN: Final = 1_000_000

MAX_FEN: Final = 10**13
"""Largest amount read from outside (10^11 yuan, 千亿元): above any city's budget, and so far below
a bigint that half a million slips of the pen still add up in one."""

EMPTY: Final = "—"
"""What a form shows where there is no figure, as against a figure of 0."""

_PLAIN: Final = re.compile(r"(-?)([0-9]{1,19})(?:\.([0-9]{1,2}))?")


class MoneyError(ValueError):
    """An amount that cannot be taken to the fen exactly."""


def fen_from_yuan(value: str | Decimal | int) -> int:
    """Yuan to whole fen, exactly.

    Text must be a plain number such as ``125000``, ``-3.5`` or ``0.05``: no separators, spaces
    or exponents, for those are the sender's to settle. Raises MoneyError for more than two
    decimals (also zeros), what is not finite, beyond ±10^11 yuan, and for floats and booleans,
    which have already lost what was meant.
    """
    if isinstance(value, bool) or not isinstance(value, str | Decimal | int):
        raise MoneyError(f"an amount must be text, Decimal or int, not {type(value).__name__}")
    if isinstance(value, int):
        return _bounded(value * FEN_PER_YUAN)
    if isinstance(value, Decimal):
        # Nearly all are plain, and reading the digits costs a fifth of exact arithmetic.
        if _PLAIN.fullmatch(text := str(value)) is None:
            return _fen_from_decimal(value)
        value = text
    found = _PLAIN.fullmatch(value)
    if found is None:
        raise MoneyError(
            f"not an amount in yuan: {value[:40]!r}; expected digits with at most two decimals, "
            'such as "125000.00"'
        )
    sign, whole, decimals = found.groups()
    fen = int(whole) * FEN_PER_YUAN + int((decimals or "").ljust(2, "0"))
    return _bounded(-fen if sign else fen)


def yuan(fen: int) -> str:
    """Fen written in yuan with two decimals: ``12500000`` is ``"125000.00"``."""
    sign = "-" if fen < 0 else ""
    whole, decimals = divmod(abs(fen), FEN_PER_YUAN)
    return f"{sign}{whole}.{decimals:02d}"


def wan_yuan(fen: int) -> str:
    """Fen written in 万元 with two decimals, half up: ``12345678`` is ``"12.35"``."""
    return yuan(half_up(Fraction(fen * 100, FEN_PER_WAN)))


def percent(numerator: int | Fraction, denominator: int | Fraction) -> str | None:
    """The percentage with one decimal, half up; None when the denominator is 0 (shown "—")."""
    if denominator == 0:
        return None
    tenths = half_up(Fraction(numerator) * 1000 / denominator)
    whole, decimal = divmod(abs(tenths), 10)
    return f"{'-' if tenths < 0 else ''}{whole}.{decimal}"


def _fen_from_decimal(value: Decimal) -> int:
    if not value.is_finite():
        raise MoneyError(f"not a finite amount: {value}")
    if int(value.as_tuple().exponent) < -2:
        raise MoneyError(f"more than two decimals: {value}; an amount ends at the fen")
    if value.adjusted() > 18:  # before writing it out: 1E+999999 has a million digits
        raise MoneyError(f"too large an amount: {value} yuan")
    # Through Fraction, because Decimal arithmetic rounds to the caller's context.
    return _bounded(int(Fraction(value) * FEN_PER_YUAN))


def _bounded(fen: int) -> int:
    if abs(fen) > MAX_FEN:
        raise MoneyError(f"too large an amount: more than {MAX_FEN // FEN_PER_YUAN} yuan")
    return fen


def half_up(value: Fraction) -> int:
    """The nearest integer, halves away from zero."""
    magnitude = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return -magnitude if value < 0 else magnitude
