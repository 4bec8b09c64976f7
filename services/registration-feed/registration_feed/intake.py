"""A licence or certificate record becomes state and facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from msgspec.structs import replace

from registration_feed import models, rules
from registration_feed.schemas import BusinessLicence, OrganisationCode
from shared.deliveries.checks import (
    Problems,
    content_hash,
    employer_key_of,
    is_household,
    legal_rep_of,
    org_code_in_uscc,
    owner_key_of,
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
    for event in ("registered", "changed", "deregistered", "revoked")
    if fact.kind == rules.fact_kind(event)
}
_EVENT, _EVENT_ON = models.COLUMNS.index("event"), models.COLUMNS.index("event_on")


def judge_licences(records: Sequence[BusinessLicence], ctx: JudgeContext) -> list[Verdict]:
    """Each licence record accepted as a row, or refused with every reason found."""
    found = _found(records, ctx)
    households = _households(records, ctx)
    verdicts = []
    for record, wrong, owner in zip(records, found, ctx.numbers["owner_id"], strict=True):
        problems = wrong
        if owner is not None or record.licensed_on > record.event_on:
            problems = problems or Problems()
            problems.noted(owner, "/owner_id")
            _check_order(problems, record.licensed_on, record.event_on, "/licensed_on")
        verdicts.append(
            _licence(record, record.reg_type in households, ctx)
            if problems is None
            else Verdict(problems=tuple(problems))
        )
    return verdicts


def _households(
    records: Sequence[BusinessLicence | OrganisationCode], ctx: JudgeContext
) -> set[str | None]:
    """The registration types of these records that are households'."""
    return {one for one in {r.reg_type for r in records} if is_household(one, ctx.plan)}


def _licence(record: BusinessLicence, household: bool, ctx: JudgeContext) -> Verdict:
    licence_no, secrecy = record.licence_no, ctx.secrecy
    org_code = record.org_code or org_code_in_uscc(licence_no)
    # An enterprise's legal representative may own others: only a household is its owner.
    owner_id = record.owner_id if household else None
    legal_rep, legal_rep_key = legal_rep_of(secrecy, record.legal_rep)
    row = (
        employer_key_of(secrecy, org_code=org_code, licence_no=licence_no),
        record.name,
        record.unit,
        org_code,
        licence_no,
        owner_key_of(secrecy, owner_id=owner_id),
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
        legal_rep,
        legal_rep_key,
    )
    return Verdict(licence_no, row, _hash_of(row))


def judge_certificates(records: Sequence[OrganisationCode], ctx: JudgeContext) -> list[Verdict]:
    """Each certificate record accepted as a row, or refused with every reason found."""
    households = _households(records, ctx)
    verdicts = []
    for record, wrong in zip(records, _found(records, ctx), strict=True):
        problems = wrong
        if record.issued_on > record.event_on:
            problems = problems or Problems()
            _check_order(problems, record.issued_on, record.event_on, "/issued_on")
        verdicts.append(
            _certificate(record, record.reg_type in households, ctx)
            if problems is None
            else Verdict(problems=tuple(problems))
        )
    return verdicts


def _certificate(record: OrganisationCode, household: bool, ctx: JudgeContext) -> Verdict:
    org_code = record.org_code
    legal_rep, legal_rep_key = legal_rep_of(ctx.secrecy, record.legal_rep)
    row = (
        employer_key_of(ctx.secrecy, org_code=org_code),
        record.name,
        record.unit,
        org_code,
        record.licence_no,
        None,
        record.reg_type,
        record.industry,
        household,
        record.issued_on,
        record.event,
        record.event_on,
        record.commitment_letter,
        record.notified_on,
        None,
        record.address,
        legal_rep,
        legal_rep_key,
    )
    return Verdict(org_code, row, _hash_of(row))


def _hash_of(row: tuple[Any, ...]) -> bytes:
    """Without a legal representative as before there was one: what was told then and is told
    again stays a duplicate."""
    return content_hash(row if row[-1] is not None else row[:-2])


def _found(
    records: Sequence[BusinessLicence | OrganisationCode], ctx: JudgeContext
) -> list[Problems | None]:
    """What is wrong with the fields both feeds have, one list per record; None where nothing is.

    Most records pass in one comparison; only the others are gone through field by field.
    """
    today, last_on = ctx.today, Month.parse(ctx.delivery.period).last_on
    latest = min(today, last_on)
    org_codes, licences = ctx.numbers["org_code"], ctx.numbers["licence_no"]
    coded: dict[tuple[str, str | None, str | None], bool] = {}
    found: list[Problems | None] = []
    for record, org_code, licence in zip(records, org_codes, licences, strict=True):
        codes = (record.unit, record.reg_type, record.industry)
        right = coded.get(codes)
        if right is None:
            problems = Problems()
            _check_codes(problems, record, ctx)
            right = coded[codes] = not problems
        told_on = record.notified_on
        if (
            right
            and org_code is None
            and licence is None
            and record.event_on <= latest
            and (told_on is None or told_on <= today)
            and (record.org_code is None or not _differ(record))
        ):
            found.append(None)
            continue
        problems = Problems()
        problems.noted(licence, "/licence_no")
        problems.noted(org_code, "/org_code")
        if not problems:
            inside = org_code_in_uscc(record.licence_no)
            problems.inside(record.org_code, inside, "/org_code")
        _check_codes(problems, record, ctx)
        problems.not_after(record.event_on, today, "/event_on")
        if record.event_on > last_on:
            value, limit = record.event_on.isoformat(), ctx.delivery.period
            problems.add("period-mismatch", "/event_on", value=value, limit=limit)
        problems.not_after(told_on, today, "/notified_on")
        found.append(problems)
    return found


def _differ(record: BusinessLicence | OrganisationCode) -> bool:
    """Whether its organisation code is another one than stands inside its licence number."""
    inside = org_code_in_uscc(record.licence_no)
    return inside is not None and record.org_code != inside


def _check_codes(
    problems: Problems, record: BusinessLicence | OrganisationCode, ctx: JudgeContext
) -> None:
    problems.unit(record.unit, "/unit", ctx)
    problems.trade(record.reg_type, record.industry, ctx)


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
        headcount,
        address,
        _,
        legal_rep_key,
    ) = change.row
    correction, effective_on = False, event_on
    if change.previous is not None:
        before, before_on = change.previous[_EVENT], change.previous[_EVENT_ON]
        correction = recording.restates or rules.is_correction(event, event_on, before, before_on)
        effective_on = rules.effective_on(event_on, correction, before_on)
    fact = _FACTS[event](
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
        address=None if household else address,
        legal_rep_key=legal_rep_key,
        withdrawn=change.ended,
        headcount=headcount,
    )
    return replace(fact, revoked=True) if event == "revoked" else fact
