"""The census of May to July, and the letters about employers (O65–O70, O85), dekad by dekad.

Persons found work for employers that enrolled nobody, or on their own; what is counted in the
truth is what stands in the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from kuomian.city import names
from kuomian.city.firms import OPENING_ON, Firm
from kuomian.city.numbers import day_number, wrong_check
from kuomian.city.shape import GROUPS, UnitShape
from shared.periods import Dekad

if TYPE_CHECKING:
    from kuomian.city.story import Builder

FIRST, LAST = Dekad.parse("2008-05-D2"), Dekad.parse("2008-07-D3")
_BEGUN_ON = date(2008, 5, 1)
_DEKADS = 8
_RESIDENCES, _FOUND, _COMPLAINTS = 20_000, 30_000, 900
"""In the whole city: residences visited, persons found, complaints from May to November."""
_FIRST_NUMBER = 1_500_000
"""Where the numbering of persons found begins."""
_INSPECTED = (Dekad.parse("2008-06-D2"), Dekad.parse("2008-09-D2"))
"""The dekads in which the labour inspection went round, once a quarter (O60)."""
_STREETS = ("东明街道", "千金街道", "站前街道", "新明街道", "崔东街道", "北台镇")
_ELSEWHERE = "insured-elsewhere"
_REASONS = (
    ["employer-did-not"] * 5
    + ["temporary-work", "between-jobs", "no-means", "unwilling", "not-informed"]
    + ["from-the-country", _ELSEWHERE]
)
_GROUNDS = ["not-registered"] * 5 + ["staff-left-out"] * 4 + ["wages-hidden", "deducted-not-paid"]


@dataclass(slots=True)
class _Desk:
    """One unit's frame, and what its next delivery must mend or repeat."""

    frame: list[dict[str, Any]]
    unvisited: list[dict[str, Any]]
    unenrolled: list[Firm]
    entries: int = 0
    again: list[dict[str, Any]] = field(default_factory=list)
    duplicates: int = 0


