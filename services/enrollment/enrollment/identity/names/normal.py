"""The normal form of an employer's name: its parts, each kept apart. Pure.

Widths, brackets, spaces, marks, traditional characters and ways of writing numbers are no
difference between two names. Place, registration form, branch and numbers are, each of its own
kind, so they are parts of the form and nothing of them is dropped. Only words of state (停业,
已注销, 筹) are.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from enrollment.identity.names import words
from enrollment.identity.names.places import Places
from shared.characters import narrow, simplified

_MARKS: Final = re.compile(r"[^\w()]|_")
_BRACKETS: Final = str.maketrans("[]{}<>【】〔〕〈〉《》「」『』〖〗", "()" * 10)
_NUMERALS: Final = re.compile("第*[0-9〇零一二三四五六七八九十壹贰叁肆伍陆柒捌玖拾]+")
_DIGITS: Final = dict(
    zip("〇零一壹二贰三叁四肆五伍六陆七柒八捌九玖", "00112233445566778899", strict=True)
)
_WORDS_TOO: Final = frozenset("零〇陆伍拾")
"""Numerals that alone are words or surnames as often (零售, 大陆)."""
_NUMBER: Final = re.compile("[0-9]+")


class Normal(NamedTuple):
    """An employer's name in parts. Two names with equal parts are written alike."""

    text: str
    """The whole, plainly written; equal texts are one name."""
    place: str
    """Code of the own city's place the name begins with, empty without one."""
    place_spelt: str
    """How it is written there."""
    core: str
    """Brand and trade: what the firm is called."""
    brand: str
    """``core`` without words of trade; under two characters it tells nothing."""
    form: str
    """有限公司, 厂, …; empty where none is written."""
    branch_place: str
    """Code of the place the branch's part begins with."""
    branch: str
    """What follows the form: 分公司, 花园支行, …; empty for a whole firm."""
    numbers: tuple[str, ...]
    """Every number in the name, in order, in Arabic figures."""

    @property
    def whole(self) -> str:
        """The core with a form that is no company's: what a 公司 written after it would make
        part of the core."""
        return self.core if self.form in words.COMPANIES else self.core + self.form


def plain(text: str) -> str:
    """A name or address without differences of width, space, mark, tradition and numeral;
    brackets are round, and stay. Idempotent."""
    folded = simplified(narrow(text)).upper().translate(_BRACKETS)
    return _NUMERALS.sub(_in_figures, _MARKS.sub("", folded))


def normal_of(name: str, places: Places) -> Normal:
    """The parts of a name, as seen in the city of ``places``."""
    text = plain(name)
    if "(" in text or ")" in text:
        # Once more, for what stands together only now (第(筹)一).
        text = plain(words.STATUS_BRACKETED.sub("", text).replace("(", "").replace(")", ""))
    while len(bare := words.STATUS_END.sub("", text)) not in (0, 1, len(text)):
        text = bare
    place, head = places.taken_off(text)
    core, form, branch = _divided(head)
    branch_place, branch = places.taken_off(branch) if branch else ("", "")
    brand = words.TRADE.sub("", core)
    numbers = tuple(_NUMBER.findall(text))
    spelt = text.removesuffix(head)
    return Normal(text, place, spelt, core, brand, form, branch_place, branch, numbers)


def _divided(head: str) -> tuple[str, str, str]:
    """Core, form and branch of a name without its place."""
    found = words.COMPANY.search(head)
    if found and found.start() > 0:
        if found["branch"]:
            return head[: found.start()], "", head[found.start() :]
        return head[: found.start()], found[0], head[found.end() :]
    for ending, is_branch in ((words.BRANCH_END, True), (words.ENDING, False)):
        found = ending.search(head)
        if found and found.start() > 0:
            core = head[: found.start()]
            return (core, "", found[0]) if is_branch else (core, found[0], "")
    return head, "", ""


def _in_figures(found: re.Match[str]) -> str:
    """第二 and 贰 as 2, 二十一 as 21; 第 goes with its number."""
    written = found[0]
    digits = written.lstrip("第")
    if digits.isascii():
        return digits
    if len(written) == 1 and written in _WORDS_TOO:
        return written
    tens, ten, ones = digits.replace("拾", "十").partition("十")
    if not ten:
        return _figures(digits)
    if len(tens) > 1 or len(ones) > 1 or ones == "十":  # No number is spoken so: figure by figure.
        return _figures(digits.replace("拾", "十")).replace("十", "10")
    return _figures(tens or "1") + _figures(ones or "0")


def _figures(digits: str) -> str:
    return "".join(_DIGITS.get(char, char) for char in digits)
