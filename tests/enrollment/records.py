"""Made records and facts; every number is of the ranges kept for made ones."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from shared.events.registration_feed import (
    EnterpriseChanged,
    EnterpriseDeregistered,
    EnterpriseRegistered,
)
from shared.events.tax_feed import HeadcountDeclared, UnenrolledReported
from shared.identifiers import make_identity_no, make_org_code, make_reg_no

UNIT = "210502"


def org_code(n: int) -> str:
    return make_org_code(f"PDY{n:05d}")


def licence(n: int) -> str:
    return make_reg_no(f"210500{n:08d}")


def identity(n: int, birth: date = date(1970, 1, 1)) -> str:
    return make_identity_no(UNIT, date.fromordinal(birth.toordinal() + n // 16), 980 + n % 16)


def agency_no(n: int) -> str:
    return f"2105{n:06d}"


def employer(n: int, **more: Any) -> dict[str, Any]:
    return {
        "agency_no": agency_no(n),
        "name": f"本溪第{n}厂",
        "reg_type": "173",
        "industry": "67",
        "unit": UNIT,
        "enrolled_on": "2006-03-01",
        "status": "enrolled",
        "org_code": org_code(n),
        **more,
    }


def employer_application(n: int, action: str = "enrol", **more: Any) -> dict[str, Any]:
    entry = employer(n) if action == "enrol" else {"agency_no": agency_no(n), "unit": UNIT}
    entry.pop("status", None)
    entry.pop("enrolled_on", None)
    return {
        "application_no": f"EA-{n}",
        "action": action,
        "applied_on": "2008-06-03",
        "effective_on": "2008-06-05",
        **entry,
        **more,
    }


def person(n: int, employer_no: int | None = None, **more: Any) -> dict[str, Any]:
    record = {
        "identity_no": identity(n),
        "name": f"赵{n}",
        "unit": UNIT,
        "status": "active",
        "worker_class": "employee" if employer_no else "flexible",
        "enrolled_on": "1998-07-01",
    }
    if employer_no is not None:
        record["agency_no"] = agency_no(employer_no)
    return {**record, **more}


def person_application(
    n: int, action: str = "enrol", employer_no: int | None = None, **more: Any
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "application_no": f"PA-{n}-{action}",
        "action": action,
        "applied_on": "2008-06-03",
        "effective_on": "2008-06-05",
        "identity_no": identity(n),
        "name": f"赵{n}",
        "unit": UNIT,
    }
    if action == "enrol":
        record["worker_class"] = "employee" if employer_no else "flexible"
        if employer_no is not None:
            record["agency_no"] = agency_no(employer_no)
    else:
        record["reason"] = "ended"
    return {**record, **more}


def foreigner(n: int, record: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The record told of a foreigner known by passport; nothing in its number tells who it is."""
    paper = {
        "identity_kind": "passport",
        "identity_no": f"M{n:08d}",
        "nationality": "KOR",
        "birth_on": "1980-03-05",
        "sex": "F",
        "name": f"KIM{n}",
        "worker_class": "foreign",
    }
    return {**record, **paper, **more}


def place(n: int, **more: Any) -> dict[str, Any]:
    return {
        "frame_no": f"PC-{n}",
        "unit": UNIT,
        "street": "平山街道",
        "kind": "enterprise",
        **more,
    }


def visit(n: int, **more: Any) -> dict[str, Any]:
    told = {"visited_on": "2008-06-03", "visitor": "PCY-1", "outcome": "done"}
    return place(n, **told, persons_found=9, uninsured_found=2, **more)


def found(n: int, **more: Any) -> dict[str, Any]:
    return {
        "entry_no": f"PR-{n}",
        "unit": UNIT,
        "street": "平山街道",
        "found_on": "2008-06-03",
        "name": "张三丰",
        "worker_class": "employee",
        "reason": "employer-did-not",
        "can_pay": True,
        "identity_no": identity(n),
        **more,
    }


def complaint(n: int, **more: Any) -> dict[str, Any]:
    return {
        "complaint_no": f"XF-{n}",
        "received_on": "2008-06-04",
        "channel": "letter",
        "unit": UNIT,
        "ground": "not-registered",
        "employer_name": f"本溪第{n}厂",
        "content": "老板扣我的钱",
        "anonymous": False,
        "informant_name": "李举报",
        "informant_contact": "13900001111",
        "org_code": org_code(n),
        **more,
    }


def at(day: int, hour: int = 0) -> datetime:
    """A moment of June 2008, as a feed recorded it."""
    return datetime(2008, 6, day, hour, tzinfo=UTC)


def delivery(n: int) -> str:
    return f"00000000-0000-7000-8000-{n:012d}"


def registered(
    n: int,
    day: int = 1,
    *,
    what: type[EnterpriseRegistered | EnterpriseChanged | EnterpriseDeregistered] = (
        EnterpriseRegistered
    ),
    revision: int = 1,
    **more: Any,
) -> EnterpriseRegistered | EnterpriseChanged | EnterpriseDeregistered:
    """A licence of firm ``n`` (with its organisation code), recorded on the day."""
    given: dict[str, Any] = {
        "key": f"oc:{org_code(n)}",
        "subject": f"licence:{licence(n)}",
        "revision": revision,
        "delivery_id": delivery(day),
        "record_no": n,
        "recorded_at": at(day),
        "feed": "business-licences",
        "name": f"本溪第{n}厂",
        "unit": UNIT,
        "org_code": org_code(n),
        "licence_no": licence(n),
        "licensed_on": date(2008, 5, 10),
        "effective_on": date(2008, 5, 10),
    }
    return what(**{**given, **more})


def headcount(
    n: int,
    taxable: int,
    insured: int,
    day: int = 2,
    *,
    period: str = "2008-05",
    revision: int = 1,
    **more: Any,
) -> HeadcountDeclared | UnenrolledReported:
    """The tax office's check of firm ``n`` for the period."""
    key = more.get("key", f"oc:{org_code(n)}")
    given: dict[str, Any] = {
        "key": key,
        "subject": f"headcount:{key}:{period}",
        "revision": revision,
        "delivery_id": delivery(100 + day),
        "record_no": n,
        "recorded_at": at(day),
        "feed": "employer-checks",
        "period": period,
        "name": f"本溪第{n}厂",
        "unit": UNIT,
        "org_code": org_code(n),
        "taxable_headcount": taxable,
        "insured_headcount": insured,
        "effective_on": date(2008, int(period[5:]), 28),
    }
    found = UnenrolledReported if insured < taxable else HeadcountDeclared
    return found(**{**given, **more})
