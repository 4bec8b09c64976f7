"""Applications to enrol and to leave, dekad by dekad and unit by unit (O30)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from kuomian.city import names
from kuomian.city.firms import OPENING_ON, Firm, employer_record
from kuomian.city.numbers import day_number, wrong_check
from kuomian.city.people import ACTIVE, RETIRED
from kuomian.city.sending import cut_off
from kuomian.city.shape import GROUPS, UnitShape
from shared.periods import Dekad

if TYPE_CHECKING:
    from kuomian.city.story import Builder

_WEIGHTS = [2, 4, 5, 5, 6, 6, 5, 4, 5, 5, 5, 6, 6, 5, 5, 6, 5, 5, 4, 4, 4]
"""How the year's net gain falls on the 21 dekads from May to November."""
_FIRST_NUMBER = 900_000
"""Where the numbering of people who enrol during the campaign begins."""


@dataclass(slots=True)
class _Resend:
    """What the next dekad's delivery of a unit must mend or repeat."""

    records: list[dict[str, Any]] = field(default_factory=list)
    duplicates: int = 0


@dataclass(slots=True)
class _Pools:
    """Who may still leave, move or enrol in one unit."""

    active: list[int]
    retired: list[int]
    unenrolled: list[Firm]
    shops: list[Firm]


