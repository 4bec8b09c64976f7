"""A check row, a receipt or an arrears stock becomes state and facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from shared.deliveries.checks import (
    Problems,
    content_hash,
    employer_key_of,
    is_household,
    licence_findings,
    org_code_findings,
    org_code_in_tax_no,
    org_code_in_uscc,
    owner_key_of,
    plain_org_code,
    tax_no_findings,
)
from shared.deliveries.feed import ApplyContext, JudgeContext, JudgedRow, Outcome, Verdict
from shared.deliveries.state import Changed, upsert_state
from shared.events.tax_feed import (
    ArrearsRecorded,
    ArrearsSettled,
    ContributionCollected,
    HeadcountDeclared,
    UnenrolledReported,
)
from shared.periods import Dekad, Month
from tax_feed import models, rules, store
from tax_feed.schemas import ArrearsStock, EmployerCheck, Receipt


class _Employer(NamedTuple):
    """Whom a record is about, and what is wrong with the numbers that say so."""

    key: str
    org_code: str | None
    problems: Problems


def _employers(
    records: Sequence[EmployerCheck | Receipt | ArrearsStock],
    licence_nos: Sequence[str | None],
    ctx: JudgeContext,
) -> list[_Employer]:
    """The employer of each record; a problem is noted where none can be told."""
    tax_nos = tax_no_findings([record.tax_no for record in records], ctx.today)
    org_codes = org_code_findings([record.org_code for record in records])
    licences = licence_findings(licence_nos)
    employers = []
    for index, record in enumerate(records):
        problems = Problems()
        problems.noted(tax_nos[index], "/tax_no")
        problems.noted(org_codes[index], "/org_code")
        problems.noted(licences[index], "/licence_no")
        if problems:
            employers.append(_Employer("", None, problems))
            continue
        employers.append(_employer(record.tax_no, record.org_code, licence_nos[index], ctx))
    return employers


def _employer(
    tax_no: str | None, org_code: str | None, licence_no: str | None, ctx: JudgeContext
) -> _Employer:
    """From numbers that passed their checks."""
    problems = Problems()
    inside = org_code_in_tax_no(tax_no) or org_code_in_uscc(licence_no)
    stated = plain_org_code(org_code)
    problems.inside(stated, inside, "/org_code")
    code = stated or inside
    key = employer_key_of(ctx.secrecy, org_code=code, licence_no=licence_no, tax_no=tax_no)
    if key is None:
        problems.add("key-missing", "")
    return _Employer(key or "", code, problems)


def judge_checks(records: Sequence[EmployerCheck], ctx: JudgeContext) -> list[Verdict]:
    """Each check row accepted, or refused with every reason found."""
    employers = _employers(records, [record.licence_no for record in records], ctx)
    return [
        _check(record, employer, ctx) for record, employer in zip(records, employers, strict=True)
    ]


def _check(record: EmployerCheck, employer: _Employer, ctx: JudgeContext) -> Verdict:
    problems = employer.problems
    problems.unit(record.collecting_unit, "/collecting_unit", ctx)
    problems.trade(record.reg_type, record.industry, ctx)
    problems.not_after(record.tax_reg_date, ctx.today, "/tax_reg_date")
    problems.period(record.period, "/period", ctx)
    money = (
        problems.fen(record.due, "/due"),
        problems.fen(record.paid, "/paid"),
        problems.fen(record.arrears, "/arrears"),
        problems.fen(record.pre_levied, "/pre_levied"),
    )
    if problems:
        return Verdict(problems=tuple(problems))
    row = (
        employer.key,
        employer.org_code,
        record.name,
        record.collecting_unit,
        record.period,
        record.reg_type,
        record.industry,
        is_household(record.reg_type, ctx.plan),
        record.licence_no,
        owner_key_of(ctx.secrecy, tax_no=record.tax_no),
        record.taxable_headcount,
        record.insured_headcount,
        *money,
        record.tax_reg_date,
    )
    return Verdict(key=f"{employer.key}|{record.period}", row=row, content_hash=content_hash(row))


async def apply_checks(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Check rows into ``employer_checks``; headcount facts out."""
    outcome = Outcome()
    columns = models.CHECK_COLUMNS
    for change in await upsert_state(ctx, models.employer_checks, columns, rows, outcome):
        row = dict(zip(columns, change.row, strict=True))
        found = rules.finds_unenrolled(row["taxable_headcount"], row["insured_headcount"])
        fact = UnenrolledReported if found else HeadcountDeclared
        outcome.facts.append(
            fact(
                **_cause(ctx, change),
                key=row["employer_key"],
                subject=f"headcount:{row['employer_key']}:{row['period']}",
                unit=row["unit"],
                org_code=row["org_code"],
                feed=ctx.feed.name,
                period=row["period"],
                name=row["name"],
                reg_type=row["reg_type"],
                industry=row["industry"],
                household=row["household"],
                licence_no=row["licence_no"],
                owner_key=row["owner_key"],
                taxable_headcount=row["taxable_headcount"],
                insured_headcount=row["insured_headcount"],
                tax_reg_on=row["tax_reg_on"],
                effective_on=Month.parse(row["period"]).last_on,
            )
        )
    return outcome


