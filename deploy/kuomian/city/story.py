"""The campaign as it happened: opening, then May to November 2008, dekad by dekad."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import numpy as np

from kuomian.city.applications import ApplicationDesk
from kuomian.city.census import CensusOffice
from kuomian.city.contradictions import Contradictions
from kuomian.city.doubtful import Doubtful
from kuomian.city.firms import OPENING_ON, Firm, FirmMaker, employer_record
from kuomian.city.numbers import IdentityNumbers
from kuomian.city.officers import Deed, Officers
from kuomian.city.people import ACTIVE, RETIRED, SUSPENDED, Register, opening_register
from kuomian.city.registry_office import RegistryOffice
from kuomian.city.sending import Body, Kind, Planned, Planted, lazy_ndjson, local, ndjson
from kuomian.city.shape import UnitShape, unit_shapes
from kuomian.city.submissions import submit
from kuomian.city.tax_lists import TaxLists
from kuomian.city.tax_office import TaxOffice
from kuomian.city.truth import Truth
from kuomian.city.wrongs import PLANTED_TEXTS
from shared.periods import Dekad, Month
from shared.plan import Plan

FIRST_MONTH, LAST_MONTH = Month.parse("2008-05"), Month.parse("2008-11")
OPENING_SENT_ON = date(2008, 5, 15)
CLOSING_ON = date(2008, 12, 6)
PRE_LEVY_PART = 2
"""The dekad in which the list of the 20th is made."""


@dataclass(frozen=True)
class City:
    """The finished story: what to push, what was planted, what is true."""

    seed: int
    scale: float
    deliveries: list[Planned]
    deeds: list[Deed]
    planted: list[Planted]
    truth: Truth
    closing_at: datetime
    enterprises: int
    households: int
    opening_persons: int

    @property
    def events(self) -> list[Planned | Deed]:
        """Deliveries and officers' deeds in the order they happened."""
        return sorted([*self.deliveries, *self.deeds], key=lambda event: event.send_at)

    def describe(self) -> str:
        """One line on how large it is."""
        records = sum(planned.records for planned in self.deliveries)
        return (
            f"{self.enterprises:,} enterprises, {self.households:,} households, "
            f"{self.opening_persons:,} insured at the opening, "
            f"{len(self.deliveries):,} deliveries, {records:,} records, "
            f"{len(self.deeds):,} deeds of officers"
        )


class Builder:
    """Everything the parts of the story share while it is told."""

    def __init__(self, plan: Plan, seed: int, scale: float) -> None:
        self.plan = plan
        self.seed = seed
        self.scale = scale
        self.rng = Random(seed)
        self.draw = np.random.default_rng(seed)
        self.identities = IdentityNumbers()
        self.maker = FirmMaker(seed, self.identities)
        self.truth = Truth()
        self.planted: Counter[str] = Counter()
        self.deliveries: list[Planned] = []
        self.shapes: list[UnitShape] = unit_shapes(plan, scale)
        self.enterprises: dict[str, list[Firm]] = defaultdict(list)
        self.households: dict[str, list[Firm]] = defaultdict(list)
        self.registers: dict[str, Register] = {}
        self.windows: list[Firm] = []
        self._keys: Counter[str] = Counter()

    def some(self, whole: float, least: int = 1) -> int:
        """A count of mess at this scale, never nothing."""
        return max(least, round(whole * self.scale))

    def send(
        self,
        on: date,
        hour: int,
        role: str,
        feed: str,
        period: str,
        records: Iterable[Mapping[str, Any]] | Body,
        title: str,
        *,
        count: int | None = None,
        expect: Mapping[str, int] | None = None,
        kind: Kind = "ordinary",
        key: str | None = None,
    ) -> Planned:
        """Add a delivery; an empty ordinary one becomes a nil return."""
        if callable(records):
            body, size = records, count or 0
        else:
            listed = list(records)
            body, size = ndjson(listed), len(listed)
        if kind == "ordinary" and size == 0:
            kind = "nil"
            self.planted["nil"] += 1
        stem = f"{role}-{feed}-{period}"
        self._keys[stem] += 1
        planned = Planned(
            send_at=local(on, hour, len(self.deliveries) % 60),
            role=role,
            feed=feed,
            period=period,
            key=key or f"{stem}-{self._keys[stem]:02d}",
            title=title,
            records=size,
            body=body,
            kind=kind,
            expect=Counter({k: v for k, v in (expect or {}).items() if v}),
        )
        self.deliveries.append(planned)
        return planned


