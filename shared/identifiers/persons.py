"""Identity numbers (公民身份号码, GB 11643-1999) and the 15-digit form of the first cards.

Our own check because the date of issue is unknown: a division may be younger than its bearer,
and a birth may not lie after the day of the check.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, Literal

from shared.identifiers.check_digits import identity_check
from shared.identifiers.divisions import PROVINCES, PROVINCES_EXPECTED, division_standing
from shared.identifiers.problem import CheckError, Problem

_DIGITS_18: Final = re.compile(r"[0-9]{17}[0-9X]")
_DIGITS_15: Final = re.compile(r"[0-9]{15}")

_LENGTH: Final = Problem("length", "18 / 15")
_CHARACTERS_18: Final = Problem("characters", "0-9 (18: 0-9 X)")
_CHARACTERS_15: Final = Problem("characters", "0-9")
_DIVISION: Final = Problem("division", PROVINCES_EXPECTED)
_DIVISION_NEVER: Final = Problem("division_never")
_BIRTH_DATE: Final = Problem("birth_date")
_FUTURE_BIRTH: Final = Problem("future_birth")


def check_identity_no(value: str, as_of: date | None = None) -> Problem | None:
    """What is wrong with an 18- or 15-digit identity number, or None.

    Births after ``as_of`` are refused when it is given; the day itself passes. A division is
    refused where not even its prefecture ever existed; of a county that no edition has there is
    only a note (``division_note``): refusing a person wrongly is worse than asking. Lower-case x
    is a matter for ``read``.
    """
    problem = identity_form_problem(value, as_of)
    if problem is None and division_standing(value[:6]) == "prefecture-unknown":
        return _DIVISION_NEVER
    return problem


def identity_form_problem(value: str, as_of: date | None = None) -> Problem | None:
    """``check_identity_no`` but for the division below the province: what may be a person's number
    and has to be hidden as one. Reads no editions."""
    problem = _check_shape(value)
    if problem is not None:
        return problem
    body = _body17(value)
    if body[:2] not in PROVINCES:
        return _DIVISION
    try:
        birth_on = date(int(body[6:10]), int(body[10:12]), int(body[12:14]))
    except ValueError:
        return _BIRTH_DATE
    if as_of is not None and birth_on > as_of:
        return _FUTURE_BIRTH
    right = identity_check(body)
    return None if len(value) == 15 or value[17] == right else Problem("check_digit", right)


def identity_18_from_15(value: str) -> str:
    """The 18-digit form: century 19 put in, check character appended. CheckError if invalid."""
    problem = check_identity_no(value) if len(value) == 15 else Problem("length", "15")
    if problem is not None:
        raise CheckError(problem)
    body = _body17(value)
    return body + identity_check(body)


def identity_birth_on(value: str) -> date:
    """The birth date in a valid number of either form; CheckError if there is none."""
    body = _body17(value)
    try:
        return date(int(body[6:10]), int(body[10:12]), int(body[12:14]))
    except ValueError as error:
        raise CheckError(_BIRTH_DATE) from error


def identity_sex(value: str) -> Literal["M", "F"]:
    """The sex in a valid number of either form: the sequence's last digit, odd for men."""
    return "M" if int(_body17(value)[16]) % 2 else "F"


def _check_shape(value: str) -> Problem | None:
    if len(value) == 18:
        return None if _DIGITS_18.fullmatch(value) else _CHARACTERS_18
    if len(value) == 15:
        return None if _DIGITS_15.fullmatch(value) else _CHARACTERS_15
    return _LENGTH


def _body17(value: str) -> str:
    """The number without its check character, the old form with its century put in."""
    return value[:17] if len(value) == 18 else value[:6] + "19" + value[6:]
