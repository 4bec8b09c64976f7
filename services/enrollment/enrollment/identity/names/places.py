"""The places of one city as names begin with them, from the plan. Pure.

A place is dropped from a name only within its own city: 大连 or 沈阳 before a name stay part of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from shared.plan import Plan

Relation: TypeAlias = Literal["same", "dropped", "wider", "other"]
"""Of two names' places: the same; one names none; one lies within the other; two apart."""

_PROVINCES: Final = {
    "11": "北京市", "12": "天津市", "13": "河北省", "14": "山西省",
    "15": "内蒙古自治区", "21": "辽宁省", "22": "吉林省", "23": "黑龙江省",
    "31": "上海市", "32": "江苏省", "33": "浙江省", "34": "安徽省",
    "35": "福建省", "36": "江西省", "37": "山东省", "41": "河南省",
    "42": "湖北省", "43": "湖南省", "44": "广东省", "45": "广西壮族自治区",
    "46": "海南省", "50": "重庆市", "51": "四川省", "52": "贵州省",
    "53": "云南省", "54": "西藏自治区", "61": "陕西省", "62": "甘肃省",
    "63": "青海省", "64": "宁夏回族自治区", "65": "新疆维吾尔自治区",
}  # fmt: skip
"""GB/T 2260, first two digits → name."""
_PROVINCE_KIND: Final = re.compile("(?:[省市]|(?:壮族|回族|维吾尔)?自治区)$")
_ETHNIC: Final = re.compile(
    "(?:(?:满|回|蒙古|朝鲜|锡伯|达斡尔|苗|土家|侗|瑶|彝|藏|壮|白|傣|羌|畲|黎|布依|哈尼|各)族)+自治(?=[县州])"
)
_NO_PLACE_BEFORE: Final = "(?![场政容民区])"
"""本溪市场…, 本溪市政…: the word is 市场 or 市政, not the city."""


@dataclass(frozen=True, eq=False)
class Places:
    """Spellings of the city's places and what lies within what; compared by identity."""

    codes: Mapping[str, str]
    """Spelling → code of the place."""
    within: Mapping[str, str]
    """Code → code of the place it lies in."""
    city: str
    leading: re.Pattern[str]

    def taken_off(self, text: str) -> tuple[str, str]:
        """The innermost place a text begins with (empty without one) and the rest.

        A text that is nothing but a place is left as it is."""
        place = ""
        while (found := self.leading.match(text)) and found.end() < len(text):
            code = self.codes[found[0]]
            if not place or self.lies_within(code, place):
                place = code
            text = text[found.end() :]
        return place, text

    def lies_within(self, code: str, other: str) -> bool:
        """Whether a place is the other or lies in it."""
        while code and code != other:
            code = self.within.get(code, "")
        return bool(code)

    def relation(self, one: str, other: str) -> Relation:
        """How the places of two names stand to each other."""
        if one == other:
            return "same"
        if not one or not other:
            return "dropped"
        if self.lies_within(one, other) or self.lies_within(other, one):
            return "wider"
        return "other"


def places_of(plan: Plan) -> Places:
    """The places of the plan's city: the province, the city, its counties, districts and zones,
    in full and as they are called for short (本溪满族自治县, 本溪县)."""
    city = plan.city
    division = city.gb2260 or city.code
    codes: dict[str, str] = {}
    within = {city.code: division[:2]}
    if province := _PROVINCES.get(division[:2]):
        codes[province] = codes[re.sub("(?:[省市]|(?:壮族|回族|维吾尔)?自治区)$", "", province)] = (
            division[:2]
        )
    for unit in plan.units:
        if unit.kind not in ("county", "zone"):
            continue
        within[unit.code] = city.code
        for spelling in _spellings(unit.zh):
            codes[spelling] = unit.code
    # The city last: where a county bears its name, the bare name is the city's.
    for spelling in _spellings(city.zh):
        codes[spelling] = city.code
    words = sorted(codes, key=len, reverse=True)
    ends = [re.escape(word) + (_NO_PLACE_BEFORE if word[-1] in "市省" else "") for word in words]
    return Places(codes, within, city.code, re.compile("|".join(ends) or "(?!)"))


def _spellings(name: str) -> list[str]:
    """A place in full, without its nation, and bare where that is no everyday word: a county's or
    a city's name, not a district's."""
    county = _ETHNIC.sub("", name)
    spellings = [name, county]
    if county[-1:] in ("市", "县") and len(county) > 2:
        spellings.append(county[:-1])
    return spellings
