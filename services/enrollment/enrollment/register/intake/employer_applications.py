"""Feed ``employer-applications``: employers enter, change and leave the register (O30)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from enrollment.register import models, rules
from enrollment.register.intake.entries import EmployerLedger
from enrollment.register.intake.insured_persons import reject
from enrollment.register.intake.judging import employer_problems, org_code_of
from enrollment.register.rules import Employer
from enrollment.register.schemas import EmployerApplication
from enrollment.register.store import employers as store
from enrollment.register.store.applications import ApplicationVersion, applications
from enrollment.register.store.employers import EntryVersion
from shared.deliveries.checks import content_hash, owner_key_of
from shared.deliveries.feed import ApplyContext, JudgeContext, JudgedRow, Outcome, Verdict
from shared.deliveries.state import upsert_state
from shared.periods import Dekad


class Row(NamedTuple):
    """A judged application. The first five are the state of the application itself."""

    action: str
    applied_on: date
    effective_on: date
    agency_no: str
    unit: str
    name: str
    reg_type: str
    industry: str
    org_code: str | None
    licence_no: str | None
    owner_key: str | None
    in_township: bool
    ownership: str
    trade: str


COLUMNS = Row._fields
_STATE = COLUMNS[:5]


def judge_employer_applications(
    records: Sequence[EmployerApplication], ctx: JudgeContext
) -> list[Verdict]:
    """Each application accepted as a row, or refused with every reason found."""
    dekad = Dekad.parse(ctx.delivery.period)
    last_on = max(dekad.last_on, dekad.cutoff_on(ctx.plan.cutoffs))
    verdicts = []
    for record, problems in zip(records, employer_problems(records, ctx), strict=True):
        if record.action == "enrol":
            for needed in ("name", "reg_type", "industry"):
                if getattr(record, needed) is None:
                    problems.add("field-missing", f"/{needed}", field=needed)
        problems.not_after(record.applied_on, last_on, "/applied_on", "period-mismatch")
        problems.takes_effect(record.effective_on, last_on, "/effective_on")
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        reg_type, industry = record.reg_type or "", record.industry or ""
        row = Row(
            record.action,
            record.applied_on,
            record.effective_on,
            record.agency_no,
            record.unit,
            record.name or "",
            reg_type,
            industry,
            org_code_of(record),
            record.licence_no,
            owner_key_of(ctx.secrecy, owner_id=record.owner_id, tax_no=record.tax_no),
            record.in_township,
            ctx.plan.ownership_of(reg_type),
            ctx.plan.trade_of(industry),
        )
        verdicts.append(Verdict(record.application_no, tuple(row), content_hash(row)))
    return verdicts


async def apply_employer_applications(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Applications in record order, each moving the entry once; those rejected or held leave no
    trace."""
    outcome = Outcome()
    await store.lock_register(ctx.conn)
    known = await applications(ctx.conn, "employer_applications", {row.key for row in rows})
    told = [(row, Row._make(row.row)) for row in rows]
    ledger = await EmployerLedger.open(ctx, {row.agency_no for _, row in told})
    accepted: list[JudgedRow] = []
    mine = ctx.delivery
    for judged, row in told:
        last = known.get(judged.key)
        behind = last is not None and ctx.is_behind(judged.no, last.seq, last.record_no)
        same = last is not None and last.content_hash == judged.content_hash
        if not (behind or same) and not _goes_on(ledger, outcome, judged, row, last):
            continue
        accepted.append(judged._replace(row=judged.row[:5]))
        if not (behind or same):  # a duplicate leaves the version that stands
            known[judged.key] = ApplicationVersion(
                judged.content_hash,
                row.agency_no,
                mine.id,
                judged.no,
                mine.seq,
                row.effective_on,
                row.unit,
            )
    await upsert_state(ctx, models.employer_applications, _STATE, accepted, outcome)
    facts, released = await ledger.settle()
    outcome.facts += facts
    outcome.released |= released
    return outcome


def _goes_on(
    ledger: EmployerLedger,
    outcome: Outcome,
    judged: JudgedRow,
    row: Row,
    last: ApplicationVersion | None,
) -> bool:
    """Move the entry if the application does; False when it is rejected or held."""
    if last is not None and last.subject != row.agency_no:
        reject(outcome, judged.no, "correction-other-employer", "/agency_no")
        return False
    if last is not None and not rules.may_correct(ledger.ctx.delivery.units, last.unit):
        reject(outcome, judged.no, "unit-not-yours", "/application_no", value=last.unit)
        return False
    before = ledger.current.get(row.agency_no)
    if row.action == "enrol":
        after = rules.merged(before.state if before else None, _entry(row))
    elif before is None:
        reject(outcome, judged.no, "employer-not-registered", "/agency_no", value=row.agency_no)
        return False
    else:
        scope = ledger.ctx.delivery.units
        if scope is not None and before.state.unit not in scope:
            reject(outcome, judged.no, "employer-in-other-unit", "/unit", value=row.unit)
            return False
        after = before.state._replace(status=rules.ENDED)
    if ledger.is_behind(row.agency_no, judged.no):
        return True
    redated = last is not None and before is not None and _rests_on(before, last)
    if (
        before is not None
        and before.as_at is None
        and not redated
        and row.effective_on < before.effective_on
    ):
        ledger.move_between(
            row.agency_no,
            after,
            row.effective_on,
            entry=row.action,
            instead_of=last.effective_on if last is not None else None,
        )
    elif before is None or before.state != after:
        ledger.move(
            judged.no,
            row.agency_no,
            after,
            row.effective_on,
            correction=last is not None,
            entry=row.action,
            instead=redated,
        )
    return True


def _rests_on(version: EntryVersion, application: ApplicationVersion) -> bool:
    """Whether the entry's state is the one this application made."""
    return (version.delivery_id, version.record_no) == (
        application.delivery_id,
        application.record_no,
    )


def _entry(row: Row) -> Employer:
    return Employer(
        row.name,
        row.reg_type,
        row.industry,
        row.unit,
        row.effective_on,
        rules.ENROLLED,
        row.org_code,
        row.licence_no,
        row.owner_key,
        row.ownership == "individual",
        row.in_township,
        row.ownership,
        row.trade,
    )
