"""The rows of ``deliveries`` as objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from psycopg.rows import class_row
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw
from shared.deliveries.feed import DeliveryInfo, RowProblem
from shared.deliveries.receipts import Counts

CHANNEL: Final = "deliveries"
"""NOTIFY channel that wakes the worker; the payload is the feed's name."""

HELD_DUE: Final[LiteralString] = (
    "EXISTS (SELECT FROM held_records WHERE feed = %(feed)s AND due AND resolved_at IS NULL)"
)
"""Records that wait are to be judged again."""
BEING_WITHDRAWN: Final[LiteralString] = (
    "EXISTS (SELECT FROM withdrawals WHERE feed = %(feed)s"
    " AND status IN ('requested', 'searching', 'applying'))"
)
"""A delivery is to be taken back."""
WAITING: Final[LiteralString] = (
    "EXISTS (SELECT FROM deliveries WHERE feed = %(feed)s AND status IN ('accepted', 'judging'))"
)
"""Deliveries wait, or one is being dealt with."""
FEED_KEY: Final[LiteralString] = "hashtextextended('feed/' || %(feed)s::text, 0)"
"""Of the advisory lock on the feed: whoever holds it works on its deliveries."""
IN_ORDER: Final[LiteralString] = "SELECT pg_advisory_xact_lock(hashtextextended('deliveries', 0))"
"""The lock under which deliveries get their numbers, in the order of commit."""

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
    receipt_seal: dict[str, Any] | None
    mode: str
    confirm_removals: int | None
    supersedes: UUID | None
    withdrawn_at: datetime | None
    reading: dict[str, Any] | None
    """Of a table: how it was understood."""

    @property
    def counts(self) -> Counts:
        return Counts(
            self.applied_count, self.duplicate_count, self.rejected_count, self.held_count
        )

    def not_before(self, now: datetime) -> datetime:
        """Now, or when it came or was done if a clock was set back meanwhile: what becomes of a
        delivery must not lie before it."""
        return max(now, self.completed_at or self.received_at)

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
    reading: dict[str, Any] | None = None
    mode: str = "append"
    confirm_removals: int | None = None
    supersedes: UUID | None = None

    @property
    def sender(self) -> str:
        """Department and units: the name space of idempotency keys, as ``unit/210502``."""
        return sender_of(self.department, self.units)


def sender_of(department: str, units: frozenset[str] | None) -> str:
    """The name a caller's delivery numbers are kept under."""
    return department if units is None else f"{department}/{','.join(sorted(units))}"


COLUMNS: Final[LiteralString] = (
    "id, seq, feed, department, sender, units, idempotency_key, period, nil, dry_run, status, "
    "sha256, size, content_type, reader, received_at, clock, traceparent, chunk_count, "
    "next_chunk, sent_count, applied_count, duplicate_count, rejected_count, held_count, "
    "problem_counts, revision, receipt, receipt_sha256, completed_at, failure, receipt_seal, mode, "
    "confirm_removals, supersedes, withdrawn_at, reading"
)


async def fetch_rows(
    conn: AsyncConnection, query: LiteralString, params: Mapping[str, Any]
) -> list[DeliveryRow]:
    driver = await raw(conn)
    async with driver.cursor(row_factory=class_row(DeliveryRow)) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchall()


async def fetch_row(
    conn: AsyncConnection, query: LiteralString, params: Mapping[str, Any]
) -> DeliveryRow | None:
    return next(iter(await fetch_rows(conn, query, params)), None)
