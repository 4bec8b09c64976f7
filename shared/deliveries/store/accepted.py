"""Statements that keep a delivery which has wholly arrived."""

from __future__ import annotations

from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import copy_rows, raw
from shared.deliveries.spool import Spool
from shared.deliveries.store.rows import (
    CHANNEL,
    COLUMNS,
    DeliveryRow,
    NewDelivery,
    fetch_row,
)
from shared.deliveries.store.tables import insert_table
from shared.deliveries.tables.spooling import TableSpool


async def insert_delivery(conn: AsyncConnection, new: NewDelivery, spool: Spool) -> bool:
    """Keep a delivery with its segments and wake the worker; False when its key is taken.

    The segments go first, so that the lock that orders acceptance is held for one insert only.
    On False the caller rolls back: the segments must not stay.
    """
    await copy_rows(
        conn,
        "delivery_segments",
        (
            "delivery_id",
            "no",
            "first_record_no",
            "record_count",
            "head_bytes",
            "tail_bytes",
            "body",
        ),
        (
            (
                UUID(new.id),
                entry.no,
                entry.first_record_no,
                entry.record_count,
                entry.head_bytes,
                entry.tail_bytes,
                sealed,
            )
            for entry, sealed in spool.segments()
        ),
        types=("uuid", "int4", "int4", "int4", "int4", "int4", "bytea"),
    )
    if isinstance(spool, TableSpool):
        await insert_table(conn, UUID(new.id), spool)
    driver = await raw(conn)
    # Numbers are given out in the order of commit: whoever holds the lock commits next. It is
    # taken before the number is, which only the one row it makes is given.
    cursor = await driver.execute(
        "WITH in_order AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended("
        "'deliveries', 0))) INSERT INTO deliveries (id, feed, department, sender, units, "
        "idempotency_key, period, "
        "nil, dry_run, status, sha256, size, content_type, reader, received_at, clock, "
        "traceparent, chunk_count, sent_count, mode, confirm_removals, supersedes, "
        "reading) "
        "SELECT %(id)s, %(feed)s, %(department)s, "
        "%(sender)s, %(units)s, %(key)s, %(period)s, %(nil)s, %(dry_run)s, 'accepted', "
        "%(sha256)s, %(size)s, %(content_type)s, %(reader)s, %(received_at)s, %(clock)s, "
        "%(traceparent)s, %(chunk_count)s, %(sent_count)s, %(mode)s, %(confirm)s, "
        "%(supersedes)s, %(reading)s::jsonb FROM in_order "
        "ON CONFLICT (sender, feed, dry_run, idempotency_key) DO NOTHING "
        "RETURNING pg_notify(%(channel)s, feed)",
        {
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
            "channel": CHANNEL,
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
