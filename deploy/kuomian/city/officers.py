"""What officers do in the months of the campaign: work on leads, pairs, applications.

Chosen when the story is told: promises are kept by firms that enrolled in time, and broken by
firms that never did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from kuomian.city import names
from kuomian.city.contradictions import Contradictions, Pair
from kuomian.city.firms import OPENING_ON, Firm
from kuomian.city.numbers import day_number
from kuomian.city.sending import local
from kuomian.city.shape import GROUPS, UnitShape

if TYPE_CHECKING:
    from kuomian.city.story import Builder

FIRST_ON, SECOND_ON, THIRD_ON, FOURTH_ON = (date(2008, month, 25) for month in (6, 7, 9, 10))
LAST_ON = date(2008, 12, 6)
"""The days on which officers sit down to it; the last one is that of the closing."""
_DAYS = (FIRST_ON, SECOND_ON, THIRD_ON, FOURTH_ON)
_HOUR = 9
_KEPT, _BROKEN, _EXCLUDED, _REFUSED, _NAMES, _PAIRS = 8, 6, 6, 4, 6, 16
"""In the whole city."""
_FIRST_NAME = 800_000
_AGENCY = "agency"
_BROKEN_STAGES: tuple[tuple[date, dict[str, Any]], ...] = (
    (
        FIRST_ON,
        {"stage": "notified", "means": "notice", "text": "送达参保登记通知书，限三十日内办理"},
    ),
    (
        SECOND_ON,
        {
            "stage": "promised",
            "means": "phone",
            "text": "负责人称资金周转困难，承诺八月底前办理",
            "promised_by": "2008-08-31",
        },
    ),
    (THIRD_ON, {"stage": "notified", "means": "visit", "text": "承诺到期未办，再次上门催办"}),
    (FOURTH_ON, {"stage": "in-enforcement", "text": "两次催办未果，移送劳动保障监察"}),
)
_MEASURE = {
    "kind": "measure",
    "on": f"{FOURTH_ON}",
    "text": "列入领导小组办公室督办名单，限十一月底前办理",
    "next_step": "听取监察处理结果",
    "next_on": "2008-11-30",
}


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing an officer does over the API."""

    send_at: datetime
    name: str
    """Distinct within a city."""
    role: str
    what: str
    """``lead``, ``apply``, ``decide``, ``pair``, ``conflict`` or ``person-name``."""
    about: str
    """An employer's key, two of them, or an application's number; nothing for a queue's oldest."""
    path: str = ""
    """Of a lead: what is done to it."""
    given: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""
    """The problem's code, of a deed that must not be let through."""
    stale: bool = False
    """By somebody who has not seen what the deed before it changed."""


