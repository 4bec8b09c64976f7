"""Headings, labels and empty cells as they are compared. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from shared.characters import narrow, simplified

_BRACKETED: Final = re.compile(r"[(\[【〔<][^()\[\]【】〔〕<>]*[)\]】〕>]")
_PLAIN: Final = re.compile(r"[^\w一-鿿㐀-䶿]|_")

NOTHING: Final = frozenset(
    {
        "",
        "-",
        "--",
        "---",
        "—",
        "——",
        "–",
        "―",
        "/",
        "//",
        "\\",
        "无",
        "無",
        "空",
        "…",
        "……",
        "...",
        "n/a",
        "na",
        "null",
        "none",
        "未填",
        "──",
    }
)
"""Cells that state nothing: not a zero."""


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """A heading or label as it is compared: no width, spaces, marks, brackets or tradition."""
    plain = simplified(narrow(text)).lower()
    without = _BRACKETED.sub("", plain)
    return _PLAIN.sub("", without) or _PLAIN.sub("", plain)


_HINT: Final = re.compile(
    r"(?:(?:计量|金额|货币)?单位:?)?"
    r"(?:%|(?:人民币)?[十百千万亿]*[元圆]?|[十百千万亿]*(?:人次?|户次?|个|家|名|位|件|笔|份|天))"
    r"|必填项?|选填项?|可选|可空|代码|编码|文本|是/否|是或否|是否"
    r"|\d{1,2}(?:或\d{1,2})?位(?:数字|字符|代码)?|[yYmMdD年月日.\-/]{3,}|\d{4}-\d{2}(?:-\d{2})?"
)
"""What in a heading's brackets says nothing of what the column is about."""


def is_hint(words: str) -> bool:
    """Whether a heading's bracket holds units (万元、人), 必填, 选填 or a hint of the form only."""
    parts = re.split(r"[、,;\s]+", words.strip())
    return all(_HINT.fullmatch(part) for part in parts)


def in_brackets(text: str) -> list[str]:
    """What stands in a heading's brackets, in order."""
    plain = simplified(narrow(text)).lower()
    return [one[1:-1] for one in _BRACKETED.findall(plain)]


@lru_cache(maxsize=4096)
def heading_key(text: str) -> str:
    """A column's heading as it is compared: ``folded``, but with what brackets say of it.
    欠费余额（上年同期） is not 欠费余额; 欠费余额（万元） is."""
    plain = simplified(narrow(text)).lower()
    hints_away = _BRACKETED.sub(lambda one: "" if is_hint(one[0][1:-1]) else one[0], plain)
    return _PLAIN.sub("", hints_away) or _PLAIN.sub("", plain)


def states_nothing(text: str) -> bool:
    """Whether a cell says that nothing is stated ("—", "无", "/")."""
    return len(text) <= 4 and (text in NOTHING or narrow(text).lower() in NOTHING)


_COLUMN_LETTERS: Final = 26


def column_name(index: int) -> str:
    """A column as spreadsheets name it: 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, _COLUMN_LETTERS)
        name = chr(ord("A") + rest) + name
    return name
