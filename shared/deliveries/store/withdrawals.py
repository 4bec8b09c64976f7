"""Statements about withdrawals: what stands by a delivery, what remains, what was done."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.copying import copy_rows
from shared.database import notify, raw, said_yes
from shared.deliveries.standing import Standing
from shared.deliveries.store.full_lists import names_of
from shared.deliveries.store.rows import CHANNEL, COLUMNS, DeliveryRow, fetch_rows

RESTORED: Final = "restored"
"""An earlier or later version stands again; other content, hence published."""
ENDED: Final = "ended"
"""Nothing is left of the key."""
UNCHANGED: Final = "unchanged"
"""Another record states the same, and answers for it now."""
OVERTAKEN: Final = "overtaken"
"""Stands by something else meanwhile."""
KEPT: Final = "kept"
"""The version that would stand again cannot: what it needs is not there, or the record is not
judged good any more. The one that was taken back still stands, and an operator is told."""
OUTCOMES: Final = (RESTORED, ENDED, UNCHANGED, OVERTAKEN, KEPT)


@dataclass(frozen=True)
class Withdrawal:
    """A row of ``withdrawals``."""

    id: int
    feed: str
    delivery_id: UUID
    kind: str
    superseded_by: UUID | None
    reason: str
    subject: str
    department: str
    requested_at: datetime
    status: str
    seq: int
    segment: int
    refusal: str | None
    completed_at: datetime | None


class Key(NamedTuple):
    """A key whose standing version is taken back, and the latest that remains of it."""

    natural_key: str
    from_delivery: UUID
    from_no: int
    to_delivery: UUID | None
    to_no: int | None
    absent_no: int | None
    stands: bool
    """Whether that version still is the current one."""


_COLUMNS: Final[LiteralString] = (
    "id, feed, delivery_id, kind, superseded_by, reason, subject, department, requested_at, "
    "status, seq, segment, refusal, completed_at"
)


async def insert_withdrawal(
    conn: AsyncConnection,
    *,
    feed: str,
    delivery_id: UUID,
    kind: str,
    superseded_by: UUID | None,
    reason: str,
    subject: str,
    department: str,
    requested_at: datetime,
) -> bool:
    """Note that a delivery, or what a full list does not name, is to be taken back, and wake the
    worker; False when it was noted before."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "INSERT INTO withdrawals (feed, delivery_id, kind, superseded_by, reason, subject, "
        "department, requested_at, status) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'requested') "
        "ON CONFLICT (delivery_id, kind) DO NOTHING RETURNING id",
        (feed, delivery_id, kind, superseded_by, reason, subject, department, requested_at),
    )
    made = await cursor.fetchone() is not None
    if made:
        await notify(conn, CHANNEL, feed)
    return made


async def find_withdrawal(
    conn: AsyncConnection, delivery_id: UUID, kind: str = "delivery"
) -> Withdrawal | None:
    """The withdrawal of a delivery, or (kind ``absence``) of what it does not name."""
    return await _one(
        conn,
        f"SELECT {_COLUMNS} FROM withdrawals WHERE delivery_id = %(id)s AND kind = %(kind)s",
        {"id": delivery_id, "kind": kind},
    )


async def is_taken(
    conn: AsyncConnection, feed: str, delivery_id: UUID, sender: str, key: str
) -> bool:
    """Whether a delivery is being taken back or was, or another one that is not done yet
    supersedes it; what this sender's number stands for does not count, nor does a refusal."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT EXISTS (SELECT FROM withdrawals AS w LEFT JOIN deliveries AS b "
        "ON b.id = w.superseded_by WHERE w.delivery_id = %(id)s AND w.kind = 'delivery' "
        "AND w.status <> 'refused' AND (b.sender, b.idempotency_key) "
        "IS DISTINCT FROM (%(sender)s, %(key)s)) OR EXISTS (SELECT FROM deliveries AS b "
        "WHERE b.feed = %(feed)s AND b.supersedes = %(id)s AND NOT b.dry_run "
        "AND b.status IN ('accepted', 'judging') "
        "AND (b.sender, b.idempotency_key) <> (%(sender)s, %(key)s))",
        {"feed": feed, "id": delivery_id, "sender": sender, "key": key},
    )
    return await said_yes(cursor)


async def find_counting(conn: AsyncConnection, sender: str, feed: str, period: str) -> UUID | None:
    """A delivery of the sender's for the period that has records and was not taken back."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT id FROM deliveries WHERE sender = %s AND feed = %s AND period = %s "
        "AND NOT dry_run AND sent_count > rejected_count AND withdrawn_at IS NULL "
        "ORDER BY seq LIMIT 1",
        (sender, feed, period),
    )
    found = await cursor.fetchone()
    return None if found is None else found[0]


