"""Writing a number the standard way, as an explicit step.

Feeds decide whether they forgive a notation, and compare the result with what was sent to say
so in the receipt. Only notation changes: no letter O becomes a 0, nothing is guessed.
"""

from __future__ import annotations

from typing import Final

from shared.identifiers.persons import check_identity_no, identity_18_from_15

# Full-width forms FF01–FF5E stand 0xFEE0 above ASCII; the ideographic space has its own place.
_HALF_WIDTH: Final = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def normalise_number(text: str) -> str:
    """Full-width to half-width, surrounding spaces off, upper case."""
    return text.translate(_HALF_WIDTH).strip(" \t").upper()


def normalise_org_code(text: str) -> str:
    """``normalise_number``, and the printed hyphen before the check character taken out."""
    number = normalise_number(text)
    return number[:8] + number[9] if len(number) == 10 and number[8] == "-" else number


def normalise_identity_no(text: str) -> str:
    """``normalise_number``, and a valid 15-digit form in its 18-digit form.

    Feeds of 2008 hold both forms for one person; keys and look-ups must see one.
    """
    number = normalise_number(text)
    if len(number) == 15 and check_identity_no(number) is None:
        return identity_18_from_15(number)
    return number
