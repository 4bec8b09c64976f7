"""A licence or certificate record becomes state and facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

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
from shared.deliveries.feed import (
    ApplyContext,
    JudgeContext,
    JudgedRow,
    Outcome,
    Recording,
    Verdict,
)
from shared.deliveries.state import Changed, apply_state, fresh_in
from shared.events.base import Fact
from shared.events.registration_feed import (
    EnterpriseChanged,
    EnterpriseDeregistered,
    EnterpriseRegistered,
)
from shared.periods import Month

_FACTS: dict[str, type[EnterpriseRegistered | EnterpriseChanged | EnterpriseDeregistered]] = {
    event: fact
    for fact in (EnterpriseRegistered, EnterpriseChanged, EnterpriseDeregistered)
    for event in ("registered", "changed", "deregistered")
    if fact.kind == rules.fact_kind(event)
}
_EVENT, _EVENT_ON = models.COLUMNS.index("event"), models.COLUMNS.index("event_on")


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


def licence_facts(recording: Recording, changes: Sequence[Changed]) -> list[Fact]:
    """One enterprise fact for each licence that changed."""
    return [_fact(recording, change, "licence") for change in changes]


def certificate_facts(recording: Recording, changes: Sequence[Changed]) -> list[Fact]:
    """One enterprise fact for each certificate that changed."""
    return [_fact(recording, change, "org-code") for change in changes]


FRESH_LICENCES = fresh_in(models.business_licences, models.COLUMNS, licence_facts)
FRESH_CERTIFICATES = fresh_in(models.organisation_codes, models.COLUMNS, certificate_facts)


async def apply_licences(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Licence rows into ``business_licences`` and enterprise facts."""
    table = models.business_licences
    return await apply_state(ctx, table, models.COLUMNS, licence_facts, rows)


async def apply_certificates(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Certificate rows into ``organisation_codes`` and enterprise facts."""
    table = models.organisation_codes
    return await apply_state(ctx, table, models.COLUMNS, certificate_facts, rows)


def _fact(recording: Recording, change: Changed, subject: str) -> Fact:
    (
        employer_key,
        name,
        unit,
        org_code,
        licence_no,
        owner_key,
        reg_type,
        industry,
        household,
        licensed_on,
        event,
        event_on,
        commitment_letter,
        notified_on,
        _,
        _,
    ) = change.row
    correction, effective_on = False, event_on
    if change.previous is not None:
        before, before_on = change.previous[_EVENT], change.previous[_EVENT_ON]
        correction = rules.is_correction(event, event_on, before, before_on)
        effective_on = rules.effective_on(event_on, correction, before_on)
    return _FACTS[event](
        key=employer_key,
        subject=f"{subject}:{change.key}",
        revision=change.revision,
        delivery_id=recording.delivery.id,
        record_no=change.no,
        recorded_at=recording.recorded_at,
        correction=correction,
        feed=recording.delivery.feed,
        name=name,
        unit=unit,
        org_code=org_code,
        licence_no=licence_no,
        owner_key=owner_key,
        reg_type=reg_type,
        industry=industry,
        household=household,
        licensed_on=licensed_on,
        effective_on=effective_on,
        commitment_letter=commitment_letter,
        notified_on=notified_on,
    )
