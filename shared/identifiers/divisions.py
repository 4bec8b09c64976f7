"""Which first digits can name a place: provinces only.

Divisions below the province come and go (210502 dates from 1983, cards carry 210511 of 1983–84),
so a number is never refused for its county: any division that ever existed is valid.
"""

from __future__ import annotations

import re
from typing import Final

_RANGES: Final = (
    *(range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66)),
    *(range(71, 72), range(81, 84), range(91, 92)),
)
PROVINCES: Final = frozenset(str(number) for numbers in _RANGES for number in numbers)
"""GB/T 2260 provinces; 71 81 82 (83 on permits) Taiwan, Hong Kong, Macau; 91 abroad."""

PROVINCES_EXPECTED: Final = "11-65, 71, 81-83, 91"

_SIX: Final = re.compile(r"[0-9]{6}")


def is_plausible_division(code: str) -> bool:
    """Whether six digits begin with the number of a province."""
    return code[:2] in PROVINCES and _SIX.fullmatch(code) is not None
