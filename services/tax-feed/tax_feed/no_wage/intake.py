"""A person without wage becomes state, and its employer's sums a fact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from shared.deliveries.checks import content_hash
from shared.deliveries.feed import ApplyContext, JudgeContext, JudgedRow, Outcome, Verdict
from shared.deliveries.persons import Sealed, check_document, person_key_of
from shared.deliveries.state import upsert_state
from shared.events.tax_feed import NoWageCharged
from shared.periods import Month
from tax_feed.dated import rate_on
from tax_feed.employers import employers_of
from tax_feed.no_wage import models, store
from tax_feed.no_wage.schemas import NoWagePerson
from tax_feed.rules import part_of

_PACK: Final = msgspec.msgpack.Encoder().encode
_MONTH_AT, _EMPLOYER_AT = models.COLUMNS.index("month"), models.COLUMNS.index("employer_key")


def judge_no_wage(records: Sequence[NoWagePerson], ctx: JudgeContext) -> list[Verdict]:
    """Each person and month accepted, with both parts by the rates in force at the month's end,
    or refused with every reason found. The number is hashed, number and name are sealed."""
    employers = employers_of(records, ctx)
    identities = ctx.numbers["identity_no"]
    verdicts = []
    for record, (key, org_code, problems), identity in zip(
        records, employers, identities, strict=True
    ):
        problems.noted(identity, "/identity_no")
        check_document(record, problems)
        problems.unit(record.unit, "/unit", ctx)
        problems.period(record.month, "/month", ctx)
        base = problems.fen(record.individual_base, "/individual_base", minimum=1)
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        person = person_key_of(record, ctx.secrecy)
        natural_key = f"{person}|{key}|{record.month}"
        last_on = Month.parse(record.month).last_on
        individual, employer = (
            rate_on(ctx.plan, name, last_on) for name in ("individual-rate", "employer-pooled-rate")
        )
        whose = (key, org_code, record.name, record.unit, person)
        what = (
            record.month,
            base,
            str(individual),
            part_of(base, individual),
            str(employer),
            part_of(base, employer),
            record.cancelled,
        )
        sealed = ctx.secrecy.encrypt(
            _PACK(Sealed.of(record, record.person_name).kept), models.place_of(natural_key)
        )
        # Hashed without what is sealed, which is other bytes each time; the name by its keyed
        # hash, so that a name told otherwise is a correction.
        named = ctx.secrecy.keyed_hash(f"name:{record.person_name}")
        hashed = content_hash((*whose, named, *what))
        verdicts.append(Verdict(natural_key, (*whose, sealed, *what), hashed))
    return verdicts


async def apply_no_wage(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Persons into ``no_wage_persons``; one fact for each employer, month and unit whose sums
    moved. No fact names a person."""
    outcome = Outcome()
    table, columns = models.no_wage_persons, models.COLUMNS
    first: dict[tuple[str, str], int] = {}
    for change in await upsert_state(ctx, table, columns, rows, outcome):  # in record order
        first.setdefault((change.row[_EMPLOYER_AT], change.row[_MONTH_AT]), change.no)
    for total in await store.restate_totals(ctx.conn, sorted(first)):
        outcome.facts.append(
            NoWageCharged(
                key=total.employer_key,
                subject=f"no-wage:{total.employer_key}:{total.month}:{total.unit}",
                revision=total.revision,
                delivery_id=ctx.delivery.id,
                record_no=first[total.employer_key, total.month],
                part=total.unit,
                recorded_at=ctx.recorded_at,
                correction=total.revision > 1,
                unit=total.unit,
                org_code=total.org_code,
                month=total.month,
                person_count=total.person_count,
                base_fen=total.base_fen,
                individual_fen=total.individual_fen,
                employer_fen=total.employer_fen,
                effective_on=Month.parse(total.month).last_on,
            )
        )
    outcome.facts.sort(key=lambda made: (made.record_no or 0, made.part))
    return outcome
