"""Every SQL statement of the inbox, and the arithmetic of marks and gaps."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.contract import Message

Span = tuple[int, int]
"""First and last position, both included."""


class Gate(msgspec.Struct, frozen=True):
    """What of a batch may pass: new positions, and late ones of a recorded gap."""

    producer: str
    partition: int
    mark: int
    fresh: list[Message]
    """By ascending position, each once."""
    gaps: list[Span]
    """The recorded gaps some of them fill."""

    @property
    def first_missing(self) -> int | None:
        """The lowest position above the mark that is jumped over, None when none is."""
        expected = self.mark + 1
        for message in self.fresh:
            if message.position > expected:
                return expected
            expected = max(expected, message.position + 1)
        return None


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that had no effect, with the reason, kept whole.

    ``replayed_at``: closed since then, replayed or dismissed (the reason then says so).
    """

    id: int
    source: str
    partition: int
    position: int
    fact_id: str
    type: str
    key: str
    time: str
    traceparent: str | None
    payload: bytes
    reason: str
    dead_at: datetime
    replayed_at: datetime | None
    failed_replays: int

    def message(self) -> Message:
        """The message as it came."""
        return Message(
            self.fact_id,
            self.type,
            self.source,
            self.key,
            self.position,
            self.time,
            self.traceparent,
            self.payload,
        )


class Mark(msgspec.Struct, frozen=True):
    """Up to where one producer's partition has had its effect."""

    producer: str
    partition: int
    position: int
    updated_at: datetime


class Gap(msgspec.Struct, frozen=True):
    """Positions never received, both ends included."""

    producer: str
    partition: int
    first_position: int
    last_position: int
    found_at: datetime


class InboxStatus(msgspec.Struct, frozen=True):
    """Where a consumer stands. ``stopped``: too many open dead letters, nothing is applied."""

    marks: list[Mark]
    gaps: list[Gap]
    dead_letters_open: int
    dead_letters_replayed: int
    dead_letter_limit: int
    stopped: bool


