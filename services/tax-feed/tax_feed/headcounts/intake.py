"""A check row, a headcount or an employer of the list becomes state and headcount facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.deliveries.checks import is_household, legal_rep_of, owner_key_of
from shared.deliveries.feed import Changed, JudgeContext, Verdict
from shared.events.tax_feed import HeadcountDeclared, UnenrolledReported
from shared.periods import Month
from tax_feed.employers import Employer, employers_of
from tax_feed.headcounts import models
from tax_feed.headcounts.schemas import EmployerCheck, Headcount, UnenrolledEmployer
from tax_feed.rules import finds_unenrolled
from tax_feed.stating import accepted, applier, hash_where_found


def judge_checks(records: Sequence[EmployerCheck], ctx: JudgeContext) -> list[Verdict]:
    """Each check row accepted, or refused with every reason found."""
    employers = employers_of(records, ctx, [record.licence_no for record in records])
    return [
        _check(record, employer, ctx) for record, employer in zip(records, employers, strict=True)
    ]


def _check(record: EmployerCheck, employer: Employer, ctx: JudgeContext) -> Verdict:
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
        *_counted(record, record.insured_headcount, ctx),
        *money,
        record.tax_reg_date,
    )
    return accepted(f"{employer.key}|{record.period}", row)


def judge_unenrolled(records: Sequence[UnenrolledEmployer], ctx: JudgeContext) -> list[Verdict]:
    """Each employer of the list accepted, or refused: also where nobody is missing there."""
    employers = employers_of(records, ctx, [record.licence_no for record in records])
    verdicts = []
    for record, (key, org_code, problems) in zip(records, employers, strict=True):
        problems.unit(record.unit, "/unit", ctx)
        problems.trade(record.reg_type, record.industry, ctx)
        problems.period(record.period, "/period", ctx)
        problems.not_after(record.found_on, ctx.today, "/found_on")
        taxable, insured = record.taxable_headcount, record.insured_headcount
        if not record.cancelled and not finds_unenrolled(taxable, insured):
            problems.add(
                "nothing-missing", "/insured_headcount", insured=str(insured), taxable=str(taxable)
            )
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        row = (
            key,
            org_code,
            record.name,
            record.unit,
            *_counted(record, insured, ctx),
            record.found_on,
            record.cancelled,
            record.address,
            *legal_rep_of(ctx.secrecy, record.legal_rep),
        )
        verdicts.append(accepted(f"{key}|{record.period}", row, hash_where_found(row)))
    return verdicts


def judge_headcounts(records: Sequence[Headcount], ctx: JudgeContext) -> list[Verdict]:
    """Each headcount accepted, or refused with every reason found."""
    employers = employers_of(records, ctx, [record.licence_no for record in records])
    verdicts = []
    for record, (key, org_code, problems) in zip(records, employers, strict=True):
        problems.unit(record.unit, "/unit", ctx)
        problems.trade(record.reg_type, record.industry, ctx)
        problems.period(record.period, "/period", ctx)
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        counted = _counted(record, record.contributing_headcount, ctx)
        row = (key, org_code, record.name, record.unit, *counted)
        verdicts.append(accepted(f"{key}|{record.period}", row))
    return verdicts


def _counted(
    record: EmployerCheck | UnenrolledEmployer | Headcount, insured: int, ctx: JudgeContext
) -> tuple[Any, ...]:
    """The columns from ``period`` to ``insured_headcount``."""
    return (
        record.period,
        record.reg_type,
        record.industry,
        is_household(record.reg_type, ctx.plan),
        record.licence_no,
        owner_key_of(ctx.secrecy, tax_no=record.tax_no),
        record.taxable_headcount,
        insured,
    )


def _fact(
    feed: str, subject: str, row: Mapping[str, Any], change: Changed, cause: dict[str, Any]
) -> HeadcountDeclared | UnenrolledReported:
    """Fewer insured than taxed is a finding, whichever list says so."""
    found = finds_unenrolled(row["taxable_headcount"], row["insured_headcount"])
    return (UnenrolledReported if found else HeadcountDeclared)(
        **cause,
        subject=f"{subject}:{row['employer_key']}:{row['period']}",
        feed=feed,
        period=row["period"],
        name=row["name"],
        reg_type=row["reg_type"],
        industry=row["industry"],
        household=row["household"],
        licence_no=row["licence_no"],
        owner_key=row["owner_key"],
        taxable_headcount=row["taxable_headcount"],
        insured_headcount=row["insured_headcount"],
        tax_reg_on=row.get("tax_reg_on"),
        effective_on=Month.parse(row["period"]).last_on,
        address=None if row["household"] else row.get("address"),
        legal_rep_key=row.get("legal_rep_key"),
        withdrawn=change.ended,
    )


def _check_fact(row: Mapping[str, Any], change: Changed, cause: dict[str, Any]) -> Any:
    return _fact("employer-checks", "headcount", row, change, cause)


def _unenrolled_fact(row: Mapping[str, Any], change: Changed, cause: dict[str, Any]) -> Any:
    if row["cancelled"]:
        # Nothing was found after all: as many are taxed as are insured.
        row = {**row, "taxable_headcount": row["insured_headcount"]}
    return _fact("unenrolled-employers", "unenrolled", row, change, cause)


def _headcount_fact(row: Mapping[str, Any], change: Changed, cause: dict[str, Any]) -> Any:
    return _fact("headcounts", "declared", row, change, cause)


apply_checks = applier(models.employer_checks, _check_fact)
apply_unenrolled = applier(models.unenrolled_employers, _unenrolled_fact)
apply_headcounts = applier(models.headcounts, _headcount_fact)
