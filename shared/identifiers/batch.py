"""The same checks over a whole batch, with numpy: about 0.2 µs a number instead of 2 µs.

The batch only sieves: a column-wise pass clears the numbers that are right, and every other one
goes to the single check, which alone says what is wrong. So both forms agree by construction,
and only the wrong numbers cost more. Kept apart from the checks so that rules stay light.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache, partial
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shared.identifiers import check_digits as sums
from shared.identifiers.divisions import PROVINCES_WITHOUT_DIVISIONS, known_divisions
from shared.identifiers.employers import (
    USCC_AUTHORITIES,
    check_org_code,
    check_reg_no,
    check_tax_no,
    check_uscc,
)
from shared.identifiers.persons import check_identity_no
from shared.identifiers.problem import Problem
from shared.identifiers.reading import Kind

_Bytes: TypeAlias = NDArray[np.uint8]
_Flags: TypeAlias = NDArray[np.bool_]
_Table: TypeAlias = NDArray[np.int16]


class _Right(Protocol):
    """Which columns of characters are right; nobody is born after ``latest``."""

    def __call__(self, chars: _Bytes, latest: int) -> _Flags: ...


_BAD: Final = 4096
"""Added for a character that cannot stand there; no honest sum reaches it."""


def org_code_problems(values: Sequence[str]) -> list[Problem | None]:
    """``check_org_code`` of each value."""
    return _judge(values, cleared("org-code", values), check_org_code)


def uscc_problems(values: Sequence[str]) -> list[Problem | None]:
    """``check_uscc`` of each value, with the standing list of authorities."""
    return _judge(values, cleared("uscc", values), check_uscc)


def reg_no_problems(values: Sequence[str]) -> list[Problem | None]:
    """``check_reg_no`` of each value; 13-digit and text forms take the slow way."""
    return _judge(values, _sieve(values, 15, _right_reg_nos), check_reg_no)


def identity_problems(values: Sequence[str], as_of: date | None = None) -> list[Problem | None]:
    """``check_identity_no`` of each value, 18- and 15-digit forms mixed."""
    clear = cleared("identity-no", values, as_of)
    if not clear.all():
        # The first cards' form: 19yymmdd, and no check character.
        first = [f"{v[:6]}19{v[6:]}" if len(v) == 15 else "" for v in values]
        latest = _day_number(as_of)
        clear = clear | _sieve(first, 17, lambda chars: _right_births(chars, latest))
    return _judge(values, clear, lambda value: check_identity_no(value, as_of))


def tax_no_problems(values: Sequence[str], as_of: date | None = None) -> list[Problem | None]:
    """``check_tax_no`` of each value, firms' and owners' numbers mixed."""
    clear = cleared("tax-no", values, as_of)
    return _judge(values, clear, lambda value: check_tax_no(value, as_of))


def cleared(kind: Kind, values: Sequence[str], as_of: date | None = None) -> _Flags:
    """Which values are right, in their normal form and with nothing to note: ``read`` gives them
    back as they are. Of the others only ``read`` can tell."""
    latest = _day_number(as_of)
    flags = np.zeros(len(values), np.bool_)
    for width, right in _SIEVES.get(kind, ()):
        if flags.all():
            break
        flags |= _sieve(values, width, partial(right, latest=latest))
    return flags


def org_code_check_batch(values: Sequence[str]) -> list[str | None]:
    """Per value None when right, the right check character where only that is wrong, else ""."""
    return [_right_character(problem) for problem in org_code_problems(values)]


def identity_check_batch(values: Sequence[str], as_of: date | None = None) -> list[str | None]:
    """Per value None when right, the right check character where only that is wrong, else ""."""
    return [_right_character(problem) for problem in identity_problems(values, as_of)]


def _right_character(problem: Problem | None) -> str | None:
    if problem is None:
        return None
    return problem.expected if problem.code == "check_digit" else ""


def _judge(
    values: Sequence[str], clear: _Flags, check: Callable[[str], Problem | None]
) -> list[Problem | None]:
    found: list[Problem | None] = [None] * len(values)
    for index in np.flatnonzero(~clear).tolist():
        found[index] = check(values[index])
    return found


def _sieve(values: Sequence[str], width: int, right: Callable[[_Bytes], _Flags]) -> _Flags:
    """Which values of the width pass; all other widths do not."""
    if not values:
        return np.zeros(0, np.bool_)
    if any(length != width for length in set(map(len, values))):
        values = [value if len(value) == width else "?" * width for value in values]
    # One byte a character: what is not ASCII becomes "?", which stands in no alphabet.
    flat = np.frombuffer("".join(values).encode("ascii", "replace"), np.uint8)
    # Columns laid out one after the other: each pass reads one.
    return right(np.ascontiguousarray(flat.reshape(len(values), width).T))


def _products(alphabets: Sequence[str], order: str, weights: Sequence[int], modulus: int) -> _Table:
    """Per position and byte what it adds to the sum, ``_BAD`` outside the position's alphabet."""
    table = np.full((len(weights), 256), _BAD, np.int16)
    for row, alphabet, weight in zip(table, alphabets, weights, strict=True):
        for char in alphabet:
            row[ord(char)] = order.index(char) * weight % modulus
    return table


