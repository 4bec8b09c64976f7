"""The business registry and the quality-supervision office, month by month."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from kuomian.city import apart
from kuomian.city.firms import OPENING_ON, Firm
from kuomian.city.numbers import wrong_check
from kuomian.city.representatives import at_the_registry, representative
from kuomian.city.shape import GROUPS
from shared.periods import Month

if TYPE_CHECKING:
    from kuomian.city.story import Builder

_NEW_ENTERPRISES, _NEW_HOUSEHOLDS, _MOVES, _STAFFED = 165, 560, 7, 3
"""A month, in the whole city."""


class RegistryOffice:
    """工商 and 质监: the stock of registered firms, then a list a month (O51, O52)."""

    def __init__(self, b: Builder) -> None:
        self.b = b
        self._again_licences: list[dict[str, Any]] = []
        self._again_codes: list[dict[str, Any]] = []
        self._month: list[tuple[Firm, str, date]] = []

    def opening(self, on: date) -> None:
        """Everything registered before the campaign."""
        firms = [
            firm
            for shape in self.b.shapes
            for firm in self.b.enterprises[shape.code] + self.b.households[shape.code]
        ]
        stock = [(firm, "registered", firm.licensed_on) for firm in firms]
        self._deliver(Month.parse("2008-04"), stock, on, on, last=False)

    def begin_month(self, month: Month) -> list[Firm]:
        """New firms, moves and deregistrations of the month take place; the new firms."""
        b, days = self.b, month.last_on.day
        self._month = []
        heads = sum(s.enterprises for s in b.shapes if s.code not in GROUPS)
        for shape in b.shapes:
            if shape.code in GROUPS:
                continue
            share = shape.enterprises / heads
            for _ in range(round(_NEW_ENTERPRISES * share * b.scale + b.rng.random())):
                on = month.first_on.replace(day=b.rng.randint(1, days))
                firm = b.maker.enterprise(shape, on, max(1, round(b.rng.lognormvariate(1.9, 0.9))))
                b.enterprises[shape.code].append(firm)
                self._month.append((firm, "registered", on))
            for _ in range(round(_NEW_HOUSEHOLDS * share * b.scale + b.rng.random())):
                on = month.first_on.replace(day=b.rng.randint(1, days))
                firm = b.maker.household(shape, on, b.maker.owner(shape))
                b.households[shape.code].append(firm)
                self._month.append((firm, "registered", on))
        self._move(month)
        self._strike_off_staffed(month)
        for shape in b.shapes:
            # Not one of this month's: it would close before it was licensed.
            idle = [
                firm
                for firm in b.households[shape.code][:4000]
                if not firm.enrolled_on and firm.licensed_on < month.first_on
            ]
            for firm in b.rng.sample(idle, min(len(idle) // 50, b.some(4))):
                b.households[shape.code].remove(firm)
                firm.closed = True
                self._month.append((firm, "deregistered", month.first_on.replace(day=20)))
        return [firm for firm, event, _ in self._month if event == "registered"]

    def _move(self, month: Month) -> None:
        b = self.b
        counties = [shape.code for shape in b.shapes if shape.code not in GROUPS]
        for _ in range(b.some(_MOVES)):
            source, target = b.rng.sample(counties, 2)
            movable = [
                firm
                for firm in b.enterprises[source]
                if firm.enrolled_on and firm.insured < 60 and not firm.struck_off
            ]
            if not movable:
                continue
            firm = b.rng.choice(movable)
            b.enterprises[source].remove(firm)
            b.enterprises[target].append(firm)
            firm.unit = target
            self._month.append((firm, "changed", month.first_on))
            b.planted["moved"] += 1

    def _strike_off_staffed(self, month: Month) -> None:
        """Licences given up by firms whose people are still insured through them: by enough that
        some pay, for a suspended one does not, and do so until it is told."""
        b = self.b
        staffed = [
            firm
            for shape in b.shapes
            if shape.code not in GROUPS
            for firm in b.enterprises[shape.code]
            if firm.enrolled_on and 2 < firm.insured < 20 and not firm.struck_off
            if firm.licensed_on < month.first_on and not firm.apart
        ]
        for firm in b.rng.sample(staffed, min(len(staffed) // 20, b.some(_STAFFED))):
            firm.struck_off = True
            self._month.append((firm, "deregistered", month.first_on.replace(day=25)))
            b.planted["struck-off-staffed"] += 1

    def end_month(self, month: Month, last: bool) -> None:
        """The month's lists go out at the beginning of the next month."""
        late = str(month) == "2008-07"
        if late:
            self.b.planted["late"] += 1
        sent = month.last_on + timedelta(days=9 if late else 3)
        self._deliver(month, self._month, sent, month.last_on + timedelta(days=4), last=last)

    def _deliver(
        self,
        month: Month,
        events: list[tuple[Firm, str, date]],
        licences_on: date,
        codes_on: date,
        *,
        last: bool,
    ) -> None:
        licences = [*self._again_licences]
        codes = [*self._again_codes]
        self._again_licences, self._again_codes = [], []
        bad = [0, 0]
        for firm, event, on in events:
            licence = licence_record(firm, event, on)
            licences.append(licence)
            if firm.org_code is None:
                continue
            code = code_record(firm, event, on)
            codes.append(code)
            if last:
                continue
            luck = self.b.rng.random()
            if luck < 0.002:
                licences[-1] = licence | {"org_code": wrong_check(firm.org_code)}
                self._again_licences.append(licence)
                bad[0] += 1
            elif luck < 0.004:
                codes[-1] = code | {"org_code": wrong_check(firm.org_code)}
                self._again_codes.append(code)
                bad[1] += 1
        self.b.planted["wrong-check-digit"] += bad[0]
        self.b.send(
            licences_on, 14, "industry-commerce", "business-licences", str(month), licences,
            "工商登记", expect={"rejected": bad[0]},
        )  # fmt: skip
        if last:
            self.b.planted["missing"] += 1
            return
        self.b.planted["wrong-check-digit"] += bad[1]
        self.b.send(
            codes_on, 15, "quality-supervision", "organisation-codes", str(month), codes,
            "组织机构代码", expect={"rejected": bad[1]},
        )  # fmt: skip