async def next_withdrawal(conn: AsyncConnection, feed: str) -> Withdrawal | None:
    """The earliest of the feed that is not done, locked."""
    return await _one(
        conn,
        f"SELECT {_COLUMNS} FROM withdrawals WHERE feed = %(feed)s "
        "AND status IN ('requested', 'searching', 'applying') ORDER BY id LIMIT 1 FOR UPDATE",
        {"feed": feed},
    )


async def _one(
    conn: AsyncConnection, query: LiteralString, params: Mapping[str, Any]
) -> Withdrawal | None:
    driver = await raw(conn)
    async with driver.cursor(row_factory=class_row(Withdrawal)) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchone()


async def forget_refused(conn: AsyncConnection, withdrawal_id: int) -> None:
    """A withdrawal that was refused may be asked for again."""
    driver = await raw(conn)
    await driver.execute(
        "DELETE FROM withdrawals WHERE id = %s AND status = 'refused'", (withdrawal_id,)
    )


async def save_withdrawal(
    conn: AsyncConnection,
    withdrawal_id: int,
    status: str,
    *,
    seq: int = 0,
    segment: int = 0,
    refusal: str | None = None,
    completed_at: datetime | None = None,
) -> None:
    """How far it has come."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE withdrawals SET status = %s, seq = %s, segment = %s, refusal = %s, "
        "completed_at = %s WHERE id = %s",
        (status, seq, segment, refusal, completed_at, withdrawal_id),
    )


async def mark_withdrawn(conn: AsyncConnection, delivery_id: UUID, at: datetime) -> None:
    """Its records count no more."""
    driver = await raw(conn)
    await driver.execute("UPDATE deliveries SET withdrawn_at = %s WHERE id = %s", (at, delivery_id))


async def collect_standing(
    conn: AsyncConnection, withdrawal: Withdrawal, standing: Standing
) -> None:
    """Note the keys whose current version the delivery made or that carry something of it; of a
    full list also those it did not name, whatever stands of them now."""
    driver = await raw(conn)
    await driver.execute(
        sql.SQL(
            "INSERT INTO withdrawal_keys (withdrawal_id, natural_key, from_delivery, from_no) "
            "SELECT %(id)s, {key}, delivery_id, record_no FROM {table} AS s "
            "WHERE delivery_id = %(delivery)s OR ("
            + standing.carried
            + ") OR {key} IN (SELECT k.natural_key "
            "FROM withdrawal_keys AS k JOIN withdrawals AS w ON w.id = k.withdrawal_id "
            "WHERE w.delivery_id = %(delivery)s AND w.kind = 'absence' AND w.feed = %(feed)s) "
            "ON CONFLICT DO NOTHING"
        ).format(**names_of(standing)),
        {
            "id": withdrawal.id,
            "delivery": withdrawal.delivery_id,
            "feed": withdrawal.feed,
        },
    )


async def has_keys(conn: AsyncConnection, withdrawal_id: int) -> bool:
    """Whether anything is to be done."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT EXISTS (SELECT FROM withdrawal_keys WHERE withdrawal_id = %s AND outcome IS NULL)",
        (withdrawal_id,),
    )
    return await said_yes(cursor)


