"""A licence or certificate record becomes state and facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Table

from registration_feed import models, rules
from registration_feed.schemas import BusinessLicence, OrganisationCode
from shared.deliveries.checks import (
    Problems,
    content_hash,
    employer_key_of,
    identity_findings,
    is_household,
    licence_findings,
    org_code_findings,
    org_code_in_uscc,
    owner_key_of,
    plain_org_code,
)
from shared.deliveries.feed import ApplyContext, JudgeContext, JudgedRow, Outcome, Verdict
from shared.deliveries.state import Changed, upsert_state
from shared.events.base import Fact
from shared.events.registration_feed import (
    EnterpriseChanged,
    EnterpriseDeregistered,
    EnterpriseRegistered,
)
from shared.periods import Month

_FACTS: dict[str, type[EnterpriseRegistered | EnterpriseChanged | EnterpriseDeregistered]] = {
    fact.kind: fact for fact in (EnterpriseRegistered, EnterpriseChanged, EnterpriseDeregistered)
}


def judge_licences(records: Sequence[BusinessLicence], ctx: JudgeContext) -> list[Verdict]:
    """Each licence record accepted as a row, or refused with every reason found."""
    found = _found(records, ctx)
    owners = identity_findings([record.owner_id for record in records], ctx.today)
    for record, problems, owner in zip(records, found, owners, strict=True):
        problems.noted(owner, "/owner_id")
        problems.not_after(
            record.licensed_on, record.event_on, "/licensed_on", "dates-out-of-order"
        )
    return [
        Verdict(problems=tuple(problems)) if problems else _licence(record, ctx)
        for record, problems in zip(records, found, strict=True)
    ]


def _licence(record: BusinessLicence, ctx: JudgeContext) -> Verdict:
    org_code = plain_org_code(record.org_code) or org_code_in_uscc(record.licence_no)
    household = is_household(record.reg_type, ctx.plan)
    # An enterprise's legal representative may own others: only a household is its owner.
    owner_id = record.owner_id if household else None
    row = (
        employer_key_of(ctx.secrecy, org_code=org_code, licence_no=record.licence_no),
        record.name,
        record.unit,
        org_code,
        record.licence_no,
        owner_key_of(ctx.secrecy, owner_id=owner_id),
        record.reg_type,
        record.industry,
        household,
        record.licensed_on,
        record.event,
        record.event_on,
        record.commitment_letter,
        record.notified_on,
        record.headcount,
        record.address,
    )
    return Verdict(key=record.licence_no, row=row, content_hash=content_hash(row))


def judge_certificates(records: Sequence[OrganisationCode], ctx: JudgeContext) -> list[Verdict]:
    """Each certificate record accepted as a row, or refused with every reason found."""
    found = _found(records, ctx)
    for record, problems in zip(records, found, strict=True):
        _check_order(problems, record.issued_on, record.event_on, "/issued_on")
    return [
        Verdict(problems=tuple(problems)) if problems else _certificate(record, ctx)
        for record, problems in zip(records, found, strict=True)
    ]


def _certificate(record: OrganisationCode, ctx: JudgeContext) -> Verdict:
    org_code = plain_org_code(record.org_code) or ""
    row = (
        employer_key_of(ctx.secrecy, org_code=org_code),
        record.name,
        record.unit,
        org_code,
        record.licence_no,
        None,
        record.reg_type,
        record.industry,
        is_household(record.reg_type, ctx.plan),
        record.issued_on,
        record.event,
        record.event_on,
        record.commitment_letter,
        record.notified_on,
        None,
        None,
    )
    return Verdict(key=org_code, row=row, content_hash=content_hash(row))


def _found(
    records: Sequence[BusinessLicence | OrganisationCode], ctx: JudgeContext
) -> list[Problems]:
    """What is wrong with the fields both feeds have, one list per record."""
    last_on = Month.parse(ctx.delivery.period).last_on
    org_codes = org_code_findings([record.org_code for record in records])
    licences = licence_findings([record.licence_no for record in records])
    found = []
    for record, org_code, licence in zip(records, org_codes, licences, strict=True):
        problems = Problems()
        problems.noted(licence, "/licence_no")
        problems.noted(org_code, "/org_code")
        if not problems:
            inside = org_code_in_uscc(record.licence_no)
            problems.inside(plain_org_code(record.org_code), inside, "/org_code")
        problems.unit(record.unit, "/unit", ctx)
        problems.trade(record.reg_type, record.industry, ctx)
        problems.not_after(record.event_on, ctx.today, "/event_on")
        if record.event_on > last_on:
            problems.add(
                "period-mismatch",
                "/event_on",
                value=record.event_on.isoformat(),
                limit=ctx.delivery.period,
            )
        problems.not_after(record.notified_on, ctx.today, "/notified_on")
        found.append(problems)
    return found


def _check_order(problems: Problems, issued_on: date, event_on: date, pointer: str) -> None:
    problems.not_after(issued_on, event_on, pointer, "dates-out-of-order")


async def apply_licences(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Licence rows into ``business_licences`` and enterprise facts."""
    return await _apply(ctx, rows, models.business_licences, "licence")


async def apply_certificates(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Certificate rows into ``organisation_codes`` and enterprise facts."""
    return await _apply(ctx, rows, models.organisation_codes, "org-code")


async def _apply(
    ctx: ApplyContext, rows: Sequence[JudgedRow], table: Table, subject: str
) -> Outcome:
    outcome = Outcome()
    changes = await upsert_state(ctx, table, models.COLUMNS, rows, outcome)
    outcome.facts.extend(_fact(ctx, change, f"{subject}:{change.key}") for change in changes)
    return outcome


def _fact(ctx: ApplyContext, change: Changed, subject: str) -> Fact:
    now = _named(change.row)
    before = _named(change.previous) if change.previous else {}
    before_on = before.get("event_on")
    correction = rules.is_correction(now["event"], now["event_on"], before.get("event"), before_on)
    more: dict[str, Any] = {"revoked": True} if now["event"] == "revoked" else {}
    return _FACTS[rules.fact_kind(now["event"])](
        **more,
        key=now["employer_key"],
        subject=subject,
        revision=change.revision,
        delivery_id=ctx.delivery.id,
        record_no=change.no,
        recorded_at=ctx.recorded_at,
        correction=correction,
        feed=ctx.feed.name,
        name=now["name"],
        unit=now["unit"],
        org_code=now["org_code"],
        licence_no=now["licence_no"],
        owner_key=now["owner_key"],
        reg_type=now["reg_type"],
        industry=now["industry"],
        household=now["household"],
        licensed_on=now["licensed_on"],
        effective_on=rules.effective_on(now["event_on"], correction, before_on),
        commitment_letter=now["commitment_letter"],
        notified_on=now["notified_on"],
    )


def _named(row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(models.COLUMNS, row, strict=True))
