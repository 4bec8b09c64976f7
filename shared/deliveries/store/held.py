"""Statements on held records: put aside, made due again, resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg.rows import class_row
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.copying import copy_rows
from shared.database import notify, raw
from shared.deliveries.feed import RowProblem
from shared.deliveries.judge import StoredSegment
from shared.deliveries.store.lookup import find_delivery
from shared.deliveries.store.rows import (
    BEING_WITHDRAWN,
    CHANNEL,
    HELD_DUE,
    WAITING,
    DeliveryRow,
    read_problems,
)

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('held-records', 0))"


async def hold(
    conn: AsyncConnection,
    delivery_id: UUID,
    feed: str,
    waiting_for: Mapping[int, str],
    held_at: datetime,
) -> None:
    """Put records aside. They are due at once: while they were being held, what they wait for
    may have been committed next door without seeing them."""
    await copy_rows(
        conn,
        "held_records",
        ("delivery_id", "no", "feed", "waiting_for", "due", "held_at"),
        ((delivery_id, no, feed, token, True, held_at) for no, token in waiting_for.items()),
        types=("uuid", "int4", "text", "text", "bool", "timestamptz"),
    )


async def release(conn: AsyncConnection, tokens: Iterable[str]) -> None:
    """Make every record that waits for one of the tokens due, and wake the feeds concerned.

    Those that are due are touched all the same: whoever judges them again just now, without
    seeing what this transaction brings, finds out and leaves them due (``keep_waiting``). Holds
    the lock ``settle`` waits for until this transaction ends.
    """
    driver = await raw(conn)
    await driver.execute(_LOCK)
    cursor = await driver.execute(
        "WITH made_due AS (UPDATE held_records SET due = true WHERE waiting_for = ANY(%s) "
        "AND resolved_at IS NULL RETURNING feed) SELECT DISTINCT feed FROM made_due",
        (sorted(tokens),),
    )
    for (feed,) in await cursor.fetchall():
        await notify(conn, CHANNEL, feed)


async def work_on(conn: AsyncConnection, feed: str) -> tuple[bool, bool, bool]:
    """Whether records of the feed are to be judged again, whether one of its deliveries is to be
    taken back, and whether deliveries wait."""
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT {HELD_DUE}, {BEING_WITHDRAWN}, {WAITING}", {"feed": feed}
    )
    row = await cursor.fetchone()
    return (False, False, False) if row is None else (bool(row[0]), bool(row[1]), bool(row[2]))


async def settle(conn: AsyncConnection) -> None:
    """Return when every transaction that released tokens before now has ended; none does so
    while the lock is held.

    What it waited for is visible to the next statement.
    """
    driver = await raw(conn)
    await driver.execute(_LOCK)


async def held_before(conn: AsyncConnection, row: DeliveryRow, *, lasting: bool) -> UUID | None:
    """The earliest delivery with held records in the scope of a full list that it came before."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT d.id FROM deliveries AS d WHERE d.feed = %s AND d.sender = %s AND d.seq < %s "
        "AND d.mode <> 'officer' AND (%s OR d.period = %s) AND EXISTS "
        "(SELECT FROM held_records AS h WHERE h.delivery_id = d.id AND h.resolved_at IS NULL) "
        "ORDER BY d.seq LIMIT 1",
        (row.feed, row.sender, row.seq, lasting, row.period),
    )
    found = await cursor.fetchone()
    return None if found is None else found[0]


async def due_delivery(conn: AsyncConnection, feed: str) -> DeliveryRow | None:
    """The earliest accepted delivery with records to be judged again, locked."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT d.id FROM deliveries AS d WHERE d.feed = %s AND EXISTS (SELECT FROM held_records "
        "AS h WHERE h.delivery_id = d.id AND h.due AND h.resolved_at IS NULL) "
        "ORDER BY d.seq LIMIT 1 FOR UPDATE",
        (feed,),
    )
    found = await cursor.fetchone()
    return None if found is None else await find_delivery(conn, found[0])


class Due(NamedTuple):
    """What a record to be judged again waits for, and the version of its row."""

    token: str
    version: str


async def due_records(conn: AsyncConnection, delivery_id: UUID, limit: int) -> dict[int, Due]:
    """Records to be judged again by number, in order. Not locked: a release goes on beside."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT no, waiting_for, xmin::text FROM held_records WHERE delivery_id = %s AND due "
        "AND resolved_at IS NULL ORDER BY no LIMIT %s",
        (delivery_id, limit),
    )
    return {no: Due(token, version) for no, token, version in await cursor.fetchall()}


