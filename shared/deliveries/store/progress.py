"""Statements of the worker: locks, dispositions, progress."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.copying import copy_rows
from shared.database import raw, said_yes
from shared.deliveries.feed import Disposition, RowProblem
from shared.deliveries.receipts import CODES
from shared.deliveries.store.rows import (
    BEING_WITHDRAWN,
    COLUMNS,
    FEED_KEY,
    DeliveryRow,
    fetch_row,
)


async def lock_feed(conn: AsyncConnection, feed: str) -> bool:
    """Take the feed until the transaction ends; False when another worker has it."""
    driver = await raw(conn)
    cursor = await driver.execute(f"SELECT pg_try_advisory_xact_lock({FEED_KEY})", {"feed": feed})
    return await said_yes(cursor)


async def next_delivery(conn: AsyncConnection, feed: str) -> DeliveryRow | None:
    """The earliest accepted delivery of the feed that is not done, locked; None while a withdrawal
    is: that goes first, whoever noted it since this worker looked. Needs ``lock_feed``."""
    return await fetch_row(
        conn,
        f"SELECT {COLUMNS} FROM deliveries WHERE feed = %(feed)s "
        f"AND status IN ('accepted', 'judging') AND NOT {BEING_WITHDRAWN} "
        "ORDER BY seq LIMIT 1 FOR UPDATE",
        {"feed": feed},
    )


async def write_chunk(
    conn: AsyncConnection,
    delivery_id: UUID,
    chunk_no: int,
    first_no: int,
    dispositions: bytes | bytearray,
) -> None:
    """How the records of one chunk ended."""
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO delivery_chunks (delivery_id, chunk_no, first_no, dispositions) "
        "VALUES (%s, %s, %s, %s)",
        (delivery_id, chunk_no, first_no, bytes(dispositions)),
    )


async def write_problems(
    conn: AsyncConnection,
    delivery_id: UUID,
    problems: Iterable[tuple[int, Disposition, tuple[RowProblem, ...]]],
) -> None:
    """Why records were not plainly applied."""
    await copy_rows(
        conn,
        "record_problems",
        ("delivery_id", "no", "disposition", "problems"),
        (
            (delivery_id, no, CODES[disposition], Jsonb(found, msgspec.json.encode))
            for no, disposition, found in problems
        ),
        types=("uuid", "int4", "int2", "jsonb"),
    )


async def save_progress(conn: AsyncConnection, row: DeliveryRow) -> None:
    """Status, counts, revision and receipt as ``row`` has them; a failure noted is forgotten."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE deliveries SET status = %(status)s, next_chunk = %(next_chunk)s, "
        "applied_count = %(applied)s, duplicate_count = %(duplicate)s, "
        "rejected_count = %(rejected)s, held_count = %(held)s, problem_counts = %(problems)s, "
        "revision = %(revision)s, receipt = %(receipt)s, receipt_sha256 = %(sha256)s, "
        "receipt_seal = %(seal)s, "
        "completed_at = %(completed_at)s, failure = NULL WHERE id = %(id)s",
        {
            "id": row.id,
            "status": row.status,
            "next_chunk": row.next_chunk,
            **row.counts.as_dict(),
            "problems": Jsonb(row.problem_counts),
            "revision": row.revision,
            "receipt": None if row.receipt is None else Jsonb(row.receipt),
            "sha256": row.receipt_sha256,
            "seal": None if row.receipt_seal is None else Jsonb(row.receipt_seal),
            "completed_at": row.completed_at,
        },
    )


async def note_failure(conn: AsyncConnection, feed: str, failure: str) -> None:
    """Say on the delivery at the head of the feed why it does not go on."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE deliveries SET failure = %(failure)s WHERE id = (SELECT id FROM deliveries "
        "WHERE feed = %(feed)s AND status IN ('accepted', 'judging') ORDER BY seq LIMIT 1)",
        {"feed": feed, "failure": failure},
    )
