"""Passport numbers of foreign persons, who have no identity number.

No standard gives them a check character outside the machine-readable zone, so only their form is
judged: up to nine letters and digits (ICAO 9303), some states' longer numbers up to twelve.
"""

from __future__ import annotations

import re
from typing import Final

from shared.identifiers.problem import CheckError, Problem

_NUMBER: Final = re.compile(r"(?=.*[0-9])[0-9A-Z]+")
_COUNTRY: Final = re.compile(r"[A-Z]{3}")
_SHORTEST, _LONGEST = 5, 12


def check_passport_no(value: str) -> Problem | None:
    """What is wrong with a passport's number, or None."""
    if not _SHORTEST <= len(value) <= _LONGEST:
        return Problem("length", f"{_SHORTEST}-{_LONGEST}")
    return None if _NUMBER.fullmatch(value) else Problem("characters", "0-9 A-Z")


def passport_key_text(country: str, number: str) -> str:
    """What a person known by passport is keyed by, to be hashed before it is kept:
    ``passport:KOR:M12345678``, the country as in ISO 3166 with three letters. Two states may issue
    one number. CheckError where either has not the form."""
    problem = check_passport_no(number)
    if problem is None and not _COUNTRY.fullmatch(country):
        problem = Problem("characters", "A-Z ×3")
    if problem is not None:
        raise CheckError(problem)
    return f"passport:{country}:{number}"
