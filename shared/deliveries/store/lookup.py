"""Statements that look at deliveries, segments, records and versions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw
from shared.deliveries.feed import RowProblem
from shared.deliveries.judge import StoredSegment
from shared.deliveries.store.rows import (
    COLUMNS,
    DeliveryRow,
    fetch_row,
    fetch_rows,
    read_problems,
)


async def find_delivery(conn: AsyncConnection, delivery_id: UUID) -> DeliveryRow | None:
    """The delivery of the id."""
    return await fetch_row(
        conn, f"SELECT {COLUMNS} FROM deliveries WHERE id = %(id)s", {"id": delivery_id}
    )


async def list_deliveries(
    conn: AsyncConnection,
    *,
    feed: str | None,
    period: str | None,
    status: str | None,
    department: str | None,
    units: frozenset[str] | None,
    before: int | None,
    limit: int,
) -> list[DeliveryRow]:
    """Newest first; ``before`` is the seq of the last one seen. None filters nothing.

    ``units``: only deliveries sent for some of these units and no other.
    """
    return await fetch_rows(
        conn,
        f"SELECT {COLUMNS} FROM deliveries "
        "WHERE (%(feed)s::text IS NULL OR feed = %(feed)s) "
        "AND (%(period)s::text IS NULL OR period = %(period)s) "
        "AND (%(status)s::text IS NULL OR status = %(status)s) "
        "AND (%(department)s::text IS NULL OR department = %(department)s) "
        "AND (%(units)s::jsonb IS NULL OR units <@ %(units)s) "
        "AND (%(before)s::bigint IS NULL OR seq < %(before)s) "
        "ORDER BY seq DESC LIMIT %(limit)s",
        {
            "feed": feed,
            "period": period,
            "status": status,
            "department": department,
            "units": None if units is None else Jsonb(sorted(units)),
            "before": before,
            "limit": limit,
        },
    )


_SEGMENT: Final[LiteralString] = (
    "SELECT no, first_record_no, record_count, head_bytes, tail_bytes, body "
    "FROM delivery_segments WHERE delivery_id = %(id)s "
)


async def find_segment(conn: AsyncConnection, delivery_id: UUID, no: int) -> StoredSegment | None:
    """One segment of a delivery."""
    return await _segment(conn, _SEGMENT + "AND no = %(no)s", {"id": delivery_id, "no": no})


async def find_segment_of_record(
    conn: AsyncConnection, delivery_id: UUID, record_no: int
) -> StoredSegment | None:
    """The segment that holds the record."""
    return await _segment(
        conn,
        _SEGMENT + "AND %(no)s BETWEEN first_record_no AND first_record_no + record_count - 1",
        {"id": delivery_id, "no": record_no},
    )


async def _segment(
    conn: AsyncConnection, query: LiteralString, params: Mapping[str, Any]
) -> StoredSegment | None:
    driver = await raw(conn)
    async with driver.cursor(row_factory=class_row(StoredSegment), binary=True) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchone()


async def segments_of(
    conn: AsyncConnection, delivery_id: UUID, count: int
) -> AsyncIterator[StoredSegment]:
    """The segments of a delivery in order, one in memory at a time."""
    for no in range(count):
        segment = await find_segment(conn, delivery_id, no)
        if segment is None:
            raise LookupError(f"segment {no} of delivery {delivery_id} is missing")
        yield segment


async def problems_of(
    conn: AsyncConnection, delivery_id: UUID, numbers: Sequence[int] | None, limit: int
) -> dict[int, tuple[RowProblem, ...]]:
    """Problems by record number; the first so many, or those of the numbers."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT no, problems::text FROM record_problems WHERE delivery_id = %(id)s "
        "AND (%(numbers)s::int[] IS NULL OR no = ANY(%(numbers)s)) ORDER BY no LIMIT %(limit)s",
        {
            "id": delivery_id,
            "numbers": None if numbers is None else list(numbers),
            "limit": limit,
        },
    )
    return {no: read_problems(text) for no, text in await cursor.fetchall()}


async def chunks_from(
    conn: AsyncConnection, delivery_id: UUID, record_no: int, limit: int
) -> list[tuple[int, bytes]]:
    """First number and packed dispositions of the chunks that hold ``record_no`` or later."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT first_no, dispositions FROM delivery_chunks WHERE delivery_id = %(id)s "
        "AND first_no + length(dispositions) > %(no)s ORDER BY chunk_no LIMIT %(limit)s",
        {"id": delivery_id, "no": record_no, "limit": limit},
    )
    return [(first_no, bytes(packed)) for first_no, packed in await cursor.fetchall()]


async def versions_of(conn: AsyncConnection, feed: str, key: str) -> list[tuple[Any, ...]]:
    """Superseded versions of a key, oldest first: (revision, delivery, record_no, content_hash,
    superseded_at, superseded_by_delivery, superseded_by_no)."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT revision, delivery_id, record_no, content_hash, superseded_at, "
        "superseded_by_delivery, superseded_by_no FROM superseded_versions "
        "WHERE feed = %(feed)s AND natural_key = %(key)s ORDER BY id",
        {"feed": feed, "key": key},
    )
    return await cursor.fetchall()
