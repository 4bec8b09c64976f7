"""Units of money and persons as tables declare them: in a line, a heading, a column. Pure.

A unit counts only where nothing else is said: a firm may be called 百元店.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from shared.characters import narrow, simplified
from shared.deliveries.tables.cleaning import Scale

_EXPONENTS: Final = {"": 0, "百": 2, "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8}
_SCALES: Final = "亿|千万|百万|十万|万|千|百"
_MONEY: Final = re.compile(rf"(?:人民币)?(?P<scale>{_SCALES})?[元圆]")
_PERSONS: Final = re.compile(rf"(?P<scale>{_SCALES})?人")
_OTHER: Final = re.compile(
    rf"%|(?:{_SCALES})?(?:人次?|户次?|个|家|名|位|件|笔|份|辆|本|张|次|天|日|月|平方米)"
)
_LINE: Final = re.compile(r"单\s*位\s*[:：]\s*(?P<units>.+)")
_BARE_LINE: Final = re.compile(r"\(?(?:计量|金额|货币)?单\s*位\s*(?P<units>[^:：]+?)\)?")
"""Without a colon; counts only with a unit of money."""
_BRACKETS: Final = re.compile(r"\([^()]*\)")
_INSIDE: Final = re.compile(
    r"[(\[【]\s*(?:(?:计量|金额|货币)?单\s*位\s*[:：]?)?\s*([^()\[\]【】]+?)\s*[)\]】]"
)
_WORDS: Final = re.compile(r"[\s:：,，;；、/]+")
_IN_HEADING: Final = re.compile(
    r"[(\[,，:：/、]\s*(?:单位\s*[:：]\s*)?(?P<unit>[^()\[\],，:：/、]+)"
)


def scale_of(text: str) -> Scale | None:
    """The unit of money a text consists of; None where it says anything else."""
    found = _MONEY.fullmatch(simplified(narrow(text)).strip())
    return None if found is None else Scale(_EXPONENTS[found["scale"] or ""], found[0])


def whole_unit(cell: str) -> Scale | None:
    """The unit of money a cell consists of, in brackets or not: 万元, （万元）."""
    return scale_of(simplified(narrow(cell)).strip("()[]【】 "))


def units_above(cells: Sequence[str]) -> list[str]:
    """Everything a row above the heading declares: unit lines, and the unit of money that stands
    as a cell, a bracket or a word of its own, as in 欠费情况表（万元）."""
    found = []
    for cell in cells:
        line = units_declared([cell])
        if line is not None:
            found.append(line)
        text = simplified(narrow(cell))
        inside = ["、".join(_listed(one)) for one in _INSIDE.findall(text)]
        words = _WORDS.split(_BRACKETS.sub(" ", text))
        # 100 万元 is a sum.
        alone = [
            word
            for before, word in zip(["", *words], words, strict=False)
            if not before[-1:].isdigit()
        ]
        found += [one for one in [*inside, *alone] if money_in(one) is not None]
    return list(dict.fromkeys(found))


def units_declared(cells: Sequence[str]) -> str | None:
    """The units a line "单位：万元、人" or "单位 万元" declares; None where it is no such line."""
    for cell in cells:
        if not 3 <= len(cell) < 80:
            continue
        text = simplified(narrow(cell))
        found = _LINE.search(text)
        if found is not None and (units := _listed(found["units"])):
            return "、".join(units)
        found = _BARE_LINE.fullmatch(text)
        bare = "" if found is None else "、".join(_listed(found["units"]))
        if money_in(bare) is not None:
            return bare
    return None


def _listed(text: str) -> list[str]:
    parts = re.split(r"[、,，/;；\s]+", _BRACKETS.sub("", text).strip(" )]"))
    units = [part.rpartition(":")[2] for part in parts if part]
    known = all(_MONEY.fullmatch(unit) or _OTHER.fullmatch(unit) for unit in units)
    return units if known else []


def money_in(units: str) -> Scale | None:
    """The unit of money among declared units."""
    return next((found for unit in units.split("、") if (found := scale_of(unit))), None)


def heading_scale(heading: str, persons: bool) -> Scale | None:
    """The unit a heading states behind its words: 应征(万元), 应征，千元, 人数（万人）."""
    for found in _IN_HEADING.finditer(simplified(narrow(heading))):
        unit = found["unit"].strip()
        match = (_PERSONS if persons else _MONEY).fullmatch(unit)
        if match is not None:
            return Scale(_EXPONENTS[match["scale"] or ""], unit)
    return None
