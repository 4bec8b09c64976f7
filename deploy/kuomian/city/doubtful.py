"""Persons the register has to doubt, told in deliveries of their own: over and under age, dead,
under two names, by the short form of their number, out of order, interrupted, transferred.

Told after the rest of the story, about people nothing else was told of; what they change is in the
truth.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from kuomian.city import names
from kuomian.city.firms import employer_record
from kuomian.city.numbers import day_number
from kuomian.city.shape import UnitShape
from shared.periods import Dekad

if TYPE_CHECKING:
    from kuomian.city.applications import ApplicationDesk
    from kuomian.city.story import Builder

Record = dict[str, Any]

_JUNE, _SEPTEMBER, _OCTOBER = map(Dekad.parse, ("2008-06-D2", "2008-09-D2", "2008-10-D1"))
_ON, _LATER_ON = date(2008, 9, 16), date(2008, 10, 6)
_AGES, _DEAD, _NAMES, _SHORT, _LATE, _INTERRUPTED, _TRANSFERS, _LEFT = 24, 5, 6, 6, 6, 12, 8, 4
"""In the whole city."""
_ELSEWHERE = ("210103", "130203")
"""Where people are transferred from and to: within the province, and beyond it."""
_AGED = (
    ("too-old", date(1945, 3, 1), True),
    ("too-young", date(1991, 10, 1), True),
    ("post-unknown", date(1956, 2, 1), False),
)
"""Finding, birth date, whether a man: women of 52 whose post would tell have none stated."""
_FIRST_NAME = 700_000


class Doubtful:
    """The applications, desk by desk."""

    def __init__(self, b: Builder, desk: ApplicationDesk) -> None:
        self.b, self.desk = b, desk
        self._told = 0

    def tell(self) -> None:
        """Every kind, each at the desk of another county."""
        counties = [unit.code for unit in self.b.plan.units if unit.kind == "county"]
        self._transfers(counties[3])
        self._doubts(counties[0])
        self._interrupted(counties[4])
        self._short_numbers(counties[1])
        self._told_late(counties[2])

    def _doubts(self, unit: str) -> None:
        b = self.b
        records = [*self._aged(unit), *self._at_firms_that_left(unit)]
        dead = self.desk.dead[unit][: b.some(_DEAD, 2)]
        records += [
            self._about(unit, "enrol", _ON, at, worker_class="flexible", post="worker")
            for at in dead
        ]
        b.planted["dead"] += len(dead)
        known = self.desk.still_flexible(unit, b.some(_NAMES, 2))
        for at in known:
            record = self._about(unit, "enrol", _ON, at, worker_class="flexible", post="worker")
            other = names.namesake(b.registers[unit].first_number + at)
            records.append(record | {"name": other})
        b.planted["two-names"] += len(known)
        self._send(unit, _SEPTEMBER, records, "存疑", expect={"rejected": len(dead)})

    def _aged(self, unit: str) -> Iterable[Record]:
        """Enrolments over and under age, and of women whose post would tell."""
        for finding, born_on, man in _AGED:
            count = self.b.some(_AGES / len(_AGED))
            for number in self._newcomers(unit, born_on, man, count):
                stated = {} if finding == "post-unknown" else {"post": "worker"}
                yield self._enrol(unit, _ON, number, worker_class="flexible", **stated)
            self.b.planted["wrong-age"] += count

    def _at_firms_that_left(self, unit: str) -> Iterable[Record]:
        """Enrolments by households that had taken their own leave of the register before."""
        b, shape = self.b, self._shape(unit)
        came_on, left_on = date(2008, 8, 25), date(2008, 9, 5)
        told = []
        for _ in range(b.some(_LEFT)):
            shop = b.maker.household(shape, came_on, b.maker.owner(shape))
            filed = employer_record(shop)
            del filed["status"], filed["enrolled_on"], filed["unit"]
            told.append(self._application(unit, "enrol", came_on, **filed))
            about = {"agency_no": shop.agency_no}
            told.append(self._application(unit, "leave", left_on, **about))
            [number] = self._newcomers(unit, date(1970, 5, 1), True, 1)
            stated = {"worker_class": "household", "post": "worker"}
            yield self._enrol(unit, _ON, number, **stated, **about)
            b.planted["employer-left"] += 1
        b.send(
            date(2008, 9, 10), 18, "agency", "employer-applications", "2008-09-D1", told,
            "单位登记与注销",
        )  # fmt: skip

    def _interrupted(self, unit: str) -> None:
        """Payment interrupted in September; half of them go on in October."""
        people = self.desk.still_flexible(unit, self.b.some(_INTERRUPTED, 4))
        stopped = [self._about(unit, "leave", _ON, at, reason="suspended") for at in people]
        self.b.planted["interrupted"] += len(people)
        self._send(unit, _SEPTEMBER, stopped, "缴费中断")
        resumed = [
            self._about(unit, "enrol", _LATER_ON, at, worker_class="flexible", post="worker")
            for at in people[::2]
        ]
        self._send(unit, _OCTOBER, resumed, "恢复缴费")

    def _short_numbers(self, unit: str) -> None:
        """People registered by 18 digits leave by 15: unknown, were the forms two persons."""
        people = self.desk.still_flexible(unit, self.b.some(_SHORT, 2))
        records = []
        for at in people:
            record = self._about(unit, "leave", _ON, at, reason="ended")
            number = record["identity_no"]
            records.append(record | {"identity_no": number[:6] + number[8:17]})
            self.b.truth.person(unit, _ON, total=-1, active=-1)
        self.b.planted["short-number"] += len(people)
        self._send(unit, _SEPTEMBER, records, "十五位号码", plants="short-number")

    def _told_late(self, unit: str) -> None:
        """They leave on the 16th; what they applied for before that day is told weeks later."""
        people = self.desk.still_flexible(unit, self.b.some(_LATE, 2))
        gone = [self._about(unit, "leave", _ON, at, reason="ended") for at in people]
        for _ in people:
            self.b.truth.person(unit, _ON, total=-1, active=-1)
        self._send(unit, _SEPTEMBER, gone, "终止")
        earlier_on = date(2008, 9, 1)
        late = [
            self._about(unit, "enrol", earlier_on, at, worker_class="flexible", post="worker")
            for at in people
        ]
        self.b.planted["told-late"] += len(people)
        self._send(unit, _OCTOBER, late, "补报九月初变更", plants="told-late")

    def _transfers(self, unit: str) -> None:
        """To other cities and from them, within the province and beyond."""
        b, on = self.b, date(2008, 6, 17)
        each = b.some(_TRANSFERS / 2)
        gone = self.desk.still_flexible(unit, each)
        records = [
            self._about(unit, "transfer-out", on, at, other_place=_ELSEWHERE[nth % 2])
            for nth, at in enumerate(gone)
        ]
        for _ in gone:
            b.truth.person(unit, on, total=-1, active=-1)
        for nth, number in enumerate(self._newcomers(unit, date(1972, 8, 1), True, each)):
            record = self._enrol(unit, on, number, worker_class="flexible", post="worker")
            records.append(
                record | {"action": "transfer-in", "other_place": _ELSEWHERE[(nth + 1) % 2]}
            )
        b.planted["transfers"] += len(records)
        self._send(unit, _JUNE, records, "关系转移")

    def _newcomers(self, unit: str, born_on: date, man: bool, count: int) -> list[str]:
        births = np.full(count, day_number(born_on))
        return self.b.identities.take(births, np.full(count, man), self._shape(unit).prefix)

    def _shape(self, unit: str) -> UnitShape:
        return next(shape for shape in self.b.shapes if shape.code == unit)

    def _number(self, unit: str) -> str:
        self._told += 1
        return f"CY{unit}-{self._told:04d}"

    def _application(self, unit: str, action: str, on: date, **fields: Any) -> Record:
        return {
            "application_no": self._number(unit),
            "action": action,
            "applied_on": on,
            "effective_on": on,
            "unit": unit,
            **fields,
        }

    def _about(self, unit: str, action: str, on: date, at: int, **fields: Any) -> Record:
        """An application about someone of the opening register."""
        register = self.b.registers[unit]
        who = {
            "identity_no": register.identity[at],
            "name": names.person(register.first_number + at),
        }
        return self._application(unit, action, on, **who, **fields)

    def _enrol(self, unit: str, on: date, identity: str, **fields: Any) -> Record:
        """An application of someone new, who counts from the day."""
        self.b.truth.person(unit, on, total=1, active=1)
        who = {"identity_no": identity, "name": names.person(_FIRST_NAME + self._told)}
        return self._application(unit, "enrol", on, **who, **fields)

    def _send(
        self,
        unit: str,
        dekad: Dekad,
        records: list[Record],
        title: str,
        *,
        expect: dict[str, int] | None = None,
        plants: str = "",
    ) -> None:
        """On the day of the dekad's own applications, after them."""
        planned = self.b.send(
            dekad.cutoff_on(), 18, f"unit-{unit}", "person-applications", str(dekad),
            records, f"人员参保申请（{title}）", expect=expect,
        )  # fmt: skip
        planned.plants = plants
