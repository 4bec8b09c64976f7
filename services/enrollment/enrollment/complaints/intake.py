"""Feed ``complaints``: judged, sealed, and told without a word of who complained (O85)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from enrollment.complaints import models, rules
from enrollment.complaints.schemas import Complaint
from enrollment.identity.numbers import employer_key, org_code_of, problems_of
from enrollment.identity.rules import keys_of
from enrollment.leads.evidence import Report, take_reports
from enrollment.leads.worth.rules import Trait
from shared.crypto import SealedColumn, Secrecy
from shared.deliveries.checks import Problems, content_hash
from shared.deliveries.feed import (
    ApplyContext,
    Changed,
    JudgeContext,
    JudgedRow,
    Outcome,
    Verdict,
)
from shared.deliveries.state import upsert_state
from shared.events.enrollment import ComplaintReceived
from shared.periods import Dekad

GROUNDS = "complaint-grounds"
_PACK = msgspec.msgpack.Encoder().encode


class Row(NamedTuple):
    """A judged complaint, as the table has it."""

    unit: str
    received_on: date
    channel: str
    ground: str
    employer_name: str
    org_code: str | None
    licence_no: str | None
    persons_affected: int | None
    sealed: bytes
    void: bool


COLUMNS = Row._fields


class Written(NamedTuple):
    """What is sealed of a complaint."""

    content: str
    informant_name: str | None
    informant_contact: str | None


def _place(natural_key: str) -> bytes:
    return natural_key.encode()


SEALED_COMPLAINTS = SealedColumn("complaints", "sealed", ("natural_key",), _place)


def unsealed(sealed: bytes, natural_key: str, secrecy: Secrecy) -> Written:
    """What was written and by whom. Raises SecrecyError."""
    plain = secrecy.decrypt(sealed, _place(natural_key))
    return Written(*msgspec.msgpack.decode(plain, type=tuple[str, str | None, str | None]))


def judge_complaints(records: Sequence[Complaint], ctx: JudgeContext) -> list[Verdict]:
    """Each complaint accepted as a row, or refused with every reason found."""
    dekad = Dekad.parse(ctx.delivery.period)
    last_on = max(dekad.last_on, dekad.cutoff_on(ctx.plan.cutoffs))
    verdicts = []
    for record, problems in zip(records, problems_of(records, ctx), strict=True):
        _whole(record, problems, ctx, last_on)
        verdicts.append(Verdict(problems=tuple(problems)) if problems else _verdict(record, ctx))
    return verdicts


def _whole(record: Complaint, problems: Problems, ctx: JudgeContext, last_on: date) -> None:
    known = ctx.plan.find_code(GROUNDS, record.ground) is not None
    problems.coded(record.ground, "/ground", known)
    problems.takes_effect(record.received_on, last_on, "/received_on")
    problems.not_after(record.received_on, last_on, "/received_on", "period-mismatch")
    fault = rules.informant_fault(record.anonymous, record.informant_name, record.informant_contact)
    if fault is not None:
        problems.add(fault, "/informant_name", field="informant_name")


def _verdict(record: Complaint, ctx: JudgeContext) -> Verdict:
    key = rules.natural_key(ctx.delivery.department, record.unit, record.complaint_no)
    written = Written(record.content, record.informant_name, record.informant_contact)
    packed = _PACK(written)
    row = Row(
        record.unit,
        record.received_on,
        record.channel,
        record.ground,
        record.employer_name,
        org_code_of(record),
        record.licence_no,
        record.persons_affected,
        ctx.secrecy.encrypt(packed, _place(key)),
        record.void,
    )
    # The seal differs each time; what it seals is known by a keyed hash only.
    sealed_hash = ctx.secrecy.keyed_hash(f"complaint:{packed.hex()}")
    return Verdict(key, tuple(row), content_hash((*row._replace(sealed=b""), sealed_hash)))


async def apply_complaints(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Complaints into ``complaints`` with a fact each; the employers complained of are evidence
    for leads. A complaint told otherwise is a correction."""
    outcome = Outcome()
    changed = await upsert_state(ctx, models.complaints, COLUMNS, rows, outcome)
    outcome.facts += [_fact(ctx, one, Row._make(one.row)) for one in changed]
    outcome.facts += await take_reports(ctx, [_report(one) for one in changed])
    return outcome


def _fact(ctx: ApplyContext, changed: Changed, row: Row) -> ComplaintReceived:
    return ComplaintReceived(
        key=f"complaint:{changed.key}",
        subject=f"complaint:{changed.key}",
        revision=changed.revision,
        delivery_id=ctx.delivery.id,
        record_no=changed.no,
        recorded_at=ctx.recorded_at,
        correction=changed.revision > 1,
        unit=row.unit,
        ground=row.ground,
        channel=row.channel,
        employer_key=employer_key(row.org_code, row.licence_no),
        persons_affected=row.persons_affected,
        received_on=row.received_on,
        void=row.void,
    )


def _report(changed: Changed) -> Report:
    row = Row._make(changed.row)
    before = None if changed.previous is None else Row._make(changed.previous)
    return Report(
        f"complaint:{changed.key}",
        changed.revision,
        changed.no,
        None if row.void else _named(row),
        None if before is None else _named(before),
        row.received_on,
        row.unit,
        Trait(f"complaint:{changed.key}", changed.revision, row.persons_affected),
    )


def _named(row: Row) -> tuple[tuple[str, ...], str]:
    """The employer's keys and name."""
    return keys_of(row.org_code, row.licence_no, None), row.employer_name
