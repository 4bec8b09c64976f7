"""Feed ``insured-persons``: the register of persons as it stands at the end of a month."""

from __future__ import annotations

from collections.abc import Sequence

from enrollment.register.intake.judging import (
    CARD_ALONE,
    person_faults,
    personal_of,
    told_of,
    unit_faults,
)
from enrollment.register.intake.ledger import PersonLedger
from enrollment.register.rules import NO_EMPLOYER, Person
from enrollment.register.schemas import InsuredPerson
from enrollment.register.store import employers as employer_store
from shared.deliveries.feed import (
    ApplyContext,
    Disposition,
    JudgeContext,
    JudgedRow,
    Outcome,
    RowProblem,
    Verdict,
)
from shared.periods import Month

COLUMNS = (
    "sealed",
    "birth_on",
    "sex",
    "name_hash",
    "unit",
    "status",
    "worker_class",
    "post",
    "enrolled_on",
    "agency_no",
)


def waiting_for(agency_no: str) -> str:
    """The token a record waits for that names an employer not in the register."""
    return f"agency-no:{agency_no}"


def hold(outcome: Outcome, no: int, agency_no: str) -> None:
    """The record waits until the employer is in the register (F5)."""
    outcome.dispositions[no] = Disposition.HELD
    outcome.problems[no] = (RowProblem("employer-unknown", "/agency_no", {"value": agency_no}),)
    outcome.waiting_for[no] = waiting_for(agency_no)


def reject(outcome: Outcome, no: int, code: str, pointer: str, **params: str) -> None:
    """The record cannot be applied to the register as it is."""
    outcome.dispositions[no] = Disposition.REJECTED
    outcome.problems[no] = (RowProblem(code, pointer, params),)


def judge_insured_persons(records: Sequence[InsuredPerson], ctx: JudgeContext) -> list[Verdict]:
    """Each person accepted as a row, or refused with every reason found.
    About 5 µs a record, nearly all of it sealing and hashing."""
    refused = _refused(records, ctx)
    good = records
    if refused:
        good = [record for at, record in enumerate(records) if at not in refused]
    verdicts = [
        Verdict(
            key,
            (
                sealed,
                birth_on,
                sex,
                name_hash,
                record.unit,
                record.status,
                record.worker_class,
                record.post,
                record.enrolled_on,
                record.agency_no,
            ),
        )
        for record, (key, sealed, birth_on, sex, name_hash) in zip(
            good, personal_of(good, ctx.secrecy), strict=True
        )
    ]
    for at, verdict in refused.items():  # in order, so that each finds its place
        verdicts.insert(at, verdict)
    return verdicts


def _refused(records: Sequence[InsuredPerson], ctx: JudgeContext) -> dict[int, Verdict]:
    """The verdicts on those that are not accepted, by index, in order."""
    last_on = Month.parse(ctx.delivery.period).last_on
    units = unit_faults(ctx)
    refused = {}
    for at, (record, number) in enumerate(zip(records, ctx.numbers["identity_no"], strict=True)):
        plain = number is None and told_of(record) == CARD_ALONE
        faults = () if plain else person_faults(record, number, ctx)
        unit = units[record.unit]
        late = record.enrolled_on > last_on
        if faults or unit is not None or late:
            problems = [*faults, *(() if unit is None else (unit,))]
            if late:
                on, limit = record.enrolled_on.isoformat(), last_on.isoformat()
                params = {"value": on, "limit": limit}
                problems.append(RowProblem("date-in-future", "/enrolled_on", params))
            refused[at] = Verdict(problems=tuple(problems))
    return refused


async def apply_insured_persons(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """The list's rows into ``persons``; a row that states what stands already is a duplicate.

    Takes effect on the list's day. The same day told otherwise again is a correction; a later
    day telling something else is a change.
    """
    outcome = Outcome()
    as_at = Month.parse(ctx.delivery.period).last_on
    await employer_store.lock_register(ctx.conn)
    numbers = {row.row[9] for row in rows}
    numbers.discard(None)
    places = await employer_store.places(ctx.conn, numbers)
    ledger = await PersonLedger.open(ctx, {row.key for row in rows})
    current = ledger.current
    for row in rows:
        sealed, birth_on, sex, name_hash, unit, status, worker_class, post, since, agency = row.row
        place = NO_EMPLOYER
        if agency is not None:
            found = places.get(agency)
            if found is None:
                hold(outcome, row.no, agency)
                continue
            place = found
        after = Person(name_hash, unit, status, worker_class, post, since, agency, *place)
        before = current.get(row.key)
        if before is not None:
            if before.state == after:
                outcome.dispositions[row.no] = Disposition.DUPLICATE
                continue
            if ledger.is_behind(row.key, row.no):
                continue
        ledger.move(
            row.no,
            row.key,
            after,
            as_at,
            personal=(sealed, birth_on, sex),
            as_at=as_at,
            correction=ctx.restates or (before is not None and before.as_at == as_at),
        )
    outcome.facts += await ledger.settle()
    return outcome
