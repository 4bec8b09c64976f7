"""Firms of which the registry and the other offices share no number: only the name tells.

The licence of such a firm states no organisation code and its code certificate no licence number,
and the registry writes the name in its own way. Beside them stand firms that only look like one:
branches, and numbers that differ by a digit. What is one firm and what is two is in the made
numbers themselves: an organisation code and a licence number of one firm hold the same count.
"""

from __future__ import annotations

import re

from kuomian.city.numbers import org_code
from kuomian.city.shape import GROUPS

_EVERY, _AT = 10, 4
_BRANCH_EVERY, _BRANCH_AT = 40, 9
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
_OLD = str.maketrans(
    {"饮": "飲", "运": "運", "输": "輸", "机": "機", "业": "業", "号": "號", "务": "務"}
)
_DIGITS = "〇一二三四五六七八九"
_COUNTED = re.compile(r"(\d+)号")
_CODE = re.compile(r"oc:PDY(\d{5})[0-9X]")
_LICENCE = re.compile(r"lic:\d{6}2(\d{7})\d")
_SECOND_CODES, _WINDOWS = 50_000, 99_000
"""Where the counts of second codes begin, and those of agency windows."""
WAYS = (
    ("本溪 → 本溪市", "place written in full"),
    ("全角数字", "full-width digits"),
    ("名称中有空格", "a space in the name"),
    ("繁体字", "traditional characters"),
    ("加注（筹）", "a status word added"),
    ("汉字数字", "numbers in characters"),
    ("前冠省名", "the province before it"),
    ("有限公司 → 有限责任公司", "form written otherwise"),
    ("同名", "the same name"),
)
"""How the registry writes names, in the order of ``as_the_registry_writes``."""


def stands_apart(number: int, unit: str) -> bool:
    """Whether the firm of this number is one of them."""
    return unit not in GROUPS and has_no_shared_number(number)


def has_no_shared_number(number: int) -> bool:
    """The same, of a firm that is not of the steel companies."""
    return number % _EVERY == _AT


def is_branch(number: int, unit: str) -> bool:
    """Whether it is a branch (分公司) of the firm made before it, and named so."""
    return unit not in GROUPS and number % _BRANCH_EVERY == _BRANCH_AT


def way_of(number: int) -> int:
    """Which of ``WAYS`` the registry writes the name of a firm that stands apart."""
    return number // _EVERY % len(WAYS)


def second_code_of(number: int) -> str:
    """The other organisation code of the firm of this number, where it has two."""
    return org_code(_SECOND_CODES + number)


def is_second_code(key: str) -> bool:
    """Whether a feed key is the second organisation code of a firm."""
    found = _CODE.fullmatch(key)
    return found is not None and _SECOND_CODES < int(found[1]) < _WINDOWS


def as_the_registry_writes(name: str, number: int) -> str:
    """The name of a firm that stands apart, on its licence."""
    ways = (
        name.replace("本溪", "本溪市", 1),
        name.translate(_WIDE),
        " ".join((name[:2], name[2:])),
        name.translate(_OLD),
        f"{name}（筹）",
        _COUNTED.sub(_in_words, name),
        f"辽宁省{name}",
        name.replace("有限公司", "有限责任公司"),
        name,
    )
    return ways[way_of(number)]


def firm_of(key: str) -> int | None:
    """The number of the enterprise a feed key was made for; None for a household's or another."""
    found = _CODE.fullmatch(key) or _LICENCE.fullmatch(key)
    if found is None:
        return None
    return int(found[1]) - (_SECOND_CODES if is_second_code(key) else 0)


def _in_words(counted: re.Match[str]) -> str:
    return "".join(_DIGITS[int(digit)] for digit in counted[1]) + "号"
