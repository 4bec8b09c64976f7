"""The city's enterprises and individual households, enrolled or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

import numpy as np

from kuomian.city import apart, names
from kuomian.city.numbers import IdentityNumbers, day_number, licence_no, org_code
from kuomian.city.shape import (
    ENROLLED_HOUSEHOLDS,
    GROUPS,
    UNENROLLED_ENTERPRISES,
    UnitShape,
)

OPENING_ON = date(2008, 4, 30)
_TYPES = ["110"] * 5 + ["120"] * 8 + ["151", "159"] * 8 + ["173"] * 55 + ["171"] * 10 + ["330"] * 3
_INDUSTRIES = list(names.TRADES)
_HOUSEHOLD_INDUSTRIES = ["67", "82", "83", "63", "65", "52", "53", "49"]


@dataclass(slots=True)
class Firm:
    """An enterprise or household as it truly is; counts are persons."""

    number: int
    unit: str
    prefix: str
    name: str
    reg_type: str
    industry: str
    licensed_on: date
    headcount: int
    org_code: str | None
    licence_no: str
    owner_id: str | None
    agency_no: str
    enrolled_on: date | None = None
    insured: int = 0
    """Active insured persons in the register now."""
    pays: float = 1.0
    """Share of what is due that it pays."""
    arrears_fen: int = 0
    closed: bool = False
    struck_off: bool = False
    """Its licence is gone; its people are still insured through it."""
    apart: bool = False
    """Its licence and its code certificate share no number."""

    @property
    def household(self) -> bool:
        return self.org_code is None

    @property
    def tax_no(self) -> str:
        """15 characters with the organisation code inside; a household's has the owner's."""
        if self.org_code is None:
            return f"{self.owner_id}00"
        return f"{self.prefix}{self.org_code}"


class FirmMaker:
    """Numbers firms through the whole story, so that no code is used twice."""

    def __init__(self, seed: int, identities: IdentityNumbers) -> None:
        self._rng = Random(seed)
        self._draw = np.random.default_rng(seed)
        self._identities = identities
        self._enterprises = 0
        self._made_before: tuple[str, str] = ("", "")
        self._households = 0

    def opening(self, shape: UnitShape) -> tuple[list[Firm], list[Firm]]:
        """(enterprises, households) of a unit at the opening of the campaign."""
        count = shape.enterprises
        licensed = self._licensed_before(count)
        if shape.code in GROUPS:
            heads = [max(1, round(shape.active / count))] * count
        else:
            drawn = np.exp(self._draw.normal(np.log(9), 1.5, count))
            heads = np.clip(drawn, 1, 3000).astype(int).tolist()
        enterprises = [
            self.enterprise(shape, on, int(head)) for on, head in zip(licensed, heads, strict=True)
        ]
        for firm in enterprises:
            smallness = 1.35 if firm.headcount < 20 else 0.35
            uncovered = self._rng.random() < UNENROLLED_ENTERPRISES * smallness
            if shape.code in GROUPS or not uncovered:
                firm.enrolled_on = max(firm.licensed_on, date(1996, 1, 1))
        licensed = self._licensed_before(shape.households)
        births = self._births(shape.households, 22, 58)
        owners = self._identities.take(
            births, self._draw.random(shape.households) < 0.6, shape.prefix
        )
        households = [
            self.household(shape, on, owner) for on, owner in zip(licensed, owners, strict=True)
        ]
        for firm in households:
            if self._rng.random() < ENROLLED_HOUSEHOLDS:
                firm.enrolled_on = max(firm.licensed_on, date(2000, 1, 1))
        return enterprises, households

    def enterprise(self, shape: UnitShape, licensed_on: date, headcount: int) -> Firm:
        """A new enterprise, not enrolled."""
        self._enterprises += 1
        number = self._enterprises
        industry = self._rng.choice(_INDUSTRIES)
        city = "桓仁" if shape.code == "210522" else "本溪"
        name = names.enterprise(self._rng, city, industry, number)
        before_unit, before = self._made_before
        if apart.is_branch(number, shape.code) and before_unit == shape.code:
            name = f"{before}第一分公司"
        self._made_before = (shape.code, name)
        return Firm(
            number=number,
            unit=shape.code,
            prefix=shape.prefix,
            name=name,
            apart=apart.stands_apart(number, shape.code),
            reg_type="110" if shape.code in GROUPS else self._rng.choice(_TYPES),
            industry="32" if shape.code in GROUPS else industry,
            licensed_on=licensed_on,
            headcount=headcount,
            org_code=org_code(number),
            licence_no=licence_no(shape.prefix, False, number),
            owner_id=None,
            agency_no=f"SB{number:07d}",
            pays=min(1.0, max(0.2, self._rng.gauss(0.86, 0.22))),
        )

    def household(self, shape: UnitShape, licensed_on: date, owner_id: str) -> Firm:
        """A new individual household, not enrolled."""
        self._households += 1
        number = self._households
        industry = self._rng.choice(_HOUSEHOLD_INDUSTRIES)
        return Firm(
            number=number,
            unit=shape.code,
            prefix=shape.prefix,
            name=names.household(self._rng, shape.name, industry, number),
            reg_type="410",
            industry=industry,
            licensed_on=licensed_on,
            headcount=self._rng.choice([1, 1, 2, 2, 3, 4]),
            org_code=None,
            licence_no=licence_no(shape.prefix, True, number),
            owner_id=owner_id,
            agency_no=f"SG{number:07d}",
            pays=0.9,
        )

    def owner(self, shape: UnitShape) -> str:
        """One more household owner's identity number."""
        return self._identities.take(
            self._births(1, 22, 58), self._draw.random(1) < 0.6, shape.prefix
        )[0]

    def _licensed_before(self, count: int) -> list[date]:
        days = self._draw.integers(30, 12 * 365, count).tolist()
        return [OPENING_ON - timedelta(days=day) for day in days]

    def _births(self, count: int, youngest: int, oldest: int) -> np.ndarray:
        end = day_number(OPENING_ON)
        return end - self._draw.integers(youngest * 366, oldest * 365, count)


def employer_record(firm: Firm) -> dict[str, Any]:
    """The ``employers`` record of a firm, as it stands in the register."""
    record: dict[str, Any] = {
        "agency_no": firm.agency_no,
        "name": firm.name,
        "reg_type": firm.reg_type,
        "industry": firm.industry,
        "unit": firm.unit,
        "enrolled_on": firm.enrolled_on,
        "status": "enrolled",
    }
    if firm.org_code:
        record["org_code"] = firm.org_code
    else:
        record["licence_no"] = firm.licence_no
        record["owner_id"] = firm.owner_id
    return record
