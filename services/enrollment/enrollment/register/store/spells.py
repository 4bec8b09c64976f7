"""Statements about spells: what held from when to when, and from when to when it was known.

The state that holds without end, as it is known now, is the subject's own row in ``persons`` or
``register_employers``; the spell tables keep all others, so that a first load writes none. Rows
are only ever added; ``known_to`` is set once, when something else was told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.register import models
from enrollment.register.rules import Employer, Person
from enrollment.register.timeline import Since, Span, State, Step, Timeline, Told, after, past
from shared.copying import copy_into
from shared.database import raw


@dataclass(frozen=True)
class SpellTable:
    """Whose spells: the table, the subject's column, and the columns that make up a state."""

    table: Table
    subject: str
    state: tuple[str, ...]


PERSON_SPELLS: Final = SpellTable(
    models.person_spells,
    "person_id",
    ("status", "entry", "unit", "ownership", "trade", "worker_class", "employer_id"),
)
EMPLOYER_SPELLS: Final = SpellTable(
    models.employer_spells,
    "employer_id",
    ("status", "entry", "unit", "ownership", "trade", "household", "in_township"),
)


def person_state(state: Person, entry: str | None) -> State:
    """A person's state in the order of ``PERSON_SPELLS.state``."""
    return (
        state.status,
        entry,
        state.unit,
        state.ownership,
        state.trade,
        state.worker_class,
        state.employer_id,
    )


def employer_state(state: Employer, entry: str | None) -> State:
    """An employer's state in the order of ``EMPLOYER_SPELLS.state``."""
    return (
        state.status,
        entry,
        state.unit,
        state.ownership,
        state.trade,
        state.household,
        state.in_township,
    )


class Stood(NamedTuple):
    """The state without end before a chunk, and since when it was known."""

    since: Since
    recorded_at: datetime


class Course(NamedTuple):
    """What a chunk told about a subject: where it stood before, None for a new one."""

    stood: Stood | None
    steps: list[Step]


async def keep_spells(
    conn: AsyncConnection, spells: SpellTable, subjects: Mapping[str, Course], told_at: datetime
) -> None:
    """Note what became of these subjects' spells by what was told, in the chunk's transaction;
    the register lock is held. Three statements, whatever the number of subjects."""
    known = await _known(conn, spells, [s for s, one in subjects.items() if one.stood is not None])
    closed: list[int] = []
    rows: list[tuple[Any, ...]] = []
    for subject, (stood, steps) in subjects.items():
        ids = known.get(subject, {})
        before: Timeline = tuple(sorted(Since(span.from_on, span.state) for span in ids))
        if stood is not None:
            before = (*before, stood.since)
        now = after(before, steps)
        spans = past(now)
        closed += [row_id for span, row_id in ids.items() if span not in set(spans)]
        rows += [
            (subject, span.from_on, span.to_on, told_at, None, *span.state)
            for span in spans
            if span not in ids
        ]
        if stood is not None and any(step.told is not Told.BETWEEN for step in steps):
            since, at = stood
            rows.append((subject, since.on, None, at, max(at, told_at), *since.state))
    if closed:
        driver = await raw(conn)
        await driver.execute(
            f"UPDATE {spells.table.name} SET known_to = greatest(known_from, %s) "
            "WHERE id = ANY(%s)",
            (told_at, closed),
        )
    if rows:
        columns = (spells.subject, "from_on", "to_on", "known_from", "known_to", *spells.state)
        await copy_into(conn, spells.table, columns, rows)


async def _known(
    conn: AsyncConnection, spells: SpellTable, subjects: Collection[str]
) -> dict[str, dict[Span, int]]:
    """Subject → its spans known now, but the last, each with its row."""
    if not subjects:
        return {}
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT {spells.subject}, id, from_on, to_on, {', '.join(spells.state)} "
        f"FROM {spells.table.name} WHERE {spells.subject} = ANY(%s) AND known_to IS NULL",
        (list(subjects),),
    )
    found: dict[str, dict[Span, int]] = {}
    for subject, row_id, from_on, to_on, *state in await cursor.fetchall():
        found.setdefault(subject, {})[Span(from_on, to_on, tuple(state))] = row_id
    return found


async def standing_at(
    conn: AsyncConnection, employers: Mapping[str, tuple[str, str, date]]
) -> dict[str, Course]:
    """Persons whose ownership or trade is about to follow their employer's, as they stand and
    what will be told of them. ``employers``: employer → ownership, trade, from when on."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT p.person_id, p.effective_on, p.recorded_at, p.employer_id, p.status, p.entry, "
        "p.unit, p.ownership, p.trade, p.worker_class FROM persons p "
        "JOIN unnest(%s::text[], %s::text[], %s::text[]) AS e (employer_id, ownership, trade) "
        "ON p.employer_id = e.employer_id WHERE p.status <> 'ended' "
        "AND (p.ownership, p.trade) <> (e.ownership, e.trade)",
        (
            list(employers),
            [ownership for ownership, _, _ in employers.values()],
            [trade for _, trade, _ in employers.values()],
        ),
    )
    found = {}
    for person_id, since, at, employer, *state in await cursor.fetchall():
        status, entry, unit, ownership, trade, worker_class = state
        ownership_now, trade_now, on = employers[employer]
        was = (status, entry, unit, ownership, trade, worker_class, employer)
        becomes = (status, entry, unit, ownership_now, trade_now, worker_class, employer)
        step = Step(Told.FROM, max(on, since), becomes)
        found[person_id] = Course(Stood(Since(since, was), at), [step])
    return found
