"""Every SQL statement of what is known of persons as leads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads import models
from enrollment.leads.changes import Cause, Stored
from enrollment.leads.persons.rules import Standing
from enrollment.leads.rules import Event
from shared.copying import stage_into
from shared.database import raw

_COLUMNS = (
    "person_key",
    "subject",
    "revision",
    "what",
    "recorded_at",
    "effective_on",
    "feed",
    "unit",
    "delivery_id",
    "record_no",
)


async def insert_events(
    conn: AsyncConnection, events: Sequence[tuple[str, Event]]
) -> dict[str, Cause]:
    """Keep (person, event) pairs; a state that is known already stays as it is.

    A report told of somebody else now is gone from those it was about before: returned with the
    cause.
    """
    driver = await raw(conn)
    rows = (
        (
            person,
            *(event.subject, event.revision, event.what, event.recorded_at),
            *(event.effective_on, event.feed, event.unit),
            None if event.delivery_id is None else UUID(event.delivery_id),
            event.record_no,
        )
        for person, event in events
    )
    await stage_into(conn, "stage_person_events", models.person_events, _COLUMNS, rows)
    names = ", ".join(_COLUMNS)
    await driver.execute(
        f"INSERT INTO person_events ({names}) SELECT {names} FROM stage_person_events "
        "ORDER BY person_key, subject, revision ON CONFLICT DO NOTHING"
    )
    cursor = await driver.execute(
        """
        INSERT INTO person_events
        SELECT old.person_key, new.subject, new.revision, 'gone', new.recorded_at,
               new.effective_on, new.feed, new.unit, new.delivery_id, new.record_no
        FROM stage_person_events AS new JOIN person_events AS old ON old.subject = new.subject
             AND old.revision < new.revision AND old.person_key <> new.person_key
        WHERE old.what <> 'gone'
        ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
        RETURNING person_key, delivery_id::text, record_no, effective_on
        """
    )
    return {row[0]: Cause(row[1], row[2], row[3]) for row in await cursor.fetchall()}


async def events_of(conn: AsyncConnection, persons: Collection[str]) -> dict[str, list[Event]]:
    """All events of each person, in no order."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT person_key, subject, revision, what, recorded_at, effective_on, feed, unit, "
        "'', 0, delivery_id::text, record_no FROM person_events WHERE person_key = ANY(%s)",
        (list(persons),),
    )
    found: dict[str, list[Event]] = defaultdict(list)
    for person, *event in await cursor.fetchall():
        found[person].append(Event(*event))
    return found


async def leads_of(conn: AsyncConnection, persons: Collection[str]) -> dict[str, list[Stored]]:
    """The leads of each person by ordinal."""
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT {', '.join(Stored._fields)} FROM leads WHERE person_key = ANY(%s) "
        "ORDER BY person_key, ordinal",
        (list(persons),),
    )
    found: dict[str, list[Stored]] = defaultdict(list)
    for row in await cursor.fetchall():
        lead = Stored._make(row)
        found[lead.holder].append(lead)
    return found


async def told_of(conn: AsyncConnection, persons: Collection[str]) -> set[str]:
    """Which of these persons anything is kept of."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT p.key FROM unnest(%s::text[]) AS p (key) WHERE EXISTS "
        "(SELECT FROM person_events e WHERE e.person_key = p.key)",
        (list(persons),),
    )
    return {row[0] for row in await cursor.fetchall()}


async def person_ids_of(conn: AsyncConnection, persons: Collection[str]) -> dict[str, str]:
    """Person → id in the register, for those who are or were in it."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT person_key, person_id FROM persons WHERE person_key = ANY(%s)", (list(persons),)
    )
    return dict(await cursor.fetchall())


async def standings_of(
    conn: AsyncConnection, persons: Collection[str]
) -> list[tuple[str, Standing, Event]]:
    """How the register has each of these persons, with the state it rests on as an event of
    which ``what`` and ``effective_on`` are still to be said."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT p.person_key, p.status, p.enrolled_on, p.effective_on, p.revision, p.recorded_at, "
        "coalesce(d.feed, ''), p.unit, p.delivery_id::text, p.record_no FROM persons p "
        "LEFT JOIN deliveries d ON d.id = p.delivery_id WHERE p.person_key = ANY(%s)",
        (list(persons),),
    )
    found = []
    for row in await cursor.fetchall():
        key, status, since, on, revision, recorded_at, feed, unit, *cause = row
        register = f"register:{key}"
        event = Event(register, revision, "", recorded_at, on, feed, unit, "", 0, *cause)
        found.append((key, Standing(status, since, on), event))
    return found
