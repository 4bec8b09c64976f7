"""Feed ``inspection-findings``: judged, kept, and told as evidence for leads (O33)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from enrollment.identity.numbers import employer_key, org_code_of, problems_of
from enrollment.identity.rules import keys_of
from enrollment.inspections import models
from enrollment.inspections.schemas import InspectionFinding
from enrollment.leads.evidence import Report, take_reports
from enrollment.leads.worth.rules import Trait
from shared.deliveries.checks import content_hash
from shared.deliveries.feed import (
    ApplyContext,
    Changed,
    JudgeContext,
    JudgedRow,
    Outcome,
    Verdict,
)
from shared.deliveries.state import upsert_state
from shared.events.enrollment import InspectionFound
from shared.periods import Dekad


class Row(NamedTuple):
    """A judged finding, as the table has it."""

    unit: str
    inspected_on: date
    employer_name: str
    org_code: str | None
    licence_no: str | None
    staff_found: int
    without_contract: int
    not_enrolled: int
    void: bool


COLUMNS = Row._fields


def judge_inspection_findings(
    records: Sequence[InspectionFinding], ctx: JudgeContext
) -> list[Verdict]:
    """Each finding accepted as a row, or refused with every reason found."""
    dekad = Dekad.parse(ctx.delivery.period)
    last_on = max(dekad.last_on, dekad.cutoff_on(ctx.plan.cutoffs))
    verdicts = []
    for record, problems in zip(records, problems_of(records, ctx), strict=True):
        problems.takes_effect(record.inspected_on, last_on, "/inspected_on")
        problems.not_after(record.inspected_on, last_on, "/inspected_on", "period-mismatch")
        for name in ("without_contract", "not_enrolled"):
            count = getattr(record, name)
            if count > record.staff_found:
                problems.add(
                    "more-than-staff", f"/{name}", value=str(count), limit=str(record.staff_found)
                )
        verdicts.append(Verdict(problems=tuple(problems)) if problems else _verdict(record))
    return verdicts


def _verdict(record: InspectionFinding) -> Verdict:
    row = Row(
        record.unit,
        record.inspected_on,
        record.employer_name,
        org_code_of(record),
        record.licence_no,
        record.staff_found,
        record.without_contract,
        record.not_enrolled,
        record.void,
    )
    return Verdict(f"{record.unit}.{record.finding_no}", tuple(row), content_hash(tuple(row)))


async def apply_inspection_findings(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Findings into ``inspection_findings`` with a fact each; an employer with staff not enrolled
    is evidence for leads. A finding told otherwise is a correction."""
    outcome = Outcome()
    changed = await upsert_state(ctx, models.inspection_findings, COLUMNS, rows, outcome)
    outcome.facts += [_fact(ctx, one, Row._make(one.row)) for one in changed]
    outcome.facts += await take_reports(ctx, [_report(one) for one in changed])
    return outcome


def _fact(ctx: ApplyContext, changed: Changed, row: Row) -> InspectionFound:
    return InspectionFound(
        key=f"inspection:{changed.key}",
        subject=f"inspection:{changed.key}",
        revision=changed.revision,
        delivery_id=ctx.delivery.id,
        record_no=changed.no,
        recorded_at=ctx.recorded_at,
        correction=changed.revision > 1,
        unit=row.unit,
        employer_key=employer_key(row.org_code, row.licence_no),
        staff_count=row.staff_found,
        without_contract_count=row.without_contract,
        not_enrolled_count=row.not_enrolled,
        inspected_on=row.inspected_on,
        void=row.void,
    )


def _report(changed: Changed) -> Report:
    row = Row._make(changed.row)
    before = None if changed.previous is None else Row._make(changed.previous)
    subject = f"inspection:{changed.key}"
    return Report(
        subject,
        changed.revision,
        changed.no,
        _named(row) if row.not_enrolled and not row.void else None,
        None if before is None else _named(before),
        row.inspected_on,
        row.unit,
        Trait(subject, changed.revision, row.not_enrolled),
    )


def _named(row: Row) -> tuple[tuple[str, ...], str]:
    """The employer's keys and name."""
    return keys_of(row.org_code, row.licence_no, None), row.employer_name
