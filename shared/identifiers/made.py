"""Numbers for made firms and persons (demo city, tests): valid by every check, nobody's own.

Made firms take organisation codes PDY00001–PDY99999, which GB 11714 keeps for private use; made
persons take sequence numbers 980–995, which are not normally issued.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from shared.identifiers.check_digits import (
    identity_check,
    org_code_check,
    reg_no_check,
    uscc_check,
)
from shared.identifiers.employers import check_uscc
from shared.identifiers.problem import CheckError, Problem

_BODY8: Final = re.compile(r"[0-9A-Z]{8}")
_DIGITS_6: Final = re.compile(r"[0-9]{6}")
_DIGITS_14: Final = re.compile(r"[0-9]{14}")


def make_org_code(body8: str) -> str:
    """The nine characters of an organisation code from its first eight: ``PDY00101`` + ``2``."""
    if not _BODY8.fullmatch(body8):
        raise CheckError(Problem("characters", "0-9 A-Z ×8"))
    return body8 + org_code_check(body8)


def make_uscc(division6: str, org_code: str, authority: str = "9", kind: str = "1") -> str:
    """A unified social credit code around a nine-character organisation code.

    CheckError where the parts make no valid code (an organisation code with I O Z S V has none).
    """
    body = authority + kind + division6 + org_code
    try:
        code = body + uscc_check(body)
    except (KeyError, ValueError) as error:
        raise CheckError(Problem("characters", "0-9 A-Y without I O S V")) from error
    problem = check_uscc(code)
    if problem is not None:
        raise CheckError(problem)
    return code


def make_reg_no(body14: str) -> str:
    """A 15-digit registration number from its first 14 digits (6 office + 8 sequence)."""
    if not _DIGITS_14.fullmatch(body14):
        raise CheckError(Problem("characters", "0-9 ×14"))
    return body14 + reg_no_check(body14)


def make_identity_no(division6: str, birth: date, seq3: int) -> str:
    """An 18-digit identity number; an odd sequence number (0–999) makes a man."""
    if not _DIGITS_6.fullmatch(division6) or not 0 <= seq3 <= 999:
        raise CheckError(Problem("characters", "0-9 ×6, 0-999"))
    body = f"{division6}{birth.year:04d}{birth.month:02d}{birth.day:02d}{seq3:03d}"
    return body + identity_check(body)