async def next_to_search(
    conn: AsyncConnection, withdrawal: Withdrawal, outside: DeliveryRow | None
) -> tuple[UUID, int, int] | None:
    """Delivery, order and segment where to look for remaining versions next.

    ``outside``: of a full list's removals, only what was not delivered for its scope.
    """
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT d.id, d.seq, s.no FROM deliveries AS d JOIN delivery_segments AS s "
        "ON s.delivery_id = d.id WHERE d.feed = %(feed)s AND NOT d.dry_run "
        "AND d.withdrawn_at IS NULL AND s.no < d.next_chunk "
        "AND (d.seq, s.no) >= (%(seq)s, %(segment)s) "
        "AND (%(sender)s::text IS NULL OR (d.sender, d.period) <> (%(sender)s, %(period)s)) "
        "ORDER BY d.seq, s.no LIMIT 1",
        {
            "feed": withdrawal.feed,
            "seq": withdrawal.seq,
            "segment": withdrawal.segment,
            "sender": outside.sender if outside else None,
            "period": outside.period if outside else None,
        },
    )
    return await cursor.fetchone()


_ABSENT: Final[LiteralString] = (
    "withdrawal_keys AS r JOIN withdrawals AS w ON w.id = r.withdrawal_id "
    "AND w.kind = 'absence' AND w.feed = %(feed)s "
    "JOIN deliveries AS a ON a.id = w.delivery_id AND a.withdrawn_at IS NULL "
    "WHERE r.natural_key = k.natural_key AND r.absent_no IS NOT NULL "
    "AND r.withdrawal_id <> k.withdrawal_id "
)
"""Full lists that do not name the key of ``k``."""


async def note_remaining(
    conn: AsyncConnection,
    withdrawal: Withdrawal,
    row: DeliveryRow,
    standing: Standing,
    versions: Mapping[str, int],
) -> None:
    """Of these keys the delivery has a version, later than those noted before; not where a full
    list for the same scope did not name the key since."""
    if not versions:
        return
    driver = await raw(conn)
    await driver.execute(
        "UPDATE withdrawal_keys AS k SET to_seq = %(seq)s, to_delivery = %(delivery)s, "
        "to_no = n.no FROM unnest(%(keys)s::text[], %(numbers)s::int[]) AS n (key, no) "
        "WHERE k.withdrawal_id = %(id)s AND k.natural_key = n.key "
        "AND NOT EXISTS (SELECT FROM " + _ABSENT + "AND a.seq > %(seq)s "
        "AND a.sender = %(sender)s AND (%(lasting)s OR a.period = %(period)s))",
        {
            "id": withdrawal.id,
            "feed": withdrawal.feed,
            "delivery": row.id,
            "seq": row.seq,
            "sender": row.sender,
            "period": row.period,
            "lasting": standing.lasting,
            "keys": list(versions),
            "numbers": list(versions.values()),
        },
    )


async def keys_of_versions(
    conn: AsyncConnection, withdrawal: Withdrawal, delivery_id: UUID, numbers: Collection[int]
) -> dict[str, int]:
    """Noted key → its last of these records of a delivery, of those that once were current."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT k.natural_key, max(v.record_no) FROM withdrawal_keys AS k "
        "JOIN superseded_versions AS v ON v.feed = %s AND v.natural_key = k.natural_key "
        "WHERE k.withdrawal_id = %s AND v.delivery_id = %s AND v.record_no = ANY(%s) "
        "GROUP BY k.natural_key",
        (withdrawal.feed, withdrawal.id, delivery_id, sorted(numbers)),
    )
    return dict(await cursor.fetchall())


async def note_absent(conn: AsyncConnection, withdrawal: Withdrawal) -> None:
    """Where no version remains, the latest full list that did not name the key has the last
    word."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE withdrawal_keys AS o SET to_seq = f.seq, to_delivery = f.delivery_id, "
        "to_no = f.absent_no FROM withdrawal_keys AS k CROSS JOIN LATERAL (SELECT a.seq, "
        "w.delivery_id, r.absent_no FROM " + _ABSENT + "ORDER BY a.seq DESC LIMIT 1) AS f "
        "WHERE k.withdrawal_id = %(id)s AND k.to_seq IS NULL "
        "AND o.withdrawal_id = k.withdrawal_id AND o.natural_key = k.natural_key",
        {"id": withdrawal.id, "feed": withdrawal.feed},
    )


