"""Statements about identity numbers told with two names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw


class Told(NamedTuple):
    """A record gives a person known another name."""

    person_key: str
    person_id: str
    name_before: str
    name_told: str
    unit: str
    sealed_told: bytes
    record_no: int


async def note(
    conn: AsyncConnection, told: Sequence[Told], delivery_id: UUID, found_at: datetime
) -> None:
    """Keep what was told, with the name known before; two names asked about once are not asked
    about again. To be called before the persons are brought to their new state."""
    driver = await raw(conn)
    async with driver.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO person_names (person_key, person_id, name_before, name_told, unit, "
            "sealed_before, sealed_told, delivery_id, record_no, found_at, status) "
            "SELECT %(person_key)s, p.person_id, %(name_before)s, %(name_told)s, %(unit)s, "
            "p.sealed, %(sealed_told)s, %(delivery_id)s, %(record_no)s, %(found_at)s, 'open' "
            "FROM persons p WHERE p.person_key = %(person_key)s "
            "AND p.name_hash = %(name_before)s AND NOT EXISTS (SELECT FROM person_names n "
            "WHERE n.person_key = p.person_key AND n.name_before = %(name_told)s "
            "AND n.name_told = %(name_before)s) ON CONFLICT DO NOTHING",
            [{**one._asdict(), "delivery_id": delivery_id, "found_at": found_at} for one in told],
        )


_SHOWN = (
    "SELECT id, person_key, person_id, unit, sealed_before, sealed_told, delivery_id::text, "
    "record_no, found_at, status, revision FROM person_names "
)


async def list_names(
    conn: AsyncConnection,
    *,
    units: Collection[str] | None,
    status: str | None,
    after: int,
    limit: int,
) -> list[dict[str, Any]]:
    """Rows by id, still sealed. ``units`` None means every unit."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _SHOWN + "WHERE (%(units)s::text[] IS NULL OR unit = ANY(%(units)s)) "
            "AND (%(status)s::text IS NULL OR status = %(status)s) AND id > %(after)s "
            "ORDER BY id LIMIT %(limit)s",
            {
                "units": None if units is None else sorted(units),
                "status": status,
                "after": after,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def find(conn: AsyncConnection, name_id: int, *, lock: bool = False) -> dict[str, Any] | None:
    """The row, still sealed; with ``lock`` nobody else decides about it meanwhile."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SHOWN + "WHERE id = %s" + (" FOR UPDATE" if lock else ""), (name_id,))
        return await cursor.fetchone()


async def decide(conn: AsyncConnection, name_id: int, status: str) -> None:
    """Keep what an officer found."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE person_names SET status = %s, revision = revision + 1 WHERE id = %s",
        (status, name_id),
    )
