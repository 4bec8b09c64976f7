"""Statements on what is kept of tables besides their records: the sender's bytes, notes, and the
headings a department has mapped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.copying import copy_rows
from shared.database import raw
from shared.deliveries.tables.spooling import TableSpool


async def insert_table(conn: AsyncConnection, delivery_id: UUID, spool: TableSpool) -> None:
    """Keep what a table has besides its segments; in the transaction that keeps those."""
    for table, pieces in (
        ("delivery_originals", spool.originals()),
        ("delivery_notes", spool.notes()),
    ):
        await copy_rows(
            conn,
            table,
            ("delivery_id", "no", "body"),
            ((delivery_id, no, sealed) for no, sealed in pieces),
            types=("uuid", "int4", "bytea"),
        )


async def find_original(conn: AsyncConnection, delivery_id: UUID, no: int) -> bytes | None:
    """A sealed piece of the sender's bytes; None after the last."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT body FROM delivery_originals WHERE delivery_id = %s AND no = %s",
        (delivery_id, no),
        binary=True,
    )
    row = await cursor.fetchone()
    return None if row is None else bytes(row[0])


class SealedNotes(NamedTuple):
    """The notes of a segment and the records it holds."""

    no: int
    first_record_no: int
    record_count: int
    body: bytes


async def notes_of(
    conn: AsyncConnection, delivery_id: UUID, numbers: Sequence[int]
) -> AsyncIterator[SealedNotes]:
    """Notes of the segments that hold these records, in order, one at a time."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT s.no, s.first_record_no, s.record_count FROM delivery_segments AS s "
        "WHERE s.delivery_id = %s AND EXISTS (SELECT FROM unnest(%s::int[]) AS n "
        "WHERE n BETWEEN s.first_record_no AND s.first_record_no + s.record_count - 1) "
        "ORDER BY s.no",
        (delivery_id, list(numbers)),
    )
    for no, first, count in await cursor.fetchall():
        body = await find_notes(conn, delivery_id, no)
        if body is not None:
            yield SealedNotes(no, first, count, body)


async def find_notes(conn: AsyncConnection, delivery_id: UUID, no: int) -> bytes | None:
    """The sealed notes of a segment; None where nothing was said of its records."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT body FROM delivery_notes WHERE delivery_id = %s AND no = %s",
        (delivery_id, no),
        binary=True,
    )
    row = await cursor.fetchone()
    return None if row is None else bytes(row[0])


async def write_notes(conn: AsyncConnection, delivery_id: UUID, no: int, body: bytes) -> None:
    """Keep the sealed notes of a segment, instead of those there were."""
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO delivery_notes (delivery_id, no, body) VALUES (%s, %s, %s) "
        "ON CONFLICT (delivery_id, no) DO UPDATE SET body = excluded.body",
        (delivery_id, no, body),
    )


class SavedMapping(NamedTuple):
    """Headings a department has mapped to a feed's fields."""

    headings: dict[str, str]
    saved_at: datetime
    saved_by: str


async def find_mapping(conn: AsyncConnection, feed: str, department: str) -> SavedMapping | None:
    """What the department has saved for the feed."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT headings, saved_at, saved_by FROM feed_mappings "
        "WHERE feed = %s AND department = %s",
        (feed, department),
    )
    row = await cursor.fetchone()
    return None if row is None else SavedMapping(*row)


async def save_mapping(
    conn: AsyncConnection,
    feed: str,
    department: str,
    headings: Mapping[str, str],
    saved_at: datetime,
    saved_by: str,
) -> None:
    """Replace the department's mapping for the feed."""
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO feed_mappings (feed, department, headings, saved_at, saved_by) "
        "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (feed, department) DO UPDATE SET "
        "headings = excluded.headings, saved_at = excluded.saved_at, saved_by = excluded.saved_by",
        (feed, department, Jsonb(dict(headings)), saved_at, saved_by),
    )


async def delete_mapping(conn: AsyncConnection, feed: str, department: str) -> bool:
    """Forget it; False when there was none."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "DELETE FROM feed_mappings WHERE feed = %s AND department = %s", (feed, department)
    )
    return cursor.rowcount > 0
