"""Statements on receipts that follow the first, on resolutions, and on sums of deliveries."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw
from shared.deliveries.store.rows import FEED_KEY, DeliveryRow


async def last_receipt(conn: AsyncConnection, delivery_id: UUID) -> tuple[int, bytes] | None:
    """Number and SHA-256 of the latest linked receipt."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT no, sha256 FROM linked_receipts WHERE delivery_id = %s ORDER BY no DESC LIMIT 1",
        (delivery_id,),
    )
    found = await cursor.fetchone()
    return None if found is None else (found[0], bytes(found[1]))


async def insert_receipt(
    conn: AsyncConnection,
    delivery_id: UUID,
    no: int,
    receipt: dict[str, Any],
    sha256: bytes,
    seal: dict[str, Any] | None,
) -> None:
    """Keep a linked receipt."""
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO linked_receipts (delivery_id, no, receipt, sha256, seal) "
        "VALUES (%s, %s, %s, %s, %s)",
        (delivery_id, no, Jsonb(receipt), sha256, None if seal is None else Jsonb(seal)),
    )


async def linked_receipts(
    conn: AsyncConnection, delivery_id: UUID
) -> list[tuple[dict[str, Any], bytes, dict[str, Any] | None]]:
    """All receipts after the first, in order: document, SHA-256, signature."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT receipt, sha256, seal FROM linked_receipts WHERE delivery_id = %s ORDER BY no",
        (delivery_id,),
    )
    return [(receipt, bytes(sha256), seal) for receipt, sha256, seal in await cursor.fetchall()]


async def insert_resolution(
    conn: AsyncConnection,
    row: DeliveryRow,
    no: int,
    action: str,
    reason: str,
    subject: str,
    department: str,
    at: datetime,
) -> None:
    """Who decided what about a held record, and why."""
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO record_resolutions (delivery_id, record_no, action, reason, subject, "
        "department, resolved_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (row.id, no, action, reason, subject, department, at),
    )


async def resolutions_of(conn: AsyncConnection, delivery_id: UUID, no: int) -> list[dict[str, Any]]:
    """What officers decided about a record, oldest first."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT action, reason, subject, department, resolved_at FROM record_resolutions "
            "WHERE delivery_id = %s AND record_no = %s ORDER BY id",
            (delivery_id, no),
        )
        return await cursor.fetchall()


async def list_held(
    conn: AsyncConnection,
    *,
    feed: str | None,
    department: str | None,
    units: frozenset[str] | None,
    after: tuple[int, int] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Records that wait, in the order of acceptance; ``after``: seq and number of the last seen."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT d.seq, h.delivery_id, h.no, h.feed, d.department, d.period, h.waiting_for, "
            "h.held_at, h.due FROM held_records AS h JOIN deliveries AS d ON d.id = h.delivery_id "
            "WHERE h.resolved_at IS NULL "
            "AND (%(feed)s::text IS NULL OR h.feed = %(feed)s) "
            "AND (%(department)s::text IS NULL OR d.department = %(department)s) "
            "AND (%(units)s::jsonb IS NULL OR d.units <@ %(units)s) "
            "AND (d.seq, h.no) > (%(seq)s, %(no)s) ORDER BY d.seq, h.no LIMIT %(limit)s",
            {
                "feed": feed,
                "department": department,
                "units": None if units is None else Jsonb(sorted(units)),
                "seq": after[0] if after else 0,
                "no": after[1] if after else 0,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def find_held(conn: AsyncConnection, delivery_id: UUID, no: int) -> str | None:
    """What a record waits for, if it does."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT waiting_for FROM held_records WHERE delivery_id = %s AND no = %s "
        "AND resolved_at IS NULL",
        (delivery_id, no),
    )
    found = await cursor.fetchone()
    return None if found is None else str(found[0])


async def held_numbers(conn: AsyncConnection, delivery_id: UUID, limit: int) -> list[int]:
    """The first records of a delivery that wait."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT no FROM held_records WHERE delivery_id = %s AND resolved_at IS NULL "
        "ORDER BY no LIMIT %s",
        (delivery_id, limit),
    )
    return [no for (no,) in await cursor.fetchall()]


async def make_due(conn: AsyncConnection, delivery_id: UUID, no: int) -> None:
    """Have a held record judged again."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE held_records SET due = true WHERE delivery_id = %s AND no = %s "
        "AND resolved_at IS NULL",
        (delivery_id, no),
    )


async def sums(
    conn: AsyncConnection,
    *,
    feed: str | None,
    period: str | None,
    department: str | None,
    units: frozenset[str] | None,
) -> list[dict[str, Any]]:
    """Per feed and period: deliveries and how their records ended, dry runs left out."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT feed, period, count(*) AS delivery_count, "
            "count(*) FILTER (WHERE nil) AS nil_count, "
            "count(*) FILTER (WHERE withdrawn_at IS NOT NULL) AS withdrawn_count, "
            "count(*) FILTER (WHERE status <> 'done') AS unfinished_count, "
            "sum(sent_count) AS sent, sum(applied_count) AS applied, "
            "sum(duplicate_count) AS duplicate, sum(rejected_count) AS rejected, "
            "sum(held_count) AS held FROM deliveries WHERE NOT dry_run "
            "AND (%(feed)s::text IS NULL OR feed = %(feed)s) "
            "AND (%(period)s::text IS NULL OR period = %(period)s) "
            "AND (%(department)s::text IS NULL OR department = %(department)s) "
            "AND (%(units)s::jsonb IS NULL OR units <@ %(units)s) "
            "GROUP BY feed, period ORDER BY feed, period",
            {
                "feed": feed,
                "period": period,
                "department": department,
                "units": None if units is None else Jsonb(sorted(units)),
            },
        )
        return await cursor.fetchall()


async def wait_for_feed(conn: AsyncConnection, feed: str) -> None:
    """Take the feed until the transaction ends, waiting for the chunk under way."""
    driver = await raw(conn)
    await driver.execute(f"SELECT pg_advisory_xact_lock({FEED_KEY})", {"feed": feed})


async def lock_delivery(conn: AsyncConnection, delivery_id: UUID) -> None:
    """Take the delivery's row until the transaction ends."""
    driver = await raw(conn)
    await driver.execute("SELECT FROM deliveries WHERE id = %s FOR UPDATE", (delivery_id,))