class Officers:
    """Everybody's deeds, day by day."""

    def __init__(self, b: Builder, contradictions: Contradictions) -> None:
        self.b, self.c = b, contradictions
        self.deeds: list[Deed] = []

    def tell(self) -> list[Deed]:
        """All deeds in order; applications that are approved are in the truth."""
        self._promises_kept()
        self._promises_broken()
        self._exclusions()
        self._applications()
        self._identities()
        self.deeds.sort(key=lambda deed: deed.send_at)
        return self.deeds

    def _do(self, on: date, role: str, what: str, about: str, path: str = "", **more: Any) -> None:
        at = local(on, _HOUR) + timedelta(minutes=len(self.deeds) % 120)
        name = f"{on:%m%d}-{len(self.deeds) + 1:04d}"
        self.deeds.append(Deed(at, name, role, what, about, path, **more))

    def _lead(self, on: date, role: str, firm: Firm, path: str, given: Any, **more: Any) -> None:
        self._do(on, role, "lead", f"oc:{firm.org_code}", path, given=given, **more)

    def _promises_kept(self) -> None:
        """Visited, promised, enrolled before the day."""
        b, kept = self.b, list(self._enrolling())
        firms = self.c.rng.sample(kept, min(len(kept), b.some(_KEPT, 2)))
        for firm, day in firms:
            assert firm.enrolled_on is not None  # noqa: S101 - they were chosen for it
            visit = {"on": f"{day}", "means": "visit", "text": "上门讲解参保政策，负责人愿意办理"}
            self._lead(day, _AGENCY, firm, "contacts", visit)
            promised = {
                "stage": "promised",
                "on": f"{day}",
                "means": "phone",
                "text": "负责人来电，承诺按期办理参保登记",
                "promised_by": f"{firm.enrolled_on + timedelta(days=5)}",
            }
            self._lead(day, _AGENCY, firm, "stage", promised)
        b.planted["promise-kept"] += len(firms)

    def _enrolling(self) -> Iterator[tuple[Firm, date]]:
        """Firms that enrolled some time after an office day, with that day."""
        firms = (
            firm
            for shape in self.b.shapes
            if shape.code not in GROUPS
            for firm in self.b.enterprises[shape.code]
        )
        for firm in firms:
            on = firm.enrolled_on
            if on is None or on <= FIRST_ON or firm.apart or firm.licensed_on > OPENING_ON:
                continue
            yield firm, max(day for day in _DAYS if day < on)

    def _promises_broken(self) -> None:
        """Told, promised, nothing done, told again, handed to the inspection."""
        firms = self.c.take(self.b.some(_BROKEN, 2))
        for nth, firm in enumerate(firms):
            unit = f"unit-{firm.unit}"
            clerk = {"officer": f"{unit}@demo", "officer_name": names.person(nth)}
            self._lead(FIRST_ON, _AGENCY, firm, "assignment", clerk)
            for on, given in _BROKEN_STAGES:
                role = _AGENCY if on == FOURTH_ON else unit
                self._lead(on, role, firm, "stage", {"on": f"{on}"} | given)
            if nth == 0:
                self._colleague(firm)
            self._lead(FOURTH_ON, "leading-group", firm, "contacts", _MEASURE)
        self.b.planted["promise-broken"] += len(firms)
        self.b.planted["escalated"] += len(firms)

    def _colleague(self, firm: Firm) -> None:
        """Somebody with the lead as it was before still on the screen."""
        again = {"on": f"{FOURTH_ON}", "means": "phone", "text": "电话催办"}
        self._lead(
            FOURTH_ON, _AGENCY, firm, "contacts", again, refused="precondition-failed", stale=True
        )
        self.b.planted["deed-refused"] += 1

    def _exclusions(self) -> None:
        """Proposed by one, decided by another: agreed but for the last."""
        firms = self.c.take(self.b.some(_EXCLUDED, 2))
        for nth, firm in enumerate(firms):
            unit, agreed = f"unit-{firm.unit}", nth < len(firms) - 1
            visit = {
                "on": f"{FOURTH_ON}",
                "means": "visit",
                "text": "走访，负责人称职工均已参加行业统筹",
            }
            self._lead(FOURTH_ON, unit, firm, "contacts", visit)
            why = {"reason": "insured-elsewhere", "text": "已核对行业统筹参保证明及缴费单"}
            self._lead(LAST_ON, _AGENCY, firm, "exclusion", why)
            if nth == 0:
                own = {"agreed": True, "text": "属实"}
                self._lead(LAST_ON, _AGENCY, firm, "exclusion/review", own, refused="same-person")
                self.b.planted["deed-refused"] += 1
            text = "属实" if agreed else "证明只涉及部分职工，其余仍应参保"
            review = {"agreed": agreed, "text": text}
            self._lead(LAST_ON, unit, firm, "exclusion/review", review)
            self.b.planted["excluded"] += agreed

    def _applications(self) -> None:
        """Applicants whose age an officer would refuse; the plan forbids it and they are enrolled.
        One whose papers are missing is refused."""
        b, on = self.b, FOURTH_ON
        counties = [shape for shape in b.shapes if b.plan.unit(shape.code).kind == "county"]
        count = b.some(_REFUSED)
        for nth in range(count + 1):
            shape = counties[nth % len(counties)]
            unit, number = f"unit-{shape.code}", f"JB{shape.code}-{nth + 1:04d}"
            self._do(on, unit, "apply", number, given=self._applicant(shape, number, nth))
            if nth == count:
                why = {"decision": "refuse", "reason": "papers-missing", "note": "证明材料未补齐"}
                self._do(on, _AGENCY, "decide", number, given=why)
                continue
            approved = {"decision": "approve"}
            if nth == 0:
                self._do(on, unit, "decide", number, given=approved, refused="same-person")
                b.planted["deed-refused"] += 1
            said = {"decision": "refuse", "reason": "higher-age", "note": "年龄偏大，不予接收"}
            self._do(on, _AGENCY, "decide", number, given=said, refused="refusal-forbidden")
            self._do(on, _AGENCY, "decide", number, given=approved)
            b.truth.person(shape.code, on, total=1, active=1)
        b.planted["forbidden-refusal"] += count

    def _applicant(self, shape: UnitShape, number: str, nth: int) -> dict[str, Any]:
        """A man of 57, who may enrol until 60."""
        births = np.full(1, day_number(date(1951, 3, 1)))
        [identity] = self.b.identities.take(births, np.full(1, True), shape.prefix)
        return {
            "application_no": number,
            "action": "enrol",
            "applied_on": f"{FOURTH_ON}",
            "effective_on": f"{FOURTH_ON}",
            "identity_no": identity,
            "name": names.person(_FIRST_NAME + nth),
            "unit": shape.code,
            "worker_class": "flexible",
            "post": "worker",
        }

    def _identities(self) -> None:
        """Who is whom: pairs, a row with numbers of two firms, numbers told with two names."""
        b = self.b
        for pair in self.c.one_firm[: b.some(_PAIRS, 4)]:
            self._pair(pair, "confirm", "两处号码经核对营业执照，为同一单位")
        for pair in self.c.two_firms:
            self._pair(pair, "split", "法定代表人相同，但执照与代码证为两家企业")
        windows = [f"oc:{window.org_code}" for window in b.windows]
        groups = [f"oc:{w.org_code}" for w in b.windows if w.unit in GROUPS]
        for group in groups[:2]:
            self._pair(Pair(windows[0], group), "refuse", "分属两个社会保险经办窗口")
        for _ in range(self.c.crossed):
            given = {"decision": "keep", "reason": "代码证填写他人执照号，号码不动"}
            self._do(LAST_ON, _AGENCY, "conflict", "", given=given)
        for nth in range(min(b.planted["two-names"], b.some(_NAMES, 2))):
            decision = "different" if nth == 0 else "same"
            text = "身份证核对，号码系误填" if nth == 0 else "户口簿证明改名"
            given = {"decision": decision, "reason": text}
            self._do(LAST_ON, _AGENCY, "person-name", "", given=given)

    def _pair(self, pair: Pair, decision: str, reason: str) -> None:
        given = {"decision": decision, "reason": reason}
        self._do(LAST_ON, _AGENCY, "pair", f"{pair.one} {pair.other}", given=given)
