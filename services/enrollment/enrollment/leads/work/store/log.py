"""The log of one lead, and where the work on it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg.rows import namedtuple_row
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads.work.rules import Entry, State, joined_of
from shared.database import raw

_ENTRY = ", ".join(f'"{name}"' for name in Entry._fields)


async def find_holder(conn: AsyncConnection, lead_id: str) -> tuple[str | None, str | None] | None:
    """Whose lead it is: an employer, or a person by the keyed hash of the number."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT employer_id, person_key FROM leads WHERE lead_id = %s AND NOT void", (lead_id,)
    )
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1])


async def lock_work(conn: AsyncConnection, lead_id: str) -> None:
    """Nobody else writes to the lead's log until this transaction ends."""
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO lead_work (lead_id, version, stage, contact_count) "
        "VALUES (%s, 0, 'found', 0) ON CONFLICT DO NOTHING",
        (lead_id,),
    )
    await driver.execute("SELECT 1 FROM lead_work WHERE lead_id = %s FOR UPDATE", (lead_id,))


async def log_of(conn: AsyncConnection, lead_id: str) -> list[Entry]:
    """The whole log in order."""
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT {_ENTRY} FROM lead_entries WHERE lead_id = %s ORDER BY no", (lead_id,)
    )
    return [Entry._make(row) for row in await cursor.fetchall()]


async def logs_joined(
    conn: AsyncConnection, entries: Sequence[Entry]
) -> list[tuple[str, list[Entry]]]:
    """(lead, log) of every lead whose work counts with that of this log, directly or by another."""
    found: list[tuple[str, list[Entry]]] = []
    waiting = joined_of(entries)
    while waiting:
        lead_id = waiting.pop(0)
        if any(lead_id == known for known, _ in found):
            continue
        other = await log_of(conn, lead_id)
        found.append((lead_id, other))
        waiting += joined_of(other)
    return found


async def append(conn: AsyncConnection, lead_id: str, entry: Entry, state: State) -> None:
    """Write an entry, and where the work stands after it; the lock is held."""
    driver = await raw(conn)
    marks = ", ".join(["%s"] * (len(Entry._fields) + 1))
    await driver.execute(
        f"INSERT INTO lead_entries (lead_id, {_ENTRY}) VALUES ({marks})", (lead_id, *entry)
    )
    await set_state(conn, lead_id, entry.no, state)


async def set_state(conn: AsyncConnection, lead_id: str, version: int, state: State) -> None:
    """Where the work stands after the entry ``version``; the lock is held."""
    driver = await raw(conn)
    sets = ", ".join(f"{name} = %s" for name in State._fields)
    await driver.execute(
        f"UPDATE lead_work SET version = %s, {sets} WHERE lead_id = %s",
        (version, *state, lead_id),
    )


async def known_of(
    conn: AsyncConnection, employer_id: str | None, person_key: str | None
) -> list[Any]:
    """Everything told of an employer or person, as it was recorded."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(
            "SELECT subject, revision, what, recorded_at, effective_on, feed, unit, period, "
            "taxable, delivery_id::text, record_no, n.notified_on FROM lead_events "
            "LEFT JOIN lead_notices AS n USING (subject, revision) "
            "WHERE employer_id = %(employer)s "
            "AND NOT starts_with(subject, 'decision:') UNION ALL "
            "SELECT subject, revision, what, recorded_at, effective_on, feed, unit, '', 0, "
            "delivery_id::text, record_no, NULL::date FROM person_events "
            "WHERE person_key = %(person)s AND NOT starts_with(subject, 'decision:') "
            "ORDER BY recorded_at, subject, revision",
            {"employer": employer_id, "person": person_key},
        )
        return list(await cursor.fetchall())


async def decisions_of(
    conn: AsyncConnection, employer_id: str | None, person_key: str | None
) -> list[Any]:
    """What decisions that stand (``decision:<lead>:<no>:<subject>``) say of each piece of evidence
    of the employer or person."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(
            "SELECT * FROM (SELECT DISTINCT ON (subject) subject, revision, what, effective_on, "
            "feed, unit, period, taxable FROM ("
            "SELECT subject, revision, what, effective_on, feed, unit, period, taxable "
            "FROM lead_events WHERE employer_id = %(employer)s UNION ALL "
            "SELECT subject, revision, what, effective_on, feed, unit, '', 0 "
            "FROM person_events WHERE person_key = %(person)s) AS told "
            "WHERE starts_with(subject, 'decision:') ORDER BY subject, revision DESC) AS last "
            "WHERE what = 'excluded' ORDER BY subject",
            {"employer": employer_id, "person": person_key},
        )
        return list(await cursor.fetchall())