class CensusOffice:
    """Each county's census, and the bodies that take complaints."""

    def __init__(self, b: Builder) -> None:
        self.b = b
        # Draws of its own, so that the rest of the story stays what it is without the census.
        self.rng = Random(b.seed + 1)
        self.draw = np.random.default_rng(b.seed + 1)
        self._complaints = 0
        self._told_of: dict[int, tuple[Firm, date]] = {}
        """Enterprises complained of or inspected, with the first day."""
        self._desks = {
            shape.code: self._desk(shape)
            for shape in b.shapes
            if b.plan.unit(shape.code).kind in ("county", "zone")
        }

    def _desk(self, shape: UnitShape) -> _Desk:
        b = self.b
        share = shape.enterprises / sum(s.enterprises for s in b.shapes if s.code not in GROUPS)
        firms = b.enterprises[shape.code] + b.households[shape.code]
        frame = [
            {
                "kind": "household-business" if firm.household else "enterprise",
                "name": firm.name,
                **({} if firm.apart else {"licence_no": firm.licence_no}),
                **({"org_code": firm.org_code} if firm.org_code else {}),
            }
            for firm in firms
        ]
        frame += [{"kind": "residence"}] * b.some(_RESIDENCES * share)
        frame = [
            {
                "frame_no": f"PC{at:06d}",
                "unit": shape.code,
                "street": _STREETS[at % len(_STREETS)],
                **entry,
            }
            for at, entry in enumerate(frame)
        ]
        unvisited = list(frame)
        self.rng.shuffle(unvisited)
        unenrolled = [firm for firm in firms if not firm.enrolled_on and firm.org_code]
        return _Desk(frame, unvisited, unenrolled)

    def dekad(self, dekad: Dekad, sent_on: date) -> None:
        """Visits and findings while the census lasts; complaints all the time."""
        if FIRST <= dekad <= LAST:
            for shape in self.b.shapes:
                if shape.code in self._desks:
                    self._visits(shape, dekad, sent_on)
                    self._found(shape, dekad, sent_on)
        self._letters(dekad, sent_on)
        if dekad in _INSPECTED:
            self._inspection(dekad, sent_on)

    def _on(self, dekad: Dekad) -> date:
        after_on, up_to_on = dekad.window()
        first_on = _BEGUN_ON if dekad == FIRST else after_on + timedelta(days=1)
        last_on = min(up_to_on, self.b.plan.calendar.census_to.value)
        return first_on + timedelta(days=self.rng.randint(0, (last_on - first_on).days))

    def _visits(self, shape: UnitShape, dekad: Dekad, sent_on: date) -> None:
        """The whole frame with the first delivery; then a share of it visited each dekad. About
        one place in nine is left in the end."""
        b, desk = self.b, self._desks[shape.code]
        records = list(desk.frame) if dekad == FIRST else []
        count = round(len(desk.frame) / _DEKADS * 0.9)
        visits = [self._visit(desk.unvisited.pop(), dekad) for _ in range(count) if desk.unvisited]
        if dekad == FIRST:  # the first visits come with the frame: one record for each place
            visited = {visit["frame_no"]: visit for visit in visits}
            records = [visited.get(record["frame_no"], record) for record in records]
        else:
            records += visits
        for visit in visits:
            if visit["outcome"] != "absent":
                b.truth.add("census-visited", shape.code, visit["visited_on"], 1)
        b.send(
            sent_on, 10, f"unit-{shape.code}", "census-units", str(dekad), records,
            f"普查走访 {shape.name}",
        )  # fmt: skip

    def _visit(self, place: dict[str, Any], dekad: Dekad) -> dict[str, Any]:
        luck = self.rng.random()
        outcome = "refused" if luck < 0.03 else "absent" if luck < 0.07 else "done"
        found = self.rng.randint(0, 9) if outcome == "done" else 0
        return place | {
            "visited_on": self._on(dekad),
            "visitor": f"PCY{self.rng.randint(1, 90):03d}",
            "outcome": outcome,
            "persons_found": found,
            "uninsured_found": found // 4,
        }

    def _found(self, shape: UnitShape, dekad: Dekad, sent_on: date) -> None:
        b, desk = self.b, self._desks[shape.code]
        share = shape.enterprises / sum(s.enterprises for s in b.shapes if s.code not in GROUPS)
        records = list(desk.again)
        expect = {"duplicate": desk.duplicates, "rejected": 0}
        desk.again, desk.duplicates = [], 0
        births = day_number(OPENING_ON) - self.draw.integers(
            17 * 365, 63 * 366, b.some(_FOUND * share / _DEKADS)
        )
        male = self.draw.random(len(births)) < 0.5
        register = b.registers[shape.code]
        numbers = b.identities.take(births, male, shape.prefix)
        for at in range(8, len(numbers), 17):  # say they are not insured, and are
            numbers[at] = self.rng.choice(register.identity)
            b.truth.add("census-found-insured", shape.code, sent_on, 1)
        for number in numbers:
            record = self._person(shape, desk, dekad, number)
            b.truth.add("census-found", shape.code, record["found_on"], 1)
            b.planted["elsewhere"] += record["reason"] == _ELSEWHERE
            luck = 1.0 if dekad == LAST else self.rng.random()
            if luck < 0.004 and len(record.get("identity_no", "")) == 18:
                records.append(record | {"identity_no": wrong_check(record["identity_no"])})
                desk.again.append(record)
                b.planted["wrong-check-digit"] += 1
                expect["rejected"] += 1
                continue
            records.append(record)
            if luck < 0.010:
                desk.again.append(record)
                desk.duplicates += 1
                b.planted["duplicate"] += 1
            elif luck < 0.016:
                desk.again.append(record | {"reason": "other"})
                b.planted["census-corrected"] += 1
                b.planted["elsewhere"] -= record["reason"] == _ELSEWHERE
        b.send(
            sent_on, 11, f"unit-{shape.code}", "census-persons", str(dekad), records,
            f"普查未参保人员 {shape.name}", expect=expect,
        )  # fmt: skip

    def _person(self, shape: UnitShape, desk: _Desk, dekad: Dekad, number: str) -> dict[str, Any]:
        rng, at = self.rng, desk.entries
        desk.entries += 1
        record: dict[str, Any] = {
            "entry_no": f"PR{at:06d}",
            "unit": shape.code,
            "street": _STREETS[at % len(_STREETS)],
            "found_on": self._on(dekad),
            "name": names.person(_FIRST_NUMBER + at),
            "worker_class": "flexible",
            "reason": rng.choice(_REASONS),
            "can_pay": rng.random() < 0.7,
            "identity_no": number,
        }
        if at % 25 == 0:  # some do not carry their card, some an old one
            del record["identity_no"]
            record["sex"] = "M" if int(number[16]) % 2 else "F"
            record["birth_on"] = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
        elif at % 7 == 0:
            record["identity_no"] = number[:6] + number[8:17]
        if at % 11:
            record["post"] = "cadre" if at % 9 == 0 else "worker"
        if at % 3 and desk.unenrolled:
            firm = rng.choice(desk.unenrolled)
            record |= {
                "worker_class": "employee",
                "employer_name": firm.name,
                "org_code": firm.org_code,
            }
        return record

    def _letters(self, dekad: Dekad, sent_on: date) -> None:
        """What unions, youth league and women's federation took in, and the inspection."""
        b = self.b
        desks = [shape for shape in b.shapes if shape.code in self._desks]
        for role in ("group-body", "labour-inspection"):
            records = [
                self._letter(self.rng.choice(desks), dekad)
                for _ in range(b.some(_COMPLAINTS / 21 / 2))
            ]
            for record in records:
                b.truth.add("complaints", record["unit"], record["received_on"], 1)
            b.send(sent_on, 12, role, "complaints", str(dekad), records, "群众信访和举报")

    def _letter(self, shape: UnitShape, dekad: Dekad) -> dict[str, Any]:
        b = self.b
        self._complaints += 1
        number = self._complaints
        after_on, up_to_on = dekad.window()
        known = [one for one in b.enterprises[shape.code] if one.licensed_on <= after_on]
        firm = self.rng.choice(known)
        days = self.rng.randint(1, (up_to_on - after_on).days)
        self._note(firm, after_on + timedelta(days=days))
        record: dict[str, Any] = {
            "complaint_no": f"XF{number:05d}",
            "received_on": after_on + timedelta(days=days),
            "channel": self.rng.choice(["letter", "visit", "phone", "mailbox"]),
            "unit": shape.code,
            "ground": self.rng.choice(_GROUNDS),
            "employer_name": firm.name,
            "org_code": firm.org_code,
            "content": f"示例举报{number}：该单位未给职工办理养老保险",
            "anonymous": number % 3 == 0,
        }
        if number % 3:
            record |= {
                "informant_name": names.person(_FIRST_NUMBER + 7 * number),
                "informant_contact": f"示例电话{number}",
            }
        if number % 4 == 0:
            record["persons_affected"] = self.rng.randint(1, 60)
        return record

    def _note(self, firm: Firm, on: date) -> None:
        _, first_on = self._told_of.get(firm.number, (firm, on))
        self._told_of[firm.number] = firm, min(first_on, on)

    def close(self) -> None:
        """Once everybody's fate is known: who was told of and enrolled after it."""
        self.b.planted["told-on"] += sum(
            firm.enrolled_on is not None and firm.enrolled_on >= first_on
            for firm, first_on in self._told_of.values()
        )

    def _inspection(self, dekad: Dekad, sent_on: date) -> None:
        """One employer of each unit that enrolled nobody, and how many work there (O33)."""
        records: list[dict[str, Any]] = []
        for shape in self.b.shapes:
            desk = self._desks.get(shape.code)
            unenrolled = [] if desk is None else [f for f in desk.unenrolled if not f.enrolled_on]
            for firm in unenrolled[:1]:
                self._note(firm, dekad.window()[1])
                records.append(
                    {
                        "finding_no": f"JC-{dekad}-{len(records) + 1:02d}",
                        "inspected_on": dekad.window()[1],
                        "unit": shape.code,
                        "employer_name": firm.name,
                        "org_code": firm.org_code,
                        "staff_found": firm.headcount,
                        "not_enrolled": firm.headcount,
                        "without_contract": firm.headcount // 2,
                    }
                )
        feed, title = "inspection-findings", "劳动监察检查结果"
        self.b.send(sent_on, 13, "labour-inspection", feed, str(dekad), records, title)
