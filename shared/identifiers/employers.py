"""Numbers of firms: organisation code, 18-character code, registration number, tax number.

The organisation code is the join key: it stands inside the 18-character code and behind the six
division digits of the tax number, which name only the first registering office.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from shared.identifiers.check_digits import org_code_check, reg_no_check, uscc_check
from shared.identifiers.divisions import (
    PROVINCES_EXPECTED,
    WHOLE_STATE,
    is_plausible_division,
)
from shared.identifiers.persons import check_identity_no, identity_18_from_15
from shared.identifiers.problem import Problem

USCC_AUTHORITIES: Final = frozenset("159Y" + "234678AN")
"""Registering authorities: 编制 民政 工商 other (GB 32100), and those of the later list."""

_USCC_BUSINESS_KINDS: Final = "1239"
"""Second character under authority 9: firm, individual household, cooperative, other."""

_ORG: Final = re.compile(r"[0-9A-Z]{8}[0-9X]")
_USCC: Final = re.compile(r"[0-9A-Y]{2}[0-9]{6}[0-9A-Y]{8}[0-9X][0-9A-Y]")
_USCC_FORBIDDEN: Final = re.compile(r"[IOSV]")
_DIGITS: Final = re.compile(r"[0-9]+")
_REG_TEXT: Final = re.compile(r"企[\u4e00-\u9fff]{1,10}字第[0-9]{4,8}号")
_KEYED_HASH: Final = re.compile(r"v[0-9]+-[a-z2-7]{26}")

_DIVISION: Final = Problem("division", PROVINCES_EXPECTED)


def check_org_code(value: str) -> Problem | None:
    """What is wrong with a nine-character organisation code (GB 11714), or None.

    The printed form with a hyphen is a matter for ``read``.
    """
    if len(value) != 9:
        return Problem("length", "9")
    if not _ORG.fullmatch(value):
        return Problem("characters", "0-9 A-Z ×8, 0-9 X")
    right = org_code_check(value[:8])
    return None if value[8] == right else Problem("check_digit", right)


def check_uscc(value: str, authorities: frozenset[str] = USCC_AUTHORITIES) -> Problem | None:
    """What is wrong with a unified social credit code (GB 32100), or None.

    Beyond length, alphabet and its own check character it judges authority and type, the
    province, and the organisation code inside (characters 9–17) by GB 11714.
    """
    if len(value) != 18:
        return Problem("length", "18")
    if not _USCC.fullmatch(value) or _USCC_FORBIDDEN.search(value):
        return Problem("characters", "0-9 A-Y without I O S V (3-8: 0-9)")
    if value[0] not in authorities or (value[0] == "9" and value[1] not in _USCC_BUSINESS_KINDS):
        return Problem("authority")
    if not is_plausible_division(value[2:8]) and value[2:8] != WHOLE_STATE:
        return _DIVISION
    right = uscc_check(value[:17])
    if value[17] != right:
        return Problem("check_digit", right)
    inner = org_code_check(value[8:16])
    return None if value[16] == inner else Problem("org_check_digit", inner)


def check_reg_no(value: str) -> Problem | None:
    """What is wrong with a business licence number, or None.

    15 digits are checked (GS 15-2006, ISO 7064 MOD 11,10); the 13 digits and the text form of
    foreign firms (企独辽本总字第000123号), still on most licences in 2008, have no check.
    """
    if not _DIGITS.fullmatch(value):
        return None if _REG_TEXT.fullmatch(value) else Problem("characters", "0-9")
    if len(value) == 13:
        return None
    if len(value) != 15:
        return Problem("length", "15 / 13")
    right = reg_no_check(value[:14])
    return None if value[14] == right else Problem("check_digit", right)


def check_tax_no(value: str, as_of: date | None = None) -> Problem | None:
    """What is wrong with a tax registration number (国税函〔2006〕820号), or None.

    15 characters: six division digits and an organisation code. 20 characters: the owner's
    identity number and 00 (18 digits) or 00000 (15 digits). 18 characters: the modern code that
    replaced it.
    """
    if len(value) == 15:
        return _check_employer_tax_no(value)
    if len(value) == 18:
        return check_uscc(value)
    if len(value) != 20:
        return Problem("length", "15 / 20 / 18")
    if not value.endswith("00"):
        return Problem("owner_suffix")
    problem = check_identity_no(value[:18], as_of)
    # An 18-digit number may itself end in 000, so the longer reading comes first.
    if problem is not None and value.endswith("00000"):
        return check_identity_no(value[:15], as_of)
    return problem


def org_code_from_tax_no(tax_no: str) -> str | None:
    """The organisation code in a tax number, or None when there is no valid one in it."""
    if len(tax_no) == 15 and _check_employer_tax_no(tax_no) is None:
        return tax_no[6:]
    return org_code_from_uscc(tax_no)


def org_code_from_uscc(uscc: str) -> str | None:
    """The organisation code in an 18-character code, or None when the code is not valid."""
    return uscc[8:17] if check_uscc(uscc) is None else None


def owner_identity_from_tax_no(tax_no: str) -> str | None:
    """The owner's identity number in a 20-character tax number, always in its 18-digit form.

    None for every other number. It is personal data: hash it or encrypt it at once.
    """
    if len(tax_no) != 20 or check_tax_no(tax_no) is not None:
        return None
    if check_identity_no(tax_no[:18]) is None:
        return tax_no[:18]
    return identity_18_from_15(tax_no[:15])


def employer_key(
    org_code: str | None = None,
    licence_no: str | None = None,
    owner_hash: str | None = None,
    record: str | None = None,
) -> str:
    """The key a feed's facts carry: the first known of ``oc:``, ``lic:``, ``own:``, ``rec:``.

    Numbers must be valid and normalised. ``owner_hash`` is ``Secrecy.keyed_hash`` of the owner's
    18-digit identity number; anything of another form raises ValueError, so that a bare identity
    number can never become a key. ValueError also when nothing is known.
    """
    if org_code:
        return f"oc:{org_code}"
    if licence_no:
        return f"lic:{licence_no}"
    if owner_hash:
        if not _KEYED_HASH.fullmatch(owner_hash):
            raise ValueError("an owner is keyed by the keyed hash of the identity number only")
        return f"own:{owner_hash}"
    if record:
        return f"rec:{record}"
    raise ValueError("an employer key needs an organisation code, licence, owner or record")


def _check_employer_tax_no(value: str) -> Problem | None:
    if not is_plausible_division(value[:6]):
        return _DIVISION
    problem = check_org_code(value[6:])
    if problem is not None and problem.code == "check_digit":
        return Problem("org_check_digit", problem.expected)
    return problem