def _total(table: _Table, chars: _Bytes) -> NDArray[np.int32]:
    total = np.zeros(chars.shape[1], np.int32)
    for row, column in zip(table, chars, strict=True):
        total += row[column]
    return total


def _letters(text: str) -> _Bytes:
    return np.frombuffer(text.encode("ascii"), np.uint8)


_ORG_PRODUCTS: Final = _products(
    [sums.LETTERS_AND_DIGITS] * 8, sums.LETTERS_AND_DIGITS, sums.ORG_WEIGHTS, 11
)
_ORG_CHECKS: Final = _letters(sums.ORG_CHECKS)
_USCC_PRODUCTS: Final = _products(
    [sums.USCC_ALPHABET] * 2 + [sums.DIGITS] * 6 + [sums.USCC_ALPHABET] * 8 + [sums.DIGITS + "X"],
    sums.USCC_ALPHABET,
    sums.USCC_WEIGHTS,
    31,
)
_USCC_CHECKS: Final = _letters(sums.USCC_CHECKS)
_IDENTITY_PRODUCTS: Final = _products([sums.DIGITS] * 17, sums.DIGITS, sums.IDENTITY_WEIGHTS, 11)
_IDENTITY_CHECKS: Final = _letters(sums.IDENTITY_CHECKS)


def _pairs(admitted: Sequence[str]) -> _Flags:
    """By first and second byte whether the pair is admitted."""
    table = np.zeros((256, 256), np.bool_)
    for pair in admitted:
        table[ord(pair[0]), ord(pair[1])] = True
    return table


_AUTHORITY_PAIRS: Final = _pairs(
    [
        authority + kind
        for authority in USCC_AUTHORITIES
        for kind in ("1239" if authority == "9" else sums.USCC_ALPHABET)
    ]
)


@cache
def _places() -> _Flags:
    """By six digits whether it is a division that ever existed; made when first asked for."""
    table = np.zeros(1_000_000, np.bool_)
    table[[int(code) for code in known_divisions()]] = True
    for province in PROVINCES_WITHOUT_DIVISIONS:
        table[int(province) * 10_000 : (int(province) + 1) * 10_000] = True
    return table


def _known_places(chars: _Bytes) -> _Flags:
    """Which six characters are such a division. What is not is left to the single check, which
    refuses it or has a note to make of it."""
    digits = chars - np.uint8(ord("0"))  # what lies below "0" wraps round to above 9
    code = np.zeros(chars.shape[1], np.int32)
    for column in digits:
        code = code * 10 + np.minimum(column, 9)
    known: _Flags = (digits <= 9).all(axis=0) & _places()[code]
    return known


