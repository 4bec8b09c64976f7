"""Papers of persons who have no identity number: passports, travel permits, residence permits.

Their printed numbers carry no check character, so only the form is judged.

- Passport: up to nine letters and digits (ICAO 9303), some states' longer numbers up to twelve.
- Travel permit (港澳居民来往内地通行证, 台湾居民来往大陆通行证; who works is insured, order 26 of
  劳动和社会保障部, 2005): H or M and eight digits that stay for life, two more for the issue; of
  Taiwan eight digits, ten in older ones.
- Residence permit (外国人永久居留证 of 2004): the state's three letters and twelve digits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from shared.identifiers.problem import CheckError, Problem

IdentityKind: TypeAlias = Literal["identity-card", "passport", "travel-permit", "residence-permit"]
"""The paper a person is known by; its number stands in ``identity_no``."""
IDENTITY_CARD: Final = "identity-card"
"""The paper of whom no record says another."""
DocumentKind: TypeAlias = Literal["passport-no", "travel-permit-no", "residence-permit-no"]

_PASSPORT: Final = re.compile(r"(?=.*[0-9])[0-9A-Z]+")
_TRAVEL_PERMIT: Final = re.compile(r"[HM]?[0-9]+")
_RESIDENCE_PERMIT: Final = re.compile(r"[A-Z]{3}[0-9]{12}")
_COUNTRY: Final = re.compile(r"[A-Z]{3}")
_SHORTEST, _LONGEST = 5, 12
_OF_LIFE: Final = 9
"""H or M and eight digits; what follows is the issue's number."""


def check_passport_no(value: str) -> Problem | None:
    """What is wrong with a passport's number, or None."""
    if not _SHORTEST <= len(value) <= _LONGEST:
        return Problem("length", f"{_SHORTEST}-{_LONGEST}")
    return None if _PASSPORT.fullmatch(value) else Problem("characters", "0-9 A-Z")


def check_travel_permit_no(value: str) -> Problem | None:
    """What is wrong with the number of a travel permit of Hong Kong, Macau or Taiwan, or None."""
    lengths = (9, 11) if value[:1] in ("H", "M") else (8, 10)
    if len(value) not in lengths:
        return Problem("length", "9 / 11 (H M), 8 / 10")
    return None if _TRAVEL_PERMIT.fullmatch(value) else Problem("characters", "H M, 0-9")


def check_residence_permit_no(value: str) -> Problem | None:
    """What is wrong with the number of a foreigner's permanent residence permit, or None."""
    if len(value) != 15:
        return Problem("length", "15")
    return None if _RESIDENCE_PERMIT.fullmatch(value) else Problem("characters", "A-Z ×3, 0-9 ×12")


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


def person_key_text(kind: IdentityKind, number: str, country: str | None = None) -> str:
    """What a person is keyed by, to be hashed before it is kept, from a valid number in its normal
    form. An identity number stands for itself; a travel permit renewed is the same person's."""
    if kind == IDENTITY_CARD:
        return number
    if kind == "passport":
        return passport_key_text(country or "", number)
    if kind == "travel-permit" and number[0] in "HM":
        number = number[:_OF_LIFE]
    return f"{kind}:{number}"


NUMBER_OF: Final[Mapping[IdentityKind, Literal["identity-no"] | DocumentKind]] = {
    "identity-card": "identity-no",
    "passport": "passport-no",
    "travel-permit": "travel-permit-no",
    "residence-permit": "residence-permit-no",
}
"""Paper → the kind of its number."""
