"""The quick way of ``insured-persons`` for persons nobody knows: rows and facts are made where
they are judged, with numbers taken and employers read before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads import models as lead_models
from enrollment.leads.changes import Cause
from enrollment.leads.persons import projections as persons_projections
from enrollment.leads.persons.rules import bears_on_leads
from enrollment.register import models
from enrollment.register.intake.insured_persons import COLUMNS
from enrollment.register.intake.moving import count_active, fact_of, moved_by
from enrollment.register.rules import NO_EMPLOYER, Person, Place
from enrollment.register.store import employers as employer_store
from enrollment.register.store import persons as store
from shared.copying import copy_types
from shared.deliveries.feed import ApplyContext, Fresh, JudgedTuple, New, Recording
from shared.events import Fact
from shared.periods import Month

_OWN: Final = ("person_key", "person_id", "record_no", *COLUMNS, *Place._fields)
_SHARED: Final = ("revision", "delivery_id", "recorded_at", "effective_on", "as_at", "entry")
_STATE: Final = COLUMNS.index("name_hash")
"""A row's columns from here on are those of ``Person``, but for the place."""
_AGENCY_NO: Final = re.compile(rb'"agency_no"\s*:\s*"([0-9A-Za-z-]+)"')


class Ahead(NamedTuple):
    """What has to be known before the records are judged."""

    first_no: int
    numbers: Sequence[int]
    """Of persons, one for each record from ``first_no`` on; those left over are never used."""
    places: Mapping[str, Place]
    """Employers the records name, of those in the register."""


class Rest(NamedTuple):
    """What new persons come to beside their rows and facts."""

    bearing: list[tuple[int, str, Person]]
    """Those whose coming bears on leads of persons: record number, key, state."""
    came: dict[str, tuple[int, int]]
    """Employer → how many active persons came, and the last one's record number."""


async def read_ahead(conn: AsyncConnection, record_nos: range, text: bytes) -> Ahead:
    """Take numbers for as many persons, and read the employers they name. An employer named in
    another notation than JSON's usual one is not found, and left to the ordinary way."""
    named = {found.decode() for found in set(_AGENCY_NO.findall(text))}
    places = await employer_store.places(conn, named) if named else {}
    return Ahead(record_nos.start, await store.take_numbers(conn, len(record_nos)), places)


def make(recording: Recording, rows: Sequence[JudgedTuple], ahead: Ahead) -> New | None:
    """First versions of persons and their facts; None where an employer is not in the register."""
    delivery, (first_no, numbers, places) = recording.delivery, ahead
    as_at = Month.parse(delivery.period).last_on
    made, facts, rest = [], [], Rest([], {})
    for no, key, _, judged in rows:
        agency = judged[-1]
        place = NO_EMPLOYER if agency is None else places.get(agency)
        if place is None:
            return None
        state = Person._make((*judged[_STATE:], *place))
        person_id = store.person_id(numbers[no - first_no])
        made.append((key, person_id, no, *judged, *place))
        facts.append(fact_of(recording, no, person_id, 1, None, state, as_at))
        if _bears(state.status):
            rest.bearing.append((no, key, state))
        if agency is not None and (employer := state.counts_at) is not None:
            count, _ = rest.came.get(employer, (0, 0))
            rest.came[employer] = (count + 1, no)
    same = (1, UUID(delivery.id), recording.recorded_at, as_at, as_at, "listed")
    return New(made, same, facts, rest if any(rest) else None)


@cache
def _bears(status: str) -> bool:
    """Whether someone nobody has told of who comes with that status bears on leads."""
    return bears_on_leads(None, status, told_of=False)


async def begin(ctx: ApplyContext, ahead: Ahead) -> bool:
    """Lock the register; whether the employers are as they were read."""
    await employer_store.lock_register(ctx.conn)
    places = ahead.places
    return not places or await employer_store.places(ctx.conn, set(places)) == places


async def follow(ctx: ApplyContext, rests: Sequence[Rest]) -> list[Fact]:
    """Leads of persons and counts of employers that follow from the persons who came."""
    as_at = Month.parse(ctx.delivery.period).last_on
    moved = [
        moved_by(ctx, no, key, 1, None, state, as_at)
        for rest in rests
        for no, key, state in rest.bearing
    ]
    facts: list[Fact] = []
    if moved:
        facts += await persons_projections.hear_moves(ctx.conn, moved, ctx.recorded_at)
    deltas: Counter[str] = Counter()
    causes: dict[str, Cause] = {}
    for rest in rests:
        for employer, (count, no) in rest.came.items():
            deltas[employer] += count
            causes[employer] = Cause(ctx.delivery.id, no, as_at)
    facts += await count_active(ctx, deltas, causes)
    return facts


NEW_PERSONS: Final = Fresh(
    models.persons.name,
    dict(zip(_OWN, copy_types(models.persons, _OWN), strict=True)),
    dict(zip(_SHARED, copy_types(models.persons, _SHARED), strict=True)),
    make,
    unknown=((lead_models.person_events.name, "person_key"),),
    ahead=read_ahead,
    begin=begin,
    follow=follow,
)
