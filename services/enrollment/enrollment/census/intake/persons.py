"""Feed ``census-persons``: persons the census found not insured (O67, O70)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from enrollment.census import models, rules
from enrollment.census.intake.judging import in_census, last_day
from enrollment.census.schemas import CensusPerson
from enrollment.identity.numbers import employer_key, org_code_of, problems_of
from enrollment.identity.rules import keys_of
from enrollment.leads.evidence import (
    PersonReport,
    Report,
    take_reports,
)
from enrollment.leads.worth.rules import Trait
from enrollment.policy.rules import ages
from shared.crypto import SealedColumn, Secrecy
from shared.deliveries.checks import content_hash
from shared.deliveries.feed import (
    ApplyContext,
    Changed,
    JudgeContext,
    JudgedRow,
    Outcome,
    Verdict,
)
from shared.deliveries.persons import Sealed, birth_and_sex, check_told, person_key_of
from shared.deliveries.state import upsert_state
from shared.events.enrollment import CensusPersonFound

REASONS = "uninsured-reasons"
ELSEWHERE = "insured-elsewhere"
"""The reason that says the person is insured in another place."""
_PACK = msgspec.msgpack.Encoder().encode


class Row(NamedTuple):
    """A judged entry, as the table has it."""

    unit: str
    entry_no: str
    street: str
    frame_no: str | None
    found_on: date
    person_key: str | None
    sealed: bytes
    sex: str
    birth_on: date
    post: str | None
    worker_class: str
    employer_name: str | None
    org_code: str | None
    licence_no: str | None
    reason: str
    can_pay: bool
    age_finding: str
    eligible: bool | None
    void: bool
    name_hash: str


COLUMNS = Row._fields


def _place(natural_key: str) -> bytes:
    return natural_key.encode()


SEALED_FOUND = SealedColumn("census_persons", "sealed", ("natural_key",), _place)


def unsealed(sealed: bytes, natural_key: str, secrecy: Secrecy) -> Sealed:
    """Number (empty without one) and name, and the paper. Raises SecrecyError."""
    return Sealed(*msgspec.msgpack.decode(secrecy.decrypt(sealed, _place(natural_key))))


def judge_census_persons(records: Sequence[CensusPerson], ctx: JudgeContext) -> list[Verdict]:
    """Each entry accepted as a row, or refused with every reason found."""
    last_on = last_day(ctx)
    numbers = ctx.numbers["identity_no"]
    limits: dict[date, ages.AgeLimits] = {}
    verdicts = []
    for record, number, problems in zip(records, numbers, problems_of(records, ctx), strict=True):
        problems.noted(number, "/identity_no")
        known = ctx.plan.find_code(REASONS, record.reason) is not None
        problems.coded(record.reason, "/reason", known)
        if (record.org_code or record.licence_no) and record.employer_name is None:
            problems.add("field-missing", "/employer_name", field="employer_name")
        check_told(record, number, problems)
        problems.not_after(record.birth_on, ctx.today, "/birth_on")
        in_census(problems, record.found_on, last_on, "/found_on", ctx)
        verdicts.append(
            Verdict(problems=tuple(problems)) if problems else _verdict(record, ctx, limits)
        )
    return verdicts


def _verdict(
    record: CensusPerson, ctx: JudgeContext, limits: dict[date, ages.AgeLimits]
) -> Verdict:
    secrecy = ctx.secrecy
    birth_on, sex = birth_and_sex(record)
    on = rules.reference_day(ctx.plan, record.found_on)
    if on not in limits:
        limits[on] = ages.age_limits(ctx.plan, on)
    finding = ages.age_finding(birth_on, sex, record.post, on, limits[on], record.worker_class)
    natural_key = f"{record.unit}.{record.entry_no}"
    row = Row(
        record.unit,
        record.entry_no,
        record.street,
        record.frame_no,
        record.found_on,
        person_key_of(record, secrecy),
        secrecy.encrypt(_PACK(Sealed.of(record, record.name).kept), _place(natural_key)),
        sex,
        birth_on,
        record.post,
        record.worker_class,
        record.employer_name,
        org_code_of(record),
        record.licence_no,
        record.reason,
        record.can_pay,
        finding,
        rules.ELIGIBLE[finding],
        record.void,
        secrecy.keyed_hash(f"name:{record.name}"),
    )
    # The seal differs each time; what it seals is in the key and the name's hash.
    return Verdict(natural_key, tuple(row), content_hash(tuple(row._replace(sealed=b""))))


async def apply_census_persons(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Entries into ``census_persons`` with a fact each; the employers they were met at are
    evidence for leads. An entry told otherwise is a correction."""
    outcome = Outcome()
    changed = await upsert_state(ctx, models.census_persons, COLUMNS, rows, outcome)
    outcome.facts += [_fact(ctx, one, Row._make(one.row)) for one in changed]
    outcome.facts += await take_reports(
        ctx, [_report(one) for one in changed], [_of_person(one) for one in changed]
    )
    return outcome


def _fact(ctx: ApplyContext, changed: Changed, row: Row) -> CensusPersonFound:
    return CensusPersonFound(
        key=f"found:{changed.key}",
        subject=f"found:{changed.key}",
        revision=changed.revision,
        delivery_id=ctx.delivery.id,
        record_no=changed.no,
        recorded_at=ctx.recorded_at,
        correction=changed.revision > 1,
        unit=row.unit,
        street=row.street,
        person_key=row.person_key,
        employer_key=employer_key(row.org_code, row.licence_no),
        sex=row.sex,
        worker_class=row.worker_class,
        reason=row.reason,
        can_pay=row.can_pay,
        eligible=row.eligible,
        age_finding=row.age_finding,
        found_on=row.found_on,
        void=row.void,
    )


def _report(changed: Changed) -> Report:
    """Someone of working age works there uninsured; nobody does any more once that is undone."""
    row = Row._make(changed.row)
    before = None if changed.previous is None else Row._make(changed.previous)
    return Report(
        f"found:{changed.key}",
        changed.revision,
        changed.no,
        _claim(row) if not row.void and row.eligible is not False else None,
        None if before is None else _claim(before),
        row.found_on,
        row.unit,
        Trait(
            f"found:{changed.key}",
            changed.revision,
            1,
            row.can_pay,
            row.eligible is not None,
            row.reason == ELSEWHERE,
        ),
    )


def _of_person(changed: Changed) -> PersonReport:
    """Someone whose employer nobody can tell by its numbers is a lead by themselves."""
    row = Row._make(changed.row)
    before = None if changed.previous is None else Row._make(changed.previous)
    return PersonReport(
        f"found:{changed.key}",
        changed.revision,
        changed.no,
        _alone(row),
        None if before is None else _alone(before),
        row.found_on,
        row.unit,
    )


def _alone(row: Row) -> str | None:
    """The person, where the entry is evidence of a person without an employer: not over age, with
    an identity number."""
    counts = not row.void and row.eligible is not False and not _claim(row)[0]
    return row.person_key if counts else None


def _claim(row: Row) -> tuple[tuple[str, ...], str]:
    """The employer's keys and name."""
    return keys_of(row.org_code, row.licence_no, None), row.employer_name or ""
