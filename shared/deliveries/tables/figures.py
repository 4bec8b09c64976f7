"""Numbers as offices write them. Pure; what cannot be told is never guessed."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from shared.characters import narrow, simplified

_PLAIN: Final = re.compile(r"-?\d{1,18}(?:\.\d{1,12})?")
_GROUPED: Final = re.compile(r"\d{1,3}(?:[, \u00a0]\d{3})+(?:\.\d{1,12})?")
_BRACKETED: Final = re.compile(r"\((.+)\)")
_UNIT: Final = re.compile(
    r"(?P<number>.*?)\s*(?P<scale>亿|千万|百万|十万|万|千|百)?\s*(?P<unit>元整?|人次?|名|户|个|家|位|笔)?"
)
_ROUGH: Final = re.compile(
    r"约|大概|左右|上下|余|多|近|几|不足|以上|以下|超过?|>|<|≥|≤|~|至|到|\d\s*-\s*\d|\?|估"
)
_SCALES: Final = {
    "百": 2,
    "千": 3,
    "万": 4,
    "十万": 5,
    "百万": 6,
    "千万": 7,
    "亿": 8,
}
_EXPONENT: Final = re.compile(r"-?\d+(?:\.\d+)?[eE][+-]?\d+")


class Figure(NamedTuple):
    """A number, the rules by which it was read, and whether it names its own scale (1.2万);
    or the code of why there is none."""

    value: Decimal | None
    rules: tuple[str, ...] = ()
    own_scale: bool = False
    fault: str | None = None


def read_figure(text: str) -> Figure:
    """A cell's text as a number."""
    if _PLAIN.fullmatch(text) and text.isascii():
        return Figure(Decimal(text))
    rules: list[str] = []
    plain = simplified(narrow(text))
    if plain != text.strip():
        rules.append("full-width")
    elif plain != text:
        rules.append("spaces")
    negative = False
    if found := _BRACKETED.fullmatch(plain):
        plain, negative = found[1].strip(), True
        rules.append("brackets-negative")
    if plain[:1] in ("¥", "￥", "+"):
        plain = plain[1:].strip()
        rules.append("sign-dropped")
    if plain[:1] in ("−", "－", "-") and plain[1:2].isdigit():
        if negative:
            return Figure(None, fault="number-unclear")
        negative = True
        plain = plain[1:]
    if _ROUGH.search(plain):
        return Figure(None, fault="number-rough")
    found = _UNIT.fullmatch(plain)
    number = found["number"] if found else plain
    scale = (found["scale"] or "") if found else ""
    if found and found["unit"]:
        rules.append("unit-in-cell")
    if scale:
        rules.append("scale-in-cell")
    if _GROUPED.fullmatch(number):
        number = re.sub("[, \u00a0]", "", number)
        rules.append("thousands")
    return _number(number, scale, negative, rules)


def _number(number: str, scale: str, negative: bool, rules: list[str]) -> Figure:
    if not (_PLAIN.fullmatch(number) or _EXPONENT.fullmatch(number)) or not number.isascii():
        letters = re.fullmatch(r"[\d.,]*[OolIl][\dOolI.,]*", number) and re.search(r"\d", number)
        return Figure(None, fault="letter-in-number" if letters else "number-unclear")
    try:
        value = Decimal(number)
    except InvalidOperation:
        return Figure(None, fault="number-unclear")
    if abs(value) > Decimal(10) ** 18:
        return Figure(None, fault="number-unclear")
    if scale:
        value = value.scaleb(_SCALES[scale])
    return Figure(-value if negative else value, tuple(rules), bool(scale))


def plain(value: Decimal) -> str:
    """Without exponent, without zeros that say nothing: ``125000``, ``12.5``."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def from_binary(raw: str) -> str:
    """A number cell's stored value as spreadsheets show it: 15 significant digits, no
    exponent. ``raw`` itself where it is no number."""
    try:
        exact = Decimal(raw)
    except InvalidOperation:
        return raw
    if not exact.is_finite() or abs(exact.adjusted()) > 40:
        return raw
    digits = exact.as_tuple().digits
    if len(digits) > 15:
        exact = Decimal(format(float(exact), ".15g"))
    return plain(exact)