def judge_receipts(records: Sequence[Receipt], ctx: JudgeContext) -> list[Verdict]:
    """Each receipt accepted, or refused with every reason found."""
    cutoff_on = Dekad.parse(ctx.delivery.period).cutoff_on(ctx.plan.cutoffs)
    employers = _employers(records, [None] * len(records), ctx)
    verdicts = []
    for record, (key, org_code, problems) in zip(records, employers, strict=True):
        problems.unit(record.collecting_unit, "/collecting_unit", ctx)
        problems.not_after(record.received_on, ctx.today, "/received_on")
        if rules.receipt_out_of_period(record.received_on, cutoff_on):
            problems.add(
                "period-mismatch",
                "/received_on",
                value=record.received_on.isoformat(),
                limit=ctx.delivery.period,
            )
        pooled = problems.fen(record.pooled, "/pooled")
        individual = problems.fen(record.individual, "/individual")
        cleared = problems.fen(record.of_which_arrears, "/of_which_arrears")
        if not problems and cleared > pooled:
            problems.add(
                "arrears-above-pooled",
                "/of_which_arrears",
                value=str(record.of_which_arrears),
                pooled=str(record.pooled),
            )
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        row = (
            key,
            org_code,
            record.name,
            record.collecting_unit,
            record.month_for,
            record.received_on,
            pooled,
            individual,
            cleared,
            record.payer_count,
            record.cancelled,
        )
        verdicts.append(Verdict(key=record.receipt_no, row=row, content_hash=content_hash(row)))
    return verdicts


async def apply_receipts(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Receipt rows into ``receipts``; money facts out. A later state corrects the earlier."""
    outcome = Outcome()
    columns = models.RECEIPT_COLUMNS
    for change in await upsert_state(ctx, models.receipts, columns, rows, outcome):
        row = dict(zip(columns, change.row, strict=True))
        counts = 0 if row["cancelled"] else 1
        outcome.facts.append(
            ContributionCollected(
                **_cause(ctx, change),
                key=row["employer_key"],
                subject=f"receipt:{change.key}",
                unit=row["unit"],
                org_code=row["org_code"],
                receipt_no=change.key,
                month_for=row["month_for"],
                received_on=row["received_on"],
                pooled_fen=row["pooled_fen"] * counts,
                individual_fen=row["individual_fen"] * counts,
                arrears_pooled_fen=row["arrears_pooled_fen"] * counts,
                payer_count=row["payer_count"] * counts,
            )
        )
    return outcome


def judge_arrears(records: Sequence[ArrearsStock], ctx: JudgeContext) -> list[Verdict]:
    """Each arrears stock accepted, or refused with every reason found."""
    employers = _employers(records, [None] * len(records), ctx)
    verdicts = []
    for record, (key, org_code, problems) in zip(records, employers, strict=True):
        problems.unit(record.unit, "/unit", ctx)
        problems.period(record.month, "/month", ctx)
        balance = problems.fen(record.balance, "/balance")
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        row = (key, org_code, record.name, record.unit, record.month, balance)
        verdicts.append(
            Verdict(key=f"{key}|{record.month}", row=row, content_hash=content_hash(row))
        )
    return verdicts


async def apply_arrears(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Arrears stocks into ``arrears``; one fact for each month whose published state moved,
    the following months of a corrected one included."""
    outcome = Outcome()
    changes = await upsert_state(ctx, models.arrears, models.ARREARS_COLUMNS, rows, outcome)
    own = {change.key: change.no for change in changes}
    first: dict[str, int] = {}
    for change in changes:  # in record order
        first.setdefault(change.row[0], change.no)
    for state in await store.restate_arrears_chain(ctx.conn, sorted(first)):
        no = own.get(f"{state.employer_key}|{state.month}")
        fact = ArrearsRecorded if state.balance_fen else ArrearsSettled
        outcome.facts.append(
            fact(
                key=state.employer_key,
                subject=f"arrears:{state.employer_key}:{state.month}",
                revision=state.revision,
                delivery_id=ctx.delivery.id,
                record_no=no or first[state.employer_key],
                part="" if no else state.month,
                recorded_at=ctx.recorded_at,
                correction=state.revision > 1,
                unit=state.unit,
                org_code=state.org_code,
                month=state.month,
                as_at=Month.parse(state.month).last_on,
                balance_fen=state.balance_fen,
                carried_fen=state.carried_fen,
                carried_unit=state.carried_unit,
            )
        )
    outcome.facts.sort(key=lambda made: (made.record_no or 0, made.part))
    return outcome


def _cause(ctx: ApplyContext, change: Changed) -> dict[str, Any]:
    return {
        "revision": change.revision,
        "delivery_id": ctx.delivery.id,
        "record_no": change.no,
        "recorded_at": ctx.recorded_at,
        "correction": change.revision > 1,
    }
