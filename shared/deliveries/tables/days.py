"""Dates and periods as offices write them. Pure; what cannot be told is never guessed."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final, NamedTuple

from shared.characters import narrow, simplified

_DIGITS: Final = {
    ord(form): str(value)
    for value, forms in enumerate(
        ("〇○零Ｏ◯", "一", "二", "三", "四", "五", "六", "七", "八", "九")
    )
    for form in forms
}
_TENS: Final = re.compile(r"(?P<tens>[一二三]?)十(?P<ones>[一二三四五六七八九]?)")
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_YEAR_FIRST: Final = re.compile(r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*[日号]?")
_SHORT_YEAR: Final = re.compile(r"(\d{2})\s*(?:[.]|年)\s*(\d{1,2})\s*(?:[.]|月)\s*(\d{1,2})\s*日?")
_COMPACT: Final = re.compile(r"(?:19|20)\d{6}")
_UNCLEAR: Final = re.compile(r"\d{1,2}[-/]\d{1,2}[-/]\d{1,4}|\d{1,2}\.\d{1,2}\.\d{4}")
_INCOMPLETE: Final = re.compile(r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*月?|(\d{4})\s*年?|\d{6}")
_CLOCK: Final = re.compile(r"[T ]\s*\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*Z?$")
_MONTH: Final = re.compile(r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*月?(?:份)?")
_COMPACT_MONTH: Final = re.compile(r"((?:19|20)\d{2})(0[1-9]|1[0-2])")
_DEKAD: Final = re.compile(
    r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*(?:月\s*(?:份)?\s*([上中下])\s*旬|-?D([123]))"
)
_DEKADS: Final = {"上": "1", "中": "2", "下": "3"}

_EPOCH: Final = date(1899, 12, 30)
_EPOCH_1904: Final = date(1904, 1, 1)
_SERIALS: Final = range(61, 73_050)
"""Up to 2099; the first sixty are off by one in Excel itself."""
_LIKELY_SERIALS: Final = range(14_611, 73_050)
"""From 1940 on: below, a bare number is hardly meant as a day."""


class Read(NamedTuple):
    """A value and how it was come by (None: as it stood), or the code of why there is none."""

    value: str | None
    rule: str | None = None
    fault: str | None = None


def chinese_digits(text: str) -> str:
    """二○○八年四月二十三日 as 2008年4月23日; other text as it is."""
    if not any(ord(character) in _DIGITS or character == "十" for character in text):
        return text

    def tens(found: re.Match[str]) -> str:
        high = found["tens"].translate(_DIGITS) or "1"
        return high + (found["ones"].translate(_DIGITS) or "0")

    return _TENS.sub(tens, text).translate(_DIGITS)


def read_date(text: str, today: date) -> Read:  # noqa: PLR0911 - one per form
    """A cell's text as an ISO date."""
    if _ISO.fullmatch(text):
        return _day(text[:4], text[5:7], text[8:], None)
    plain = simplified(narrow(text))
    rule = "date-form"
    if clock := _CLOCK.search(plain):
        plain, rule = plain[: clock.start()].strip(), "time-of-day-dropped"
    numbers = chinese_digits(plain)
    if numbers != plain:
        plain, rule = numbers, "chinese-digits"
    if found := _YEAR_FIRST.fullmatch(plain):
        return _day(found[1], found[2], found[3], rule)
    if _COMPACT.fullmatch(plain):
        return _day(plain[:4], plain[4:6], plain[6:], rule)
    if found := _SHORT_YEAR.fullmatch(plain):
        century = 2000 if int(found[1]) <= today.year % 100 else 1900
        return _day(str(century + int(found[1])), found[2], found[3], "two-digit-year")
    if _UNCLEAR.fullmatch(plain):
        return Read(None, fault="date-unclear")
    if plain.isascii() and plain.isdigit() and int(plain) in _LIKELY_SERIALS:
        return from_serial(int(plain))
    if _INCOMPLETE.fullmatch(plain):
        return Read(None, fault="date-incomplete")
    return Read(None, fault="date-unreadable")


def from_serial(days: int, since_1904: bool = False) -> Read:
    """A day as spreadsheets count them."""
    if since_1904:
        if days > _SERIALS[-1]:
            return Read(None, fault="date-unreadable")
        return Read((_EPOCH_1904 + timedelta(days=days)).isoformat(), "serial-number")
    if days not in _SERIALS:
        return Read(None, fault="date-unreadable")
    return Read((_EPOCH + timedelta(days=days)).isoformat(), "serial-number")


def _day(year: str, month: str, day: str, rule: str | None) -> Read:
    try:
        return Read(date(int(year), int(month), int(day)).isoformat(), rule)
    except ValueError:
        return Read(None, fault="date-impossible")


def read_month(text: str) -> Read:
    """A cell's text as a month, 2008-05."""
    plain = chinese_digits(simplified(narrow(text)))
    found = _MONTH.fullmatch(plain) or _COMPACT_MONTH.fullmatch(plain)
    if found is None:
        return Read(None, fault="period-unreadable")
    if not 1 <= int(found[2]) <= 12:
        return Read(None, fault="date-impossible")
    value = f"{found[1]}-{int(found[2]):02d}"
    return Read(value, None if value == text else "period-form")


def read_dekad(text: str) -> Read:
    """A cell's text as a third of a month, 2008-05-D1."""
    plain = chinese_digits(simplified(narrow(text)))
    found = _DEKAD.fullmatch(plain)
    if found is None or not 1 <= int(found[2]) <= 12:
        return Read(None, fault="period-unreadable")
    value = f"{found[1]}-{int(found[2]):02d}-D{found[4] or _DEKADS[found[3]]}"
    return Read(value, None if value == text else "period-form")


def period_in(text: str) -> str | None:
    """The period a title names: a third of a month, else a month; None where it names none."""
    plain = chinese_digits(simplified(narrow(text)))
    if found := _DEKAD.search(plain):
        return read_dekad(found[0]).value
    found = re.search(r"(?<!\d)(\d{4})\s*年\s*(\d{1,2})\s*月(?!\s*\d{1,2}\s*日)", plain)
    return read_month(found[0]).value if found else None