def licence_record(firm: Firm, event: str, on: date) -> dict[str, Any]:
    """A firm's ``business-licences`` record."""
    record: dict[str, Any] = {
        "licence_no": firm.licence_no,
        "name": firm.name,
        "reg_type": firm.reg_type,
        "industry": firm.industry,
        "unit": firm.unit,
        "licensed_on": firm.licensed_on,
        "event": event,
        "event_on": on,
        "commitment_letter": firm.number % 5 != 0,
        "headcount": firm.headcount,
    }
    if _says_where(firm):
        record["address"] = _address(firm, 0)
    if firm.licensed_on > OPENING_ON and firm.number % 7:
        record["notified_on"] = firm.licensed_on
    if firm.org_code:
        record["legal_rep"] = at_the_registry(firm)
    if firm.apart:
        record["name"] = apart.as_the_registry_writes(firm.name, firm.number)
    elif firm.org_code:
        record["org_code"] = firm.org_code
    else:
        record["owner_id"] = firm.owner_id
    return record


def code_record(firm: Firm, event: str, on: date) -> dict[str, Any]:
    """An enterprise's ``organisation-codes`` record."""
    record = {
        "org_code": firm.org_code,
        "name": firm.name,
        "unit": firm.unit,
        "issued_on": firm.licensed_on,
        "event": event,
        "event_on": on,
        "reg_type": firm.reg_type,
        "industry": firm.industry,
        "commitment_letter": firm.number % 5 != 0,
        "legal_rep": representative(firm),
    }
    if not firm.apart:
        record["licence_no"] = firm.licence_no
    if _says_where(firm):
        # One in three has moved house, and told only one of the two offices.
        record["address"] = _address(firm, 2 if firm.number % 3 == 0 else 0)
    return record


def _says_where(firm: Firm) -> bool:
    """Firms of which both offices have the address; a third of those that stand apart."""
    return (firm.org_code is not None and firm.number % 10 == 0) or (
        firm.apart and firm.number % 3 == 1
    )


def _address(firm: Firm, moved: int) -> str:
    return f"本溪市示例路{firm.number + moved}号"
