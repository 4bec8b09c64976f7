"""Every statement on the tables of a delivery. Nothing here decides, nothing here commits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import copy_rows, notify, raw
from shared.deliveries.feed import DeliveryInfo, Disposition, RowProblem
from shared.deliveries.judge import StoredSegment
from shared.deliveries.receipts import CODES, Counts
from shared.deliveries.spool import Spool

CHANNEL: Final = "deliveries"
"""NOTIFY channel that wakes the worker; the payload is the feed's name."""

read_problems = msgspec.json.Decoder(tuple[RowProblem, ...]).decode
"""Problems as ``record_problems`` keeps them."""


@dataclass(frozen=True)
class DeliveryRow:
    """A row of ``deliveries``."""

    id: UUID
    seq: int
    feed: str
    department: str
    sender: str
    units: list[str] | None
    idempotency_key: str
    period: str
    nil: bool
    dry_run: bool
    status: str
    sha256: bytes
    size: int
    content_type: str
    reader: str
    received_at: datetime
    clock: str
    traceparent: str | None
    chunk_count: int
    next_chunk: int
    sent_count: int
    applied_count: int
    duplicate_count: int
    rejected_count: int
    held_count: int
    problem_counts: dict[str, int]
    revision: int
    receipt: dict[str, Any] | None
    receipt_sha256: bytes | None
    completed_at: datetime | None
    failure: str | None

    @property
    def counts(self) -> Counts:
        return Counts(
            self.applied_count, self.duplicate_count, self.rejected_count, self.held_count
        )

    @property
    def info(self) -> DeliveryInfo:
        """What judging and applying may know of it."""
        return DeliveryInfo(
            str(self.id),
            self.feed,
            self.department,
            None if self.units is None else frozenset(self.units),
            self.period,
            self.received_at,
            self.dry_run,
            self.seq,
        )


@dataclass(frozen=True)
class NewDelivery:
    """What is known of a delivery when it has wholly arrived."""

    id: str
    feed: str
    department: str
    units: frozenset[str] | None
    idempotency_key: str
    period: str
    nil: bool
    dry_run: bool
    content_type: str
    reader: str
    received_at: datetime
    clock: str
    traceparent: str | None

    @property
    def sender(self) -> str:
        """Department and units: the name space of idempotency keys, as ``unit/210502``."""
        return sender_of(self.department, self.units)


def sender_of(department: str, units: frozenset[str] | None) -> str:
    """The name a caller's delivery numbers are kept under."""
    return department if units is None else f"{department}/{','.join(sorted(units))}"


_COLUMNS: Final[LiteralString] = (
    "id, seq, feed, department, sender, units, idempotency_key, period, nil, dry_run, status, "
    "sha256, size, content_type, reader, received_at, clock, traceparent, chunk_count, "
    "next_chunk, sent_count, applied_count, duplicate_count, rejected_count, held_count, "
    "problem_counts, revision, receipt, receipt_sha256, completed_at, failure"
)


async def _rows(
    conn: AsyncConnection, query: LiteralString, params: Mapping[str, Any]
) -> list[DeliveryRow]:
    driver = await raw(conn)
    async with driver.cursor(row_factory=class_row(DeliveryRow)) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchall()


async def _row(
    conn: AsyncConnection, query: LiteralString, params: Mapping[str, Any]
) -> DeliveryRow | None:
    return next(iter(await _rows(conn, query, params)), None)


# Accepting


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
    driver = await raw(conn)
    # Numbers are given out in the order of commit: whoever holds the lock commits next.
    await driver.execute("SELECT pg_advisory_xact_lock(hashtextextended('deliveries', 0))")
    cursor = await driver.execute(
        "INSERT INTO deliveries (id, feed, department, sender, units, idempotency_key, period, "
        "nil, dry_run, status, sha256, size, content_type, reader, received_at, clock, "
        "traceparent, chunk_count, sent_count) VALUES (%(id)s, %(feed)s, %(department)s, "
        "%(sender)s, %(units)s, %(key)s, %(period)s, %(nil)s, %(dry_run)s, 'accepted', "
        "%(sha256)s, %(size)s, %(content_type)s, %(reader)s, %(received_at)s, %(clock)s, "
        "%(traceparent)s, %(chunk_count)s, %(sent_count)s) "
        "ON CONFLICT (sender, feed, dry_run, idempotency_key) DO NOTHING RETURNING seq",
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
        },
    )
    if await cursor.fetchone() is None:
        return False
    await notify(conn, CHANNEL, new.feed)
    return True


async def find_by_key(
    conn: AsyncConnection, sender: str, feed: str, dry_run: bool, key: str
) -> DeliveryRow | None:
    """The delivery a sender's number already stands for."""
    return await _row(
        conn,
        f"SELECT {_COLUMNS} FROM deliveries WHERE sender = %(sender)s AND feed = %(feed)s "
        "AND dry_run = %(dry_run)s AND idempotency_key = %(key)s",
        {"sender": sender, "feed": feed, "dry_run": dry_run, "key": key},
    )


# Looking


async def find_delivery(conn: AsyncConnection, delivery_id: UUID) -> DeliveryRow | None:
    """The delivery of the id."""
    return await _row(
        conn, f"SELECT {_COLUMNS} FROM deliveries WHERE id = %(id)s", {"id": delivery_id}
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
    return await _rows(
        conn,
        f"SELECT {_COLUMNS} FROM deliveries "
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


# Working


async def lock_feed(conn: AsyncConnection, feed: str) -> bool:
    """Take the feed until the transaction ends; False when another worker has it."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT pg_try_advisory_xact_lock(hashtextextended('feed/' || %s::text, 0))", (feed,)
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def next_delivery(conn: AsyncConnection, feed: str) -> DeliveryRow | None:
    """The earliest accepted delivery of the feed that is not done, locked. Needs ``lock_feed``."""
    return await _row(
        conn,
        f"SELECT {_COLUMNS} FROM deliveries WHERE feed = %(feed)s "
        "AND status IN ('accepted', 'judging') ORDER BY seq LIMIT 1 FOR UPDATE",
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
            (delivery_id, no, CODES[disposition], msgspec.json.encode(found).decode())
            for no, disposition, found in problems
        ),
    )


async def save_progress(conn: AsyncConnection, row: DeliveryRow) -> None:
    """Status, counts, revision and receipt as ``row`` has them; a failure noted is forgotten."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE deliveries SET status = %(status)s, next_chunk = %(next_chunk)s, "
        "applied_count = %(applied)s, duplicate_count = %(duplicate)s, "
        "rejected_count = %(rejected)s, held_count = %(held)s, problem_counts = %(problems)s, "
        "revision = %(revision)s, receipt = %(receipt)s, receipt_sha256 = %(sha256)s, "
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
