"""How coverage is defined: names, versions and the rate. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple


class Definition(NamedTuple):
    """A named, versioned definition of a rate."""

    name: str
    version: int
    zh: str
    en: str


EMPLOYERS: Final = Definition(
    "employers-enrolled-of-eligible",
    1,
    "已参保单位 ÷ (已参保单位 + 未办结且未判无效的未参保单位线索)",
    "employers in the register, of those and the employers with a standing unenrolled-employer "
    "lead that the effectiveness test does not rule out",
)
PERSONS: Final = Definition(
    "persons-active-of-eligible",
    1,
    "正常参保人员 ÷ (正常参保人员 + 未办结且未判无效的线索所含人数); "
    "人数不明的线索不计入, 另行列出",
    "persons with status active, of those and the persons of standing leads that the test does "
    "not rule out; leads whose persons nobody can tell are left out and counted apart",
)


def rate(enrolled: int, missing: int) -> Decimal | None:
    """Enrolled over eligible to four places, half up; None of nobody."""
    eligible = enrolled + missing
    if not eligible:
        return None
    return (Decimal(enrolled) / eligible).quantize(Decimal("0.0001"), ROUND_HALF_UP)