async def segments_holding(
    conn: AsyncConnection, delivery_id: UUID, numbers: Sequence[int]
) -> list[StoredSegment]:
    """The segments those records stand in, in order."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=class_row(StoredSegment), binary=True) as cursor:
        await cursor.execute(
            "SELECT no, first_record_no, record_count, head_bytes, tail_bytes, body "
            "FROM delivery_segments AS s WHERE delivery_id = %s AND EXISTS (SELECT FROM "
            "unnest(%s::int[]) AS n WHERE n BETWEEN s.first_record_no "
            "AND s.first_record_no + s.record_count - 1) ORDER BY no",
            (delivery_id, list(numbers)),
        )
        return await cursor.fetchall()


async def keep_waiting(
    conn: AsyncConnection, delivery_id: UUID, waiting_for: Mapping[int, str], was: Mapping[int, Due]
) -> None:
    """These wait on, for these tokens. Due at once when the token is another one than before, or
    was released since ``was`` was read. Needs ``settle`` in the same transaction."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE held_records AS h SET waiting_for = n.token, "
        "due = h.waiting_for <> n.token OR h.xmin::text <> n.version "
        "FROM unnest(%s::int[], %s::text[], %s::text[]) AS n (no, token, version) "
        "WHERE h.delivery_id = %s AND h.no = n.no",
        (
            list(waiting_for),
            list(waiting_for.values()),
            [was[no].version for no in waiting_for],
            delivery_id,
        ),
    )


async def resolve(
    conn: AsyncConnection, delivery_id: UUID, numbers: Sequence[int], at: datetime
) -> None:
    """These are held no longer."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE held_records SET resolved_at = %s, due = false "
        "WHERE delivery_id = %s AND no = ANY(%s)",
        (at, delivery_id, list(numbers)),
    )


async def rewrite_chunks(
    conn: AsyncConnection, delivery_id: UUID, dispositions: Mapping[int, int]
) -> None:
    """Replace the bytes of these records, one statement whatever their number."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT chunk_no, first_no, dispositions FROM delivery_chunks AS c WHERE delivery_id = %s "
        "AND EXISTS (SELECT FROM unnest(%s::int[]) AS n WHERE n BETWEEN c.first_no "
        "AND c.first_no + length(c.dispositions) - 1) ORDER BY chunk_no",
        (delivery_id, list(dispositions)),
    )
    changed: list[tuple[int, bytes]] = []
    for chunk_no, first_no, packed in await cursor.fetchall():
        rewritten = bytearray(packed)
        for no, code in dispositions.items():
            if 0 <= no - first_no < len(rewritten):
                rewritten[no - first_no] = code
        changed.append((chunk_no, bytes(rewritten)))
    await driver.execute(
        "UPDATE delivery_chunks AS c SET dispositions = n.packed "
        "FROM unnest(%s::int[], %s::bytea[]) AS n (chunk_no, packed) "
        "WHERE c.delivery_id = %s AND c.chunk_no = n.chunk_no",
        ([no for no, _ in changed], [packed for _, packed in changed], delivery_id),
    )


async def take_problems(
    conn: AsyncConnection, delivery_id: UUID, numbers: Sequence[int]
) -> dict[int, tuple[RowProblem, ...]]:
    """Remove and return what was wrong with these records; ``write_problems`` says what still
    is."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "DELETE FROM record_problems WHERE delivery_id = %s AND no = ANY(%s) "
        "RETURNING no, problems::text",
        (delivery_id, list(numbers)),
    )
    return {no: read_problems(text) for no, text in await cursor.fetchall()}