def build_city(plan: Plan, seed: int = 2008, scale: float = 1.0) -> City:
    """Tell the whole story. The same plan, seed and scale tell the same one to the byte."""
    b = Builder(plan, seed, scale)
    _open(b)
    registry, tax, desk = RegistryOffice(b), TaxOffice(b), ApplicationDesk(b)
    lists = TaxLists(b, seed)
    registry.opening(OPENING_SENT_ON)
    _register_opening(b)
    tax.opening(OPENING_SENT_ON + timedelta(days=1))
    month = FIRST_MONTH
    census = CensusOffice(b)
    while month <= LAST_MONTH:
        new = registry.begin_month(month)
        desk.admit(new)
        tax.begin_month(month)
        for part in (1, 2, 3):
            dekad = Dekad.parse(f"{month}-D{part}")
            sent_on = max(dekad.cutoff_on(), OPENING_SENT_ON + timedelta(days=1))
            last = month == LAST_MONTH and part == 3
            desk.dekad(dekad, sent_on, last)
            tax.dekad(dekad, sent_on, last)
            if part == PRE_LEVY_PART:
                lists.pre_levies(month)
            census.dekad(dekad, sent_on)
        registry.end_month(month, month == LAST_MONTH)
        tax.end_month(month, month == LAST_MONTH)
        lists.end_month(month, new, month == LAST_MONTH)
        month = month.next()
    census.close()
    contradictions = Contradictions(b)
    contradictions.tell()
    Doubtful(b, desk).tell()
    deeds = Officers(b, contradictions).tell()
    submit(b, CLOSING_ON)
    b.deliveries.sort(key=lambda planned: planned.send_at)
    return City(
        seed=seed,
        scale=scale,
        deliveries=b.deliveries,
        deeds=deeds,
        planted=[
            Planted(zh, en, b.planted[name], outcome_zh, outcome_en)
            for name, (zh, en, outcome_zh, outcome_en) in PLANTED_TEXTS.items()
            if b.planted[name]
        ],
        truth=b.truth,
        closing_at=local(CLOSING_ON, 12),
        enterprises=sum(map(len, b.enterprises.values())),
        households=sum(map(len, b.households.values())),
        opening_persons=sum(map(len, b.registers.values())),
    )


def _open(b: Builder) -> None:
    first_number = 0
    for shape in b.shapes:
        enterprises, households = b.maker.opening(shape)
        register = opening_register(
            shape, enterprises, households, b.identities, b.draw, first_number
        )
        first_number += len(register)
        b.enterprises[shape.code] = enterprises
        b.households[shape.code] = households
        b.registers[shape.code] = register
        counts = Counter(register.status)
        b.truth.person(
            shape.code,
            OPENING_ON,
            total=counts[ACTIVE] + counts[SUSPENDED] + counts[RETIRED],
            active=counts[ACTIVE] + counts[SUSPENDED],
        )


def _register_opening(b: Builder) -> None:
    """The register as at 2008-04-30: employers, then the insured unit by unit."""
    employers = [
        employer_record(firm)
        for shape in b.shapes
        for firm in b.enterprises[shape.code] + b.households[shape.code]
        if firm.enrolled_on
    ]
    employers += [employer_record(window) for window in b.windows]
    b.send(OPENING_SENT_ON, 9, "agency", "employers", "2008-04", employers, "期初参保单位登记")
    for shape in b.shapes:
        register = b.registers[shape.code]
        b.send(
            OPENING_SENT_ON,
            10,
            "agency",
            "insured-persons",
            "2008-04",
            lazy_ndjson(register.records),
            f"期初参保人员 {shape.name}",
            count=len(register),
        )