class ApplicationDesk:
    """The agency's desk for employers, the units' desks for persons."""

    def __init__(self, b: Builder) -> None:
        self.b = b
        self._resend: dict[str, _Resend] = defaultdict(_Resend)
        self._late_employers: list[dict[str, Any]] = []
        self._number = 0
        self._dekad = 0
        self._pools = {shape.code: self._pool(shape) for shape in b.shapes}
        self.dead: dict[str, list[int]] = defaultdict(list)
        """Unit → whose death was reported, as places in its register."""

    def _pool(self, shape: UnitShape) -> _Pools:
        b, register = self.b, self.b.registers[shape.code]
        active = [
            at
            for at in range(len(register))
            if register.status[at] == ACTIVE and register.worker_class[at] != 2
        ]
        retired = [at for at in range(len(register)) if register.status[at] == RETIRED]
        b.rng.shuffle(active)
        b.rng.shuffle(retired)
        unenrolled = [f for f in b.enterprises[shape.code] if not f.enrolled_on]
        shops = [f for f in b.households[shape.code] if not f.enrolled_on]
        b.rng.shuffle(unenrolled)
        b.rng.shuffle(shops)
        return _Pools(active, retired, unenrolled, shops)

    def dekad(self, dekad: Dekad, sent_on: date, last: bool) -> None:
        """All applications of one dekad: employers first, then each unit's persons."""
        employers, self._late_employers = self._late_employers, []
        persons: dict[str, list[dict[str, Any]]] = {}
        expects: dict[str, dict[str, int]] = {}
        for shape in self.b.shapes:
            persons[shape.code], expects[shape.code] = self._unit(shape, dekad, employers, last)
        self.b.send(
            sent_on, 15, "agency", "employer-applications", str(dekad), employers, "单位参保申请"
        )
        for shape in self.b.shapes:
            self._send_unit(shape, dekad, sent_on, persons[shape.code], expects[shape.code])
        self._dekad += 1

    def admit(self, firms: list[Firm]) -> None:
        """New firms of the month: most will come to the desk sooner or later."""
        for firm in firms:
            if self.b.rng.random() < 0.6:
                pools = self._pools[firm.unit]
                (pools.shops if firm.household else pools.unenrolled).append(firm)

    def _send_unit(
        self,
        shape: UnitShape,
        dekad: Dekad,
        sent_on: date,
        records: list[dict[str, Any]],
        expect: dict[str, int],
    ) -> None:
        b, role, title = self.b, f"unit-{shape.code}", f"人员参保申请 {shape.name}"
        hour = 16
        if (shape.code, str(dekad)) in {("210505", "2008-07-D1"), ("210521", "2008-10-D2")}:
            sent_on += timedelta(days=3)
            b.planted["late"] += 1
        planned = b.send(
            sent_on, hour, role, "person-applications", str(dekad), records, title, expect=expect
        )
        if planned.kind == "ordinary" and (shape.code, str(dekad)) == ("210504", "2008-06-D2"):
            b.send(
                sent_on, hour - 1, role, "person-applications", str(dekad),
                cut_off(planned.body), f"{title}（中途截断）", count=planned.records, kind="cut",
                key=planned.key,
            )  # fmt: skip
            b.planted["cut"] += 1

    def _unit(
        self, shape: UnitShape, dekad: Dekad, employers: list[dict[str, Any]], last: bool
    ) -> tuple[list[dict[str, Any]], dict[str, int]]:
        b = self.b
        resend = self._resend.pop(shape.code, _Resend())
        records, expect = list(resend.records), {"duplicate": resend.duplicates}
        if (shape.code, str(dekad)) == ("L-BT", "2008-08-D1"):
            self._resend[shape.code] = resend
            return [], {}
        share = _WEIGHTS[self._dekad] / sum(_WEIGHTS) * b.rng.uniform(0.8, 1.2)
        gain = max(0, round(shape.net_gain * share))
        leave = round(gain * 0.25)
        wanted = gain + leave
        held = self._enrol(shape, dekad, wanted, records, employers, last)
        self._leave(shape, dekad, leave, records)
        self._retire(shape, dekad, round(gain * 0.2), records)
        self._move_in(shape, dekad, records)
        rejected = self._spoil(shape, records, len(resend.records), last)
        expect |= {"held": held, "rejected": rejected}
        return records, expect

    def _on(self, dekad: Dekad) -> date:
        after_on, up_to_on = dekad.window()
        days = (up_to_on - after_on).days
        return max(OPENING_ON, after_on) + timedelta(days=self.b.rng.randint(1, max(1, days)))

    def _application(self, desk: str, action: str, on: date, **fields: Any) -> dict[str, Any]:
        self._number += 1
        return {
            "application_no": f"SQ{desk}-{self._number:07d}",
            "action": action,
            "applied_on": on,
            "effective_on": on,
            **fields,
        }

    def _newcomers(self, shape: UnitShape, count: int) -> list[tuple[str, str]]:
        b = self.b
        births = day_number(OPENING_ON) - b.draw.integers(19 * 366, 48 * 365, count)
        numbers = b.identities.take(births, b.draw.random(count) < 0.55, shape.prefix)
        first = _FIRST_NUMBER + self._number
        return [(number, names.person(first + at)) for at, number in enumerate(numbers)]

    def _enrol(
        self,
        shape: UnitShape,
        dekad: Dekad,
        wanted: int,
        records: list[dict[str, Any]],
        employers: list[dict[str, Any]],
        last: bool,
    ) -> int:
        """Enrolments of one unit and dekad; returns how many are held at first."""
        pools = self._pools[shape.code]
        left, held = wanted, 0
        if shape.code not in GROUPS:
            for pool, share in ((pools.unenrolled, 0.3), (pools.shops, 0.15)):
                quota, not_yet = round(wanted * share), []
                while quota > 0 and pool:
                    firm = pool.pop()
                    if firm.closed:
                        continue
                    if firm.licensed_on > dekad.window()[1]:
                        not_yet.append(firm)
                        continue
                    count = min(firm.headcount, quota, left)
                    if count <= 0:
                        break
                    held += self._firm_enrols(shape, dekad, firm, count, records, employers, last)
                    quota -= count
                    left -= count
                pool.extend(not_yet)
            left = self._fill_gaps(shape, dekad, left, round(wanted * 0.2), records)
        firms = self.b.enterprises[shape.code] if shape.code in GROUPS else []
        for identity, name in self._newcomers(shape, left):
            group = self.b.rng.choice(firms) if firms else None
            kind = "employee" if group else "flexible"
            records.append(self._person(shape, self._on(dekad), identity, name, group, kind))
            if group:
                group.insured += 1
        return held

    def _firm_enrols(
        self,
        shape: UnitShape,
        dekad: Dekad,
        firm: Firm,
        count: int,
        records: list[dict[str, Any]],
        employers: list[dict[str, Any]],
        last: bool,
    ) -> int:
        b, on = self.b, max(self._on(dekad), firm.licensed_on)
        luck = b.rng.random()
        never = last and luck < 0.06 and not firm.household
        delayed = not last and luck < 0.05
        firm.enrolled_on, firm.insured = (None if never else on), count
        if not never:
            filed = employer_record(firm)
            del filed["status"], filed["enrolled_on"]  # the application says when
            application = self._application(shape.code, "enrol", on, **filed)
            (self._late_employers if delayed else employers).append(application)
        kind = "household" if firm.household else "employee"
        for identity, name in self._newcomers(shape, count):
            counted = not never
            records.append(self._person(shape, on, identity, name, firm, kind, counted=counted))
        if never:
            firm.insured = 0
            b.planted["held-forever"] += count
        elif delayed:
            b.planted["held-released"] += count
        return count if never or delayed else 0

    def _fill_gaps(
        self, shape: UnitShape, dekad: Dekad, left: int, quota: int, records: list[dict[str, Any]]
    ) -> int:
        b, unregistered = self.b, self._unregistered_now()
        short = [
            firm
            for firm in b.enterprises[shape.code]
            if firm.enrolled_on
            and firm.headcount > firm.insured > 0
            and firm.agency_no not in unregistered
        ]
        for firm in b.rng.sample(short, min(len(short), quota)):
            count = min(firm.headcount - firm.insured, quota, left)
            if count <= 0:
                break
            for identity, name in self._newcomers(shape, count):
                on = max(self._on(dekad), firm.enrolled_on or OPENING_ON)
                records.append(self._person(shape, on, identity, name, firm, "employee"))
            firm.insured += count
            quota -= count
            left -= count
        return left

    def _person(
        self,
        shape: UnitShape,
        on: date,
        identity: str,
        name: str,
        firm: Firm | None,
        worker_class: str,
        *,
        counted: bool = True,
    ) -> dict[str, Any]:
        record = self._application(
            shape.code, "enrol", on, identity_no=identity, name=name, unit=shape.code,
            worker_class=worker_class, post="worker",
        )  # fmt: skip
        if firm is not None:
            record["agency_no"] = firm.agency_no
        if counted:
            self.b.truth.person(shape.code, on, total=1, active=1)
        return record

    def _leave(
        self, shape: UnitShape, dekad: Dekad, count: int, records: list[dict[str, Any]]
    ) -> None:
        b, pools, register = self.b, self._pools[shape.code], self.b.registers[shape.code]
        for nth in range(count):
            on = self._on(dekad)
            died = nth % 2 == 0
            pool = pools.retired if died else pools.active
            if not pool:
                continue
            at = pool.pop()
            records.append(
                self._application(
                    shape.code, "leave", on, identity_no=register.identity[at],
                    name=names.person(register.first_number + at), unit=shape.code,
                    reason="died" if died else b.rng.choice(["moved-out", "ended"]),
                )
            )  # fmt: skip
            b.truth.person(shape.code, on, total=-1, active=0 if died else -1)
            if died:
                self.dead[shape.code].append(at)
            self._one_less(shape.code, at)

    def _retire(
        self, shape: UnitShape, dekad: Dekad, count: int, records: list[dict[str, Any]]
    ) -> None:
        b, pools, register = self.b, self._pools[shape.code], self.b.registers[shape.code]
        for _ in range(min(count, len(pools.active))):
            on, at = self._on(dekad), pools.active.pop()
            records.append(
                self._application(
                    shape.code, "leave", on, identity_no=register.identity[at],
                    name=names.person(register.first_number + at), unit=shape.code,
                    reason="retired",
                )
            )  # fmt: skip
            b.truth.person(shape.code, on, active=-1)
            self._one_less(shape.code, at)

    def _move_in(self, shape: UnitShape, dekad: Dekad, records: list[dict[str, Any]]) -> None:
        """People insured elsewhere in the city who now work here as flexible workers."""
        b = self.b
        others = [other for other in b.shapes if other.code != shape.code]
        for _ in range(round(4 * b.scale + b.rng.random() * 0.9)):
            source = b.rng.choice(others)
            pool = self._pools[source.code].active
            if not pool:
                continue
            on, at = self._on(dekad), pool.pop()
            register = b.registers[source.code]
            records.append(
                self._application(
                    shape.code, "enrol", on, identity_no=register.identity[at],
                    name=names.person(register.first_number + at), unit=shape.code,
                    worker_class="flexible", post="worker",
                )
            )  # fmt: skip
            b.truth.person(source.code, on, total=-1, active=-1)
            b.truth.person(shape.code, on, total=1, active=1)
            b.planted["moved-person"] += 1
            self._one_less(source.code, at)

    def still_flexible(self, unit: str, count: int) -> list[int]:
        """Flexible workers of whom the story has told nothing, as places in the unit's register;
        they are not told of again."""
        pool, register = self._pools[unit].active, self.b.registers[unit]
        taken = [at for at in pool if register.firm[at] < 0][:count]
        self._pools[unit].active = [at for at in pool if at not in set(taken)]
        return taken

    def _one_less(self, unit: str, at: int) -> None:
        register = self.b.registers[unit]
        if register.status[at] == ACTIVE and register.firm[at] >= 0:
            register.firms[register.firm[at]].insured -= 1

    def _spoil(
        self, shape: UnitShape, records: list[dict[str, Any]], fresh_from: int, last: bool
    ) -> int:
        """Plant the mess of one delivery; returns how many records it makes refused."""
        b, again, rejected = self.b, _Resend(), 0
        held_firms = self._unregistered_now()
        for at in range(fresh_from, len(records)):
            record = records[at]
            if last or record["action"] != "enrol" or record.get("agency_no") in held_firms:
                continue
            luck = b.rng.random()
            if luck < 0.004:
                records[at] = record | {"identity_no": wrong_check(record["identity_no"])}
                again.records.append(record)
                b.planted["wrong-check-digit"] += 1
                rejected += 1
            elif luck < 0.010:
                again.records.append(record)
                again.duplicates += 1
                b.planted["duplicate"] += 1
            elif luck < 0.014 and record["worker_class"] == "employee":
                again.records.append(record | {"worker_class": "migrant"})
                b.planted["correction"] += 1
        if again.records:
            self._resend[shape.code] = again
        if self._dekad % 7 == 3 and shape.code == "210503" and records:
            other = dict(records[-1]) | {"unit": "210502"}
            other["application_no"] += "X"
            records.append(other)
            b.planted["not-yours"] += 1
            rejected += 1
        return rejected

    def _unregistered_now(self) -> set[str]:
        return {application["agency_no"] for application in self._late_employers}
