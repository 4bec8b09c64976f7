"""The four check-digit sums, on characters already known to be admitted.

Each function takes the body without its check character and returns the right one; a character
outside the standard's alphabet raises KeyError, which callers rule out by shape beforehand.
"""

from __future__ import annotations

from typing import Final

DIGITS: Final = "0123456789"
LETTERS_AND_DIGITS: Final = DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100: digits and letters without I O Z S V."""

ORG_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
ORG_CHECKS: Final = "0X987654321"
"""By the weighted sum modulo 11: 11 − s, where 10 is X and 11 is 0."""
USCC_WEIGHTS: Final = tuple(pow(3, i, 31) for i in range(17))
USCC_CHECKS: Final = USCC_ALPHABET[0] + USCC_ALPHABET[:0:-1]
IDENTITY_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
IDENTITY_CHECKS: Final = "10X98765432"


def _products(alphabet: str, weights: tuple[int, ...], modulus: int) -> list[dict[str, int]]:
    """Per position what each character adds to the sum: one look-up instead of a product."""
    return [
        {char: value * weight % modulus for value, char in enumerate(alphabet)}
        for weight in weights
    ]


_ORG: Final = _products(LETTERS_AND_DIGITS, ORG_WEIGHTS, 11)
_USCC: Final = _products(USCC_ALPHABET, USCC_WEIGHTS, 31)
_IDENTITY: Final = _products(DIGITS, IDENTITY_WEIGHTS, 11)


def org_code_check(body8: str) -> str:
    """The ninth character of an organisation code (GB 11714)."""
    return ORG_CHECKS[sum([add[char] for add, char in zip(_ORG, body8, strict=True)]) % 11]


def uscc_check(body17: str) -> str:
    """The eighteenth character of a unified social credit code (GB 32100)."""
    return USCC_CHECKS[sum([add[char] for add, char in zip(_USCC, body17, strict=True)]) % 31]


def reg_no_check(body14: str) -> str:
    """The fifteenth digit of a registration number (GS 15-2006, ISO 7064 MOD 11,10)."""
    rest = 10
    for char in body14:
        rest = (rest + int(char)) % 10 or 10
        rest = rest * 2 % 11
    return DIGITS[(11 - rest) % 10]


def identity_check(body17: str) -> str:
    """The eighteenth character of an identity number (GB 11643, MOD 11-2)."""
    products = [add[char] for add, char in zip(_IDENTITY, body17, strict=True)]
    return IDENTITY_CHECKS[sum(products) % 11]