def _register_steps() -> _Bytes:
    """ISO 7064 MOD 11,10 as a table: remainder (0 = broken) and byte to the next remainder."""
    table = np.zeros((11, 256), np.uint8)
    for rest in range(1, 11):
        for digit in range(10):
            table[rest, ord("0") + digit] = ((rest + digit) % 10 or 10) * 2 % 11
    return table


_REG_STEPS: Final = _register_steps()
_REG_CHECKS: Final = np.array(
    [0] + [ord("0") + (11 - rest) % 10 for rest in range(1, 11)], np.uint8
)
_MONTH_DAYS: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] + [0] * 87)


def _right_org_codes(chars: _Bytes) -> _Flags:
    total = _total(_ORG_PRODUCTS, chars[:8])
    right: _Flags = (total < _BAD) & (_ORG_CHECKS[total % 11] == chars[8])
    return right


def _right_tax_nos(chars: _Bytes) -> _Flags:
    right: _Flags = _known_places(chars[:6]) & _right_org_codes(chars[6:])
    return right


def _right_usccs(chars: _Bytes) -> _Flags:
    total = _total(_USCC_PRODUCTS, chars[:17])
    right: _Flags = (
        (total < _BAD)
        & (_USCC_CHECKS[total % 31] == chars[17])
        & _AUTHORITY_PAIRS[chars[0], chars[1]]
        & _known_places(chars[2:8])
        & _right_org_codes(chars[8:17])
    )
    return right


def _right_reg_nos(chars: _Bytes) -> _Flags:
    rest = np.full(chars.shape[1], 10, np.uint8)
    for column in chars[:14]:
        rest = _REG_STEPS[rest, column]
    right: _Flags = (rest > 0) & (_REG_CHECKS[rest] == chars[14])
    return right


def _right_identities(chars: _Bytes, latest: int) -> _Flags:
    total = _total(_IDENTITY_PRODUCTS, chars[:17])
    right: _Flags = _right_births(chars, latest) & (_IDENTITY_CHECKS[total % 11] == chars[17])
    return right


def _right_births(chars: _Bytes, latest: int) -> _Flags:
    """Digits, division and birth date of the 17 characters before the check character."""
    digits = chars[:17] - np.uint8(ord("0"))  # what lies below "0" wraps round to above 9
    well_formed = (digits <= 9).all(axis=0) & _known_places(chars[:6])
    parts = np.where(well_formed, digits[6:14], 0).astype(np.int32)
    year = parts[0] * 1000 + parts[1] * 100 + parts[2] * 10 + parts[3]
    month = parts[4] * 10 + parts[5]
    day = parts[6] * 10 + parts[7]
    leap = (month == 2) & (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    born = (year > 0) & (day > 0) & (day <= _MONTH_DAYS[month] + leap)
    right: _Flags = well_formed & born & (year * 10000 + month * 100 + day <= latest)
    return right


def _right_owners(chars: _Bytes, latest: int) -> _Flags:
    """A household's tax number: its owner's identity number and 00."""
    suffix = (chars[18] == ord("0")) & (chars[19] == ord("0"))
    right: _Flags = suffix & _right_identities(chars[:18], latest)
    return right


def _day_number(as_of: date | None) -> int:
    """yyyymmdd, or a day after all others."""
    return as_of.year * 10000 + as_of.month * 100 + as_of.day if as_of else 9999_12_31


def _without_day(right: Callable[[_Bytes], _Flags]) -> _Right:
    """For numbers that nobody's birth stands in."""
    return lambda chars, latest: right(chars)


_SIEVES: Final[Mapping[Kind, tuple[tuple[int, _Right], ...]]] = {
    "org-code": ((9, _without_day(_right_org_codes)),),
    "uscc": ((18, _without_day(_right_usccs)),),
    "licence-no": ((15, _without_day(_right_reg_nos)), (18, _without_day(_right_usccs))),
    "tax-no": (
        (15, _without_day(_right_tax_nos)),
        (20, _right_owners),
        (18, _without_day(_right_usccs)),
    ),
    "identity-no": ((18, _right_identities),),
}
"""Kind of number → its widths, and what clears numbers of each."""
