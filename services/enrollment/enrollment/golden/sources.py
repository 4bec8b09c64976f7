"""From what a department tells to a sighting. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from enrollment.golden.rules import STANDING, STRUCK_OFF, WITHDRAWN, Sighting
from shared.events.registration_feed import (
    EnterpriseChanged,
    EnterpriseDeregistered,
    EnterpriseRegistered,
)
from shared.events.tax_feed import (
    HeadcountDeclared,
    PreLevied,
    PreLevySettled,
    TaxDeregistered,
    TaxRegistered,
    UnenrolledReported,
)
from shared.periods import Month
from shared.plan import Plan

_Registration = EnterpriseRegistered | EnterpriseChanged | EnterpriseDeregistered
_TaxRegistration = TaxRegistered | TaxDeregistered
_Headcount = HeadcountDeclared | UnenrolledReported
_PreLevy = PreLevied | PreLevySettled
Told = _Registration | _TaxRegistration | _Headcount | _PreLevy


def departments_of(plan: Plan) -> dict[str, str]:
    """Feed → the department whose it is; of several the first."""
    return {feed.name: feed.departments[0] for feed in plan.feeds if feed.departments}


def sighting_of(fact: Told, departments: dict[str, str]) -> Sighting:
    """What a fact of the feeds says of its employer, whoever that is."""
    more = _more(fact)
    return Sighting(
        subject=fact.subject,
        revision=fact.revision,
        employer_id=None,
        key=fact.key,
        department=departments.get(fact.feed, fact.producer),
        feed=fact.feed,
        name=fact.name or None,
        unit=fact.unit,
        household=fact.household,
        org_code=fact.org_code,
        licence_no=fact.licence_no,
        owner_key=fact.owner_key,
        recorded_at=fact.recorded_at,
        delivery_id=fact.delivery_id,
        record_no=fact.record_no,
        **more,
    )


def _more(fact: Told) -> dict[str, Any]:
    """What the kinds of facts tell each in a way of its own."""
    if isinstance(fact, _PreLevy):
        return _fields(
            WITHDRAWN if fact.cancelled else STANDING,
            fact.levied_on or Month.parse(fact.month).first_on,
            headcount=fact.taxable_headcount or None,
            period=fact.month or None,
        )
    found: dict[str, Any] = {
        "address": fact.address,
        "legal_rep_key": fact.legal_rep_key,
        "reg_type": fact.reg_type,
        "industry": fact.industry,
    }
    gone = isinstance(fact, EnterpriseDeregistered | TaxDeregistered)
    status = WITHDRAWN if fact.withdrawn else STRUCK_OFF if gone else STANDING
    if isinstance(fact, _Registration):
        return _fields(status, fact.effective_on, founded_on=fact.licensed_on, **found)
    if isinstance(fact, _TaxRegistration):
        return _fields(status, fact.effective_on, founded_on=fact.registered_on, **found)
    # A finding that is taken back says how many it would have taken, not how many there are.
    undone = fact.feed == "unenrolled-employers" and isinstance(fact, HeadcountDeclared)
    return _fields(
        WITHDRAWN if undone else status,
        fact.effective_on,
        founded_on=fact.tax_reg_on,
        headcount=fact.taxable_headcount,
        period=fact.period,
        **found,
    )


def named_only(
    subject: str,
    revision: int,
    department: str,
    feed: str,
    status: str,
    keys: Sequence[str],
    name: str | None,
    unit: str,
    effective_on: date,
    recorded_at: datetime,
    delivery_id: str | None,
    record_no: int | None,
) -> Sighting:
    """A sighting that says no more of an employer than its name, place and numbers (``oc:``,
    ``lic:``)."""
    numbers = dict(key.split(":", 1) for key in keys)
    return Sighting(
        subject=subject,
        revision=revision,
        employer_id=None,
        key=keys[0] if keys else None,
        department=department,
        feed=feed,
        name=name,
        unit=unit,
        household=None,
        org_code=numbers.get("oc"),
        licence_no=numbers.get("lic"),
        owner_key=None,
        recorded_at=recorded_at,
        delivery_id=delivery_id,
        record_no=record_no,
        **_fields(status, effective_on),
    )


def _fields(
    status: str,
    effective_on: date,
    *,
    address: str | None = None,
    legal_rep_key: str | None = None,
    founded_on: date | None = None,
    reg_type: str | None = None,
    industry: str | None = None,
    headcount: int | None = None,
    period: str | None = None,
) -> dict[str, Any]:
    return {
        "status": status,
        "effective_on": effective_on,
        "address": address,
        "legal_rep_key": legal_rep_key,
        "founded_on": founded_on,
        "reg_type": reg_type,
        "industry": industry,
        "headcount": headcount,
        "period": period,
    }
