"""Statements that keep a delivery which has wholly arrived."""

from __future__ import annotations

from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.copying import copy_rows
from shared.database import Cursor, raw
from shared.deliveries.spool import SegmentEntry, Spool
from shared.deliveries.store.rows import (
    BEING_WITHDRAWN,
    CHANNEL,
    COLUMNS,
    FEED_KEY,
    HELD_DUE,
    IN_ORDER,
    WAITING,
    DeliveryRow,
    NewDelivery,
    fetch_row,
)
from shared.deliveries.store.tables import insert_table
from shared.deliveries.tables.spooling import TableSpool

_SEGMENT: Final = (
    "delivery_id",
    "no",
    "first_record_no",
    "record_count",
    "head_bytes",
    "tail_bytes",
    "body",
)


async def insert_body(conn: AsyncConnection, new: NewDelivery, spool: Spool) -> None:
    """Keep what was sent. It goes before the delivery's own row, so that the lock that orders
    acceptance is held for that insert only; without that row it must not stay."""
    rows = (_segment(new, entry, sealed) for entry, sealed in spool.segments())
    kinds = ("uuid", "int4", "int4", "int4", "int4", "int4", "bytea")
    await copy_rows(conn, "delivery_segments", _SEGMENT, rows, types=kinds)
    await insert_reading(conn, new, spool)


async def insert_only_segment(conn: AsyncConnection, new: NewDelivery, spool: Spool) -> None:
    """The body where it is one segment, as one statement; ``insert_reading`` is the rest of it."""
    ((entry, sealed),) = spool.segments()
    driver = await raw(conn)
    await driver.execute(
        f"INSERT INTO delivery_segments ({', '.join(_SEGMENT)}) "
        "VALUES (%s, %s, %s, %s, %s, %s, %b)",
        _segment(new, entry, sealed),
    )


async def insert_reading(conn: AsyncConnection, new: NewDelivery, spool: Spool) -> None:
    """What a table was read as, where it is one."""
    if isinstance(spool, TableSpool):
        await insert_table(conn, UUID(new.id), spool)


def _segment(new: NewDelivery, entry: SegmentEntry, sealed: bytes) -> tuple[Any, ...]:
    return (UUID(new.id), *entry.place, sealed)


async def insert_delivery(conn: AsyncConnection, new: NewDelivery, spool: Spool) -> bool:
    """Keep a delivery with its segments and wake the worker; False when its key is taken: then
    the caller rolls back."""
    await insert_body(conn, new, spool)
    driver = await raw(conn)
    # Numbers are given out in the order of commit: whoever holds the lock commits next. It is
    # taken before the number is, which only the one row it makes is given.
    cursor = await driver.execute(
        f"WITH in_order AS MATERIALIZED ({IN_ORDER}) INSERT INTO deliveries ({_NAMES}, status) "
        f"SELECT {_VALUES}, 'accepted' FROM in_order {_UNLESS_KNOWN} "
        "RETURNING pg_notify(%(channel)s, feed)",
        {**_told(new, spool), "channel": CHANNEL},
    )
    return await cursor.fetchone() is not None


_NAMES: Final[LiteralString] = (
    "id, feed, department, sender, units, idempotency_key, period, nil, dry_run, sha256, size, "
    "content_type, reader, received_at, clock, traceparent, chunk_count, sent_count, mode, "
    "confirm_removals, supersedes, reading"
)
_VALUES: Final[LiteralString] = (
    "%(id)s, %(feed)s, %(department)s, %(sender)s, %(units)s, %(key)s, %(period)s, %(nil)s, "
    "%(dry_run)s, %(sha256)s, %(size)s, %(content_type)s, %(reader)s, %(received_at)s, %(clock)s, "
    "%(traceparent)s, %(chunk_count)s, %(sent_count)s, %(mode)s, %(confirm)s, %(supersedes)s, "
    "%(reading)s::jsonb"
)
_UNLESS_KNOWN: Final[LiteralString] = (
    "ON CONFLICT (sender, feed, dry_run, idempotency_key) DO NOTHING"
)