def inbox_tables(metadata: sa.MetaData) -> tuple[sa.Table, ...]:
    """Declare the inbox's tables on a service's metadata."""
    moment = sa.DateTime(timezone=True)
    now = sa.text("clock_timestamp()")
    marks = sa.Table(
        "inbox_marks",
        metadata,
        sa.Column("producer", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("updated_at", moment, nullable=False, server_default=now),
    )
    gaps = sa.Table(
        "inbox_gaps",
        metadata,
        sa.Column("producer", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first_position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last_position", sa.BigInteger, nullable=False),
        sa.Column("found_at", moment, nullable=False, server_default=now),
    )
    letters = sa.Table(
        "dead_letters",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("producer", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("fact_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("time", sa.Text, nullable=False),
        sa.Column("traceparent", sa.Text),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("dead_at", moment, nullable=False, server_default=now),
        sa.Column("replayed_at", moment),
        sa.Column("failed_replays", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Index("dead_letters_place", "producer", "partition", "position", unique=True),
        sa.Index("dead_letters_open", "id", postgresql_where=sa.text("replayed_at IS NULL")),
    )
    return marks, gaps, letters


async def lock_mark(conn: AsyncConnection, producer: str, partition: int) -> int:
    """The mark, locked until the transaction ends; 0 before the first message."""
    place = {"producer": producer, "partition": partition}
    mark = (await conn.execute(_LOCK_MARK, place)).scalar_one_or_none()
    if mark is None:
        await conn.execute(_FIRST_MARK, place)
        mark = (await conn.execute(_LOCK_MARK, place)).scalar_one()
    return int(mark)


async def lock_marks(
    conn: AsyncConnection, places: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], int]:
    """``lock_mark`` of several places in two statements, in one order for everybody."""
    ordered = sorted(places)
    asked = {"producers": [p for p, _ in ordered], "partitions": [n for _, n in ordered]}
    found: dict[tuple[str, int], int] = {}
    for _ in range(2):
        rows = await conn.execute(_LOCK_MARKS, asked)
        found = {(row.producer, row.partition): int(row.position) for row in rows}
        if len(found) == len(ordered):
            break
        await conn.execute(_FIRST_MARKS, asked)
    return found


async def set_marks(conn: AsyncConnection, marks: Sequence[tuple[str, int, int]]) -> None:
    """Move marks, locked before, to (producer, partition, position)."""
    producers, partitions, positions = (list(column) for column in zip(*marks, strict=True))
    asked = {"producers": producers, "partitions": partitions, "positions": positions}
    await conn.execute(_SET_MARKS, asked)


async def has_gaps(conn: AsyncConnection) -> bool:
    """Whether any position is missing anywhere."""
    return bool((await conn.execute(_HAS_GAPS)).scalar_one())


async def count_open(conn: AsyncConnection) -> int:
    """Dead letters nobody has replayed."""
    return int((await conn.execute(_COUNT_OPEN)).scalar_one())


async def gate(
    conn: AsyncConnection, producer: str, partition: int, mark: int, messages: Sequence[Message]
) -> Gate:
    """Sort out what has been had. The mark must be locked."""
    by_position = {message.position: message for message in messages}
    gaps: list[Span] = []
    if min(by_position, default=mark + 1) <= mark:
        rows = await conn.execute(_GAPS, {"producer": producer, "partition": partition})
        gaps = [(row.first_position, row.last_position) for row in rows]
    fresh = [
        by_position[position]
        for position in sorted(by_position)
        if position > mark or any(first <= position <= last for first, last in gaps)
    ]
    return Gate(producer, partition, mark, fresh, gaps)


async def pass_gate(conn: AsyncConnection, passed: Gate, before: int | None) -> int:
    """Remember what took effect: everything that passed, or only positions below ``before``.

    Moves the mark, records new gaps, takes late positions out of old ones. Returns how many
    positions are newly missing.
    """
    positions = [
        message.position for message in passed.fresh if before is None or message.position < before
    ]
    if not positions:
        return 0
    place: dict[str, str | int] = {"producer": passed.producer, "partition": passed.partition}
    late = [position for position in positions if position <= passed.mark]
    if late:
        await conn.execute(_DELETE_GAPS, place)
        await _record_gaps(conn, place, without(passed.gaps, late))
    new = positions[len(late) :]
    if not new:
        return 0
    missing = holes(passed.mark, new)
    await _record_gaps(conn, place, missing)
    await conn.execute(_SET_MARK, {**place, "position": new[-1]})
    return sum(last - first + 1 for first, last in missing)


async def _record_gaps(
    conn: AsyncConnection, place: dict[str, str | int], spans: Sequence[Span]
) -> None:
    if spans:
        await conn.execute(
            _ADD_GAPS, [{**place, "first": first, "last": last} for first, last in spans]
        )


def holes(mark: int, positions: Sequence[int]) -> list[Span]:
    """Spans missing between the mark and ascending positions above it."""
    found = []
    expected = mark + 1
    for position in positions:
        if position > expected:
            found.append((expected, position - 1))
        expected = position + 1
    return found


def without(gaps: Sequence[Span], positions: Sequence[int]) -> list[Span]:
    """What remains of the gaps when these ascending positions have come."""
    rest = []
    for first, last in gaps:
        start = first
        for position in positions:
            if start <= position <= last:
                if position > start:
                    rest.append((start, position - 1))
                start = position + 1
        if start <= last:
            rest.append((start, last))
    return rest


async def bury(conn: AsyncConnection, partition: int, message: Message, reason: str) -> None:
    """Keep a message as a dead letter; the same place twice is one letter."""
    await conn.execute(
        _BURY,
        {
            "producer": _storable(message.source),
            "partition": partition,
            "position": message.position,
            "fact_id": _storable(message.id),
            "type": _storable(message.type),
            "key": _storable(message.key),
            "time": _storable(message.time),
            "traceparent": message.traceparent and _storable(message.traceparent),
            "payload": message.data,
            "reason": _storable(reason),
        },
    )


async def lock_letter(conn: AsyncConnection, letter_id: int) -> DeadLetter | None:
    """A dead letter, locked until the transaction ends."""
    row = (await conn.execute(_LOCK_LETTER, {"id": letter_id})).one_or_none()
    return None if row is None else DeadLetter(*row)


async def list_letters(
    conn: AsyncConnection, *, after: int = 0, limit: int = 100, open_only: bool = True
) -> list[DeadLetter]:
    """Dead letters by id, after one id, at most ``limit``."""
    rows = await conn.execute(
        _LIST_LETTERS, {"after": after, "limit": limit, "open_only": open_only}
    )
    return [DeadLetter(*row) for row in rows]


async def mark_replayed(conn: AsyncConnection, letter_id: int) -> None:
    """The letter had its effect in this transaction."""
    await conn.execute(_MARK_REPLAYED, {"id": letter_id})


async def note_failed_replay(conn: AsyncConnection, letter_id: int, reason: str) -> None:
    """The letter failed again and stays open."""
    await conn.execute(_NOTE_FAILED_REPLAY, {"id": letter_id, "reason": _storable(reason)})


async def dismiss(conn: AsyncConnection, ids: Sequence[int], reason: str) -> set[int]:
    """Close the open ones among the letters; which those were."""
    note = {"ids": list(ids), "reason": _storable(f"dismissed: {reason} · ")}
    return set((await conn.execute(_DISMISS, note)).scalars())


async def known_letters(conn: AsyncConnection, ids: Sequence[int]) -> set[int]:
    """Which of the numbers are letters."""
    return set((await conn.execute(_KNOWN, {"ids": list(ids)})).scalars())


def _storable(text_: str) -> str:
    """PostgreSQL keeps no NUL in text, and what strangers send may hold one."""
    return text_.replace("\x00", "\N{REPLACEMENT CHARACTER}")


async def status(conn: AsyncConnection, limit: int) -> InboxStatus:
    """Marks, gaps, and dead letters against the limit."""
    marks = [Mark(*row) for row in await conn.execute(_MARKS)]
    gaps = [Gap(*row) for row in await conn.execute(_ALL_GAPS)]
    letters = (await conn.execute(_COUNT_LETTERS)).one()
    return InboxStatus(marks, gaps, letters.open, letters.replayed, limit, letters.open > limit)


_PLACE = "producer = :producer AND partition = :partition"
_LETTER = (
    "id, producer, partition, position, fact_id, type, key, time, traceparent, payload, reason,"
    " dead_at, replayed_at, failed_replays"
)
_LOCK_MARK = text(f"SELECT position FROM inbox_marks WHERE {_PLACE} FOR UPDATE")
_FIRST_MARK = text(
    "INSERT INTO inbox_marks (producer, partition, position) VALUES (:producer, :partition, 0)"
    " ON CONFLICT DO NOTHING"
)
_SET_MARK = text(
    f"UPDATE inbox_marks SET position = :position, updated_at = clock_timestamp() WHERE {_PLACE}"
)
_ASKED = "unnest(CAST(:producers AS text[]), CAST(:partitions AS int[])"
_LOCK_MARKS = text(
    f"SELECT producer, partition, position FROM inbox_marks WHERE (producer, partition) IN"
    f" (SELECT * FROM {_ASKED})) ORDER BY producer, partition FOR UPDATE"
)
_FIRST_MARKS = text(
    f"INSERT INTO inbox_marks (producer, partition, position) SELECT *, 0 FROM {_ASKED})"
    " ORDER BY 1, 2 ON CONFLICT DO NOTHING"
)
_SET_MARKS = text(
    "UPDATE inbox_marks AS m SET position = n.position, updated_at = clock_timestamp()"
    f" FROM {_ASKED}, CAST(:positions AS bigint[])) AS n (producer, partition, position)"
    " WHERE m.producer = n.producer AND m.partition = n.partition"
)
_HAS_GAPS = text("SELECT EXISTS (SELECT FROM inbox_gaps)")
_MARKS = text(
    "SELECT producer, partition, position, updated_at FROM inbox_marks ORDER BY producer, partition"
)
_GAPS = text(
    f"SELECT first_position, last_position FROM inbox_gaps WHERE {_PLACE} ORDER BY first_position"
)
_ALL_GAPS = text(
    "SELECT producer, partition, first_position, last_position, found_at FROM inbox_gaps"
    " ORDER BY producer, partition, first_position LIMIT 1000"
)
_DELETE_GAPS = text(f"DELETE FROM inbox_gaps WHERE {_PLACE}")
_ADD_GAPS = text(
    "INSERT INTO inbox_gaps (producer, partition, first_position, last_position)"
    " VALUES (:producer, :partition, :first, :last)"
)
_COUNT_OPEN = text("SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL")
_COUNT_LETTERS = text(
    "SELECT count(*) FILTER (WHERE replayed_at IS NULL) AS open, count(replayed_at) AS replayed"
    " FROM dead_letters"
)
_BURY = text(
    "INSERT INTO dead_letters (producer, partition, position, fact_id, type, key, time,"
    " traceparent, payload, reason) VALUES (:producer, :partition, :position, :fact_id, :type,"
    " :key, :time, :traceparent, :payload, :reason) ON CONFLICT DO NOTHING"
)
_LOCK_LETTER = text(f"SELECT {_LETTER} FROM dead_letters WHERE id = :id FOR UPDATE")
_LIST_LETTERS = text(
    f"SELECT {_LETTER} FROM dead_letters WHERE id > :after"
    " AND (replayed_at IS NULL OR NOT CAST(:open_only AS boolean)) ORDER BY id LIMIT :limit"
)
_MARK_REPLAYED = text("UPDATE dead_letters SET replayed_at = clock_timestamp() WHERE id = :id")
_DISMISS = text(
    "UPDATE dead_letters SET replayed_at = clock_timestamp(), reason = :reason || reason"
    " WHERE id = ANY(:ids) AND replayed_at IS NULL RETURNING id"
)
_KNOWN = text("SELECT id FROM dead_letters WHERE id = ANY(:ids)")
_NOTE_FAILED_REPLAY = text(
    "UPDATE dead_letters SET failed_replays = failed_replays + 1, reason = :reason"
    " WHERE id = :id AND replayed_at IS NULL"
)
