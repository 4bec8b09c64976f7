"""From what a department tells to a sighting. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

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
    return _sighting(
        fact.subject,
        fact.revision,
        fact.key,
        departments.get(fact.feed, fact.producer),
        fact.feed,
        fact.name or None,
        fact.unit,
        fact.household,
        fact.org_code,
        fact.licence_no,
        fact.owner_key,
        fact.recorded_at,
        fact.delivery_id,
        fact.record_no,
        _more(fact),
    )


class _More(NamedTuple):
    """What the kinds of facts tell each in a way of its own."""

    status: str
    effective_on: date
    address: str | None = None
    legal_rep_key: str | None = None
    founded_on: date | None = None
    reg_type: str | None = None
    industry: str | None = None
    headcount: int | None = None
    period: str | None = None


def _more(fact: Told) -> _More:
    if isinstance(fact, _PreLevy):
        return _More(
            WITHDRAWN if fact.cancelled else STANDING,
            fact.levied_on or Month.parse(fact.month).first_on,
            headcount=fact.taxable_headcount or None,
            period=fact.month or None,
        )
    gone = isinstance(fact, EnterpriseDeregistered | TaxDeregistered)
    status = WITHDRAWN if fact.withdrawn else STRUCK_OFF if gone else STANDING
    on, found = fact.effective_on, (fact.address, fact.legal_rep_key)
    if isinstance(fact, _Registration):
        return _More(status, on, *found, fact.licensed_on, fact.reg_type, fact.industry)
    if isinstance(fact, _TaxRegistration):
        return _More(status, on, *found, fact.registered_on, fact.reg_type, fact.industry)
    # A finding that is taken back says how many it would have taken, not how many there are.
    undone = fact.feed == "unenrolled-employers" and isinstance(fact, HeadcountDeclared)
    return _More(
        WITHDRAWN if undone else status,
        on,
        *found,
        fact.tax_reg_on,
        fact.reg_type,
        fact.industry,
        fact.taxable_headcount,
        fact.period,
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
    return _sighting(
        subject,
        revision,
        keys[0] if keys else None,
        department,
        feed,
        name,
        unit,
        None,
        numbers.get("oc"),
        numbers.get("lic"),
        None,
        recorded_at,
        delivery_id,
        record_no,
        _More(status, effective_on),
    )


def _sighting(
    subject: str,
    revision: int,
    key: str | None,
    department: str,
    feed: str,
    name: str | None,
    unit: str,
    household: bool | None,
    org_code: str | None,
    licence_no: str | None,
    owner_key: str | None,
    recorded_at: datetime,
    delivery_id: str | None,
    record_no: int | None,
    more: _More,
) -> Sighting:
    """Of nobody yet. By place: a sighting by name costs twice as much."""
    return Sighting(
        subject,
        revision,
        None,
        key,
        department,
        feed,
        more.status,
        name,
        unit,
        more.address,
        more.legal_rep_key,
        more.founded_on,
        more.reg_type,
        more.industry,
        household,
        org_code,
        licence_no,
        owner_key,
        more.headcount,
        more.period,
        more.effective_on,
        recorded_at,
        delivery_id,
        record_no,
    )