def _told(new: NewDelivery, spool: Spool) -> dict[str, Any]:
    return {
        "id": UUID(new.id),
        "feed": new.feed,
        "department": new.department,
        "sender": new.sender,
        "units": None if new.units is None else Jsonb(sorted(new.units)),
        "key": new.idempotency_key,
        "period": new.period,
        "nil": new.nil,
        "dry_run": new.dry_run,
        "sha256": spool.sha256,
        "size": spool.size,
        "content_type": new.content_type,
        "reader": new.reader,
        "received_at": new.received_at,
        "clock": new.clock,
        "traceparent": new.traceparent,
        "chunk_count": len(spool.entries),
        "sent_count": spool.record_count,
        "reading": None if new.reading is None else Jsonb(new.reading),
        "mode": new.mode,
        "confirm": new.confirm_removals,
        "supersedes": new.supersedes,
    }


async def ask_for_idle_feed(conn: AsyncConnection, new: NewDelivery) -> Cursor:
    """Take the new delivery's feed until the transaction ends. ``said_yes`` of it is False when a
    worker has it, when anything else is to be done on it first, or when the sender's number is
    known."""
    driver = await raw(conn)
    return await driver.execute(
        f"SELECT NOT {HELD_DUE} AND NOT {BEING_WITHDRAWN} AND NOT {WAITING} AND NOT EXISTS "
        "(SELECT FROM deliveries WHERE sender = %(sender)s AND feed = %(feed)s"
        " AND dry_run = %(dry_run)s AND idempotency_key = %(key)s)"
        f" AND pg_try_advisory_xact_lock({FEED_KEY})",
        {
            "feed": new.feed,
            "sender": new.sender,
            "dry_run": new.dry_run,
            "key": new.idempotency_key,
        },
    )


async def insert_done(
    conn: AsyncConnection, new: NewDelivery, spool: Spool, row: DeliveryRow
) -> bool:
    """Keep a delivery that is done already; False when its key is taken or another delivery of the
    feed was accepted meanwhile, which then goes first: the caller rolls back.

    Asked under the lock that orders acceptance: who holds it sees all that were accepted before.
    """
    driver = await raw(conn)
    await driver.execute(IN_ORDER)
    cursor = await driver.execute(
        f"INSERT INTO deliveries ({_NAMES}, status, next_chunk, applied_count, duplicate_count, "
        "rejected_count, held_count, problem_counts, revision, receipt, receipt_sha256, "
        f"receipt_seal, completed_at) SELECT {_VALUES}, 'done', %(next_chunk)s, %(applied)s, "
        "%(duplicate)s, %(rejected)s, %(held)s, %(problems)s, %(revision)s, %(receipt)s, "
        f"%(receipt_sha256)s, %(seal)s, %(completed_at)s WHERE NOT {WAITING} {_UNLESS_KNOWN} "
        "RETURNING seq",
        {
            **_told(new, spool),
            "next_chunk": row.next_chunk,
            **row.counts.as_dict(),
            "problems": Jsonb(row.problem_counts),
            "revision": row.revision,
            "receipt": None if row.receipt is None else Jsonb(row.receipt),
            "receipt_sha256": row.receipt_sha256,
            "seal": None if row.receipt_seal is None else Jsonb(row.receipt_seal),
            "completed_at": row.completed_at,
        },
    )
    return await cursor.fetchone() is not None


async def find_by_key(
    conn: AsyncConnection, sender: str, feed: str, dry_run: bool, key: str
) -> DeliveryRow | None:
    """The delivery a sender's number already stands for."""
    return await fetch_row(
        conn,
        f"SELECT {COLUMNS} FROM deliveries WHERE sender = %(sender)s AND feed = %(feed)s "
        "AND dry_run = %(dry_run)s AND idempotency_key = %(key)s",
        {"sender": sender, "feed": feed, "dry_run": dry_run, "key": key},
    )
