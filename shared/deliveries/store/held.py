"""Statements on held records: put aside, made due again, resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import copy_rows, notify, raw
from shared.deliveries.feed import RowProblem
from shared.deliveries.judge import StoredSegment
from shared.deliveries.store.lookup import find_delivery
from shared.deliveries.store.rows import CHANNEL, DeliveryRow, read_problems

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
    )


async def release(conn: AsyncConnection, tokens: Iterable[str]) -> None:
    """Make every record that waits for one of the tokens due, and wake the feeds concerned.

    Holds the lock ``settle`` waits for until this transaction ends.
    """
    driver = await raw(conn)
    await driver.execute(_LOCK)
    cursor = await driver.execute(
        "WITH made_due AS (UPDATE held_records SET due = true WHERE waiting_for = ANY(%s) "
        "AND resolved_at IS NULL AND NOT due RETURNING feed) SELECT DISTINCT feed FROM made_due",
        (sorted(tokens),),
    )
    for (feed,) in await cursor.fetchall():
        await notify(conn, CHANNEL, feed)


async def has_due(conn: AsyncConnection, feed: str) -> bool:
    """Whether records of the feed are to be judged again."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT EXISTS (SELECT FROM held_records WHERE feed = %s AND due AND resolved_at IS NULL)",
        (feed,),
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def settle(conn: AsyncConnection) -> None:
    """Return when every transaction that released tokens before now has ended.

    In a transaction of its own: what it waited for is visible to the next one.
    """
    driver = await raw(conn)
    await driver.execute(_LOCK)


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


async def due_records(conn: AsyncConnection, delivery_id: UUID, limit: int) -> dict[int, str]:
    """Number and token of records to be judged again, in order, locked."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT no, waiting_for FROM held_records WHERE delivery_id = %s AND due "
        "AND resolved_at IS NULL ORDER BY no LIMIT %s FOR UPDATE",
        (delivery_id, limit),
    )
    return dict(await cursor.fetchall())


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
    conn: AsyncConnection, delivery_id: UUID, waiting_for: Mapping[int, str], due: bool
) -> None:
    """These wait on, for these tokens; due at once when the token is another one than before."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE held_records AS h SET waiting_for = n.token, due = %s "
        "FROM unnest(%s::int[], %s::text[]) AS n (no, token) "
        "WHERE h.delivery_id = %s AND h.no = n.no",
        (due, list(waiting_for), list(waiting_for.values()), delivery_id),
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
