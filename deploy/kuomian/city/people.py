"""The opening register: about 620,000 people, as at 2008-04-30, unit by unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from kuomian.city import names
from kuomian.city.firms import OPENING_ON, Firm
from kuomian.city.numbers import IdentityNumbers, day_number
from kuomian.city.shape import GROUPS, UnitShape

ACTIVE, SUSPENDED, RETIRED = 0, 1, 2
_STATUS = ("active", "suspended", "retired")
_CLASS = ("employee", "migrant", "household", "flexible")
_POST = ("worker", "cadre")
_ENROLLED = [date(1992, 1, 1) + timedelta(days=37 * step) for step in range(160)]


@dataclass(slots=True)
class Register:
    """The people of one unit in parallel lists; ``firm`` is an index into ``firms`` or -1."""

    unit: str
    firms: list[Firm]
    identity: list[str] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    worker_class: list[int] = field(default_factory=list)
    firm: list[int] = field(default_factory=list)
    post: list[int] = field(default_factory=list)
    first_number: int = 0

    def __len__(self) -> int:
        return len(self.identity)

    def record(self, at: int) -> dict[str, Any]:
        """The ``insured-persons`` record of one person."""
        firm = self.firm[at]
        record = {
            "identity_no": self.identity[at],
            "name": names.person(self.first_number + at),
            "unit": self.unit,
            "status": _STATUS[self.status[at]],
            "worker_class": _CLASS[self.worker_class[at]],
            "post": _POST[self.post[at]],
            "enrolled_on": _ENROLLED[(self.first_number + at) % len(_ENROLLED)],
        }
        if firm >= 0:
            record["agency_no"] = self.firms[firm].agency_no
        return record

    def records(self) -> Iterator[dict[str, Any]]:
        """Every record, in order."""
        return (self.record(at) for at in range(len(self)))


def opening_register(
    shape: UnitShape,
    enterprises: list[Firm],
    households: list[Firm],
    identities: IdentityNumbers,
    draw: np.random.Generator,
    first_number: int,
) -> Register:
    """People of one unit: employees spread over the enrolled enterprises by headcount, staff of
    enrolled households, flexible workers, pensioners. Sets each firm's ``insured`` and, so that
    no firm insures more than it has, its ``headcount``."""
    enrolled = [firm for firm in enterprises if firm.enrolled_on]
    shops = [firm for firm in households if firm.enrolled_on]
    shop_staff = min(sum(firm.headcount for firm in shops), shape.active // 8)
    flexible = 0 if shape.code in GROUPS else round(shape.active * 0.17)
    employees = shape.active - shop_staff - flexible
    _spread(enrolled, employees, draw)

    firms = enrolled + shops
    firm: list[int] = []
    classes: list[int] = []
    for index, employer in enumerate(enrolled):
        migrant = 1 if employer.reg_type in {"171", "173"} and index % 4 == 0 else 0
        firm += [index] * employer.insured
        classes += [migrant] * employer.insured
    left = shop_staff
    for index, employer in enumerate(shops, start=len(enrolled)):
        employer.insured = min(employer.headcount, left)
        left -= employer.insured
        firm += [index] * employer.insured
        classes += [2] * employer.insured
    others = shape.active - len(firm)
    firm += [-1] * (others + shape.retired)
    classes += [3] * others + [0] * shape.retired
    status = [ACTIVE] * shape.active + [RETIRED] * shape.retired
    for at in range(0, shape.active, 41):
        status[at] = SUSPENDED

    end = day_number(OPENING_ON)
    ages = np.concatenate(
        [
            draw.integers(19 * 366, 49 * 365, shape.active),
            draw.integers(61 * 366, 85 * 365, shape.retired),
        ]
    )
    male = draw.random(len(ages)) < 0.55
    return Register(
        unit=shape.code,
        firms=firms,
        identity=identities.take(end - ages, male, shape.prefix),
        status=status,
        worker_class=classes,
        firm=firm,
        post=(draw.random(len(ages)) < 0.12).astype(int).tolist(),
        first_number=first_number,
    )


def _spread(enrolled: list[Firm], employees: int, draw: np.random.Generator) -> None:
    """Give each enrolled enterprise its insured staff; about a third insure too few."""
    weights = np.array([firm.headcount for firm in enrolled], dtype=float)
    shares = np.maximum(1, np.floor(weights / weights.sum() * employees)).astype(int)
    shares[int(np.argmax(weights))] += employees - int(shares.sum())
    short = draw.random(len(enrolled))
    for firm, insured, luck in zip(enrolled, shares.tolist(), short.tolist(), strict=True):
        firm.insured = max(0, insured)
        hidden = 1.0 + (luck * 1.6 if luck < 0.33 and firm.unit not in GROUPS else 0.0)
        firm.headcount = max(firm.insured, round(firm.insured * hidden))