async def next_keys(
    conn: AsyncConnection, withdrawal_id: int, standing: Standing, limit: int
) -> list[Key]:
    """Keys not dealt with yet, those of one delivery together."""
    driver = await raw(conn)
    cursor = await driver.execute(
        sql.SQL(
            "SELECT k.natural_key, k.from_delivery, k.from_no, k.to_delivery, k.to_no, "
            "k.absent_no, s.{key} IS NOT NULL FROM withdrawal_keys AS k "
            "LEFT JOIN {table} AS s ON s.{key} = k.natural_key "
            "AND s.delivery_id = k.from_delivery AND s.record_no = k.from_no "
            "WHERE k.withdrawal_id = %s AND k.outcome IS NULL "
            "ORDER BY k.to_delivery, k.to_no, k.natural_key LIMIT %s"
        ).format(**names_of(standing)),
        (withdrawal_id, limit),
    )
    return [Key(*row) for row in await cursor.fetchall()]


async def note_outcomes(
    conn: AsyncConnection, withdrawal_id: int, outcomes: Mapping[str, str]
) -> None:
    """What became of these keys."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE withdrawal_keys AS k SET outcome = n.outcome "
        "FROM unnest(%s::text[], %s::text[]) AS n (key, outcome) "
        "WHERE k.withdrawal_id = %s AND k.natural_key = n.key",
        (list(outcomes), list(outcomes.values()), withdrawal_id),
    )


async def count_outcomes(conn: AsyncConnection, withdrawal_id: int) -> dict[str, int]:
    """Outcome → keys, of those dealt with."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT outcome, count(*) FROM withdrawal_keys WHERE withdrawal_id = %s "
        "AND outcome IS NOT NULL GROUP BY outcome ORDER BY outcome",
        (withdrawal_id,),
    )
    return dict(await cursor.fetchall())


class Moved(NamedTuple):
    """A key whose state stays while another record answers for it."""

    natural_key: str
    from_delivery: UUID
    from_no: int
    to_delivery: UUID
    to_no: int


async def reattribute(
    conn: AsyncConnection, feed: str, standing: Standing, moved: Sequence[Moved], at: datetime
) -> None:
    """The same state, stated by another record: no new fact, but the history says so."""
    if not moved:
        return
    driver = await raw(conn)
    columns = list(zip(*moved, strict=True))
    has_hash = "content_hash" in standing.table.c
    cursor = await driver.execute(
        sql.SQL(
            "UPDATE {table} AS s SET delivery_id = n.to_delivery, record_no = n.to_no, "
            "revision = s.revision + 1 FROM unnest(%s::text[], %s::uuid[], %s::int[], "
            "%s::uuid[], %s::int[]) AS n (key, from_delivery, from_no, to_delivery, to_no) "
            "WHERE s.{key} = n.key RETURNING n.key, s.revision - 1, {hash}, n.from_delivery, "
            "n.from_no, n.to_delivery, n.to_no"
        ).format(
            **names_of(standing),
            hash=sql.SQL("s.content_hash" if has_hash else "''::bytea"),
        ),
        [list(column) for column in columns],
    )
    await copy_rows(
        conn,
        "superseded_versions",
        (
            *("feed", "natural_key", "revision", "content_hash", "delivery_id", "record_no"),
            *("superseded_by_delivery", "superseded_by_no", "superseded_at"),
        ),
        [(feed, *row, at) for row in await cursor.fetchall()],
        types=("text", "text", "int4", "bytea", "uuid", "int4", "uuid", "int4", "timestamptz"),
    )


async def deliveries_by_id(conn: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, DeliveryRow]:
    """Deliveries by id."""
    rows = await fetch_rows(
        conn, f"SELECT {COLUMNS} FROM deliveries WHERE id = ANY(%(ids)s)", {"ids": list(ids)}
    )
    return {row.id: row for row in rows}


def counts_of(outcomes: Mapping[str, int]) -> dict[str, int]:
    """How many keys ended how."""
    return {f"{outcome}_count": outcomes.get(outcome, 0) for outcome in OUTCOMES}
