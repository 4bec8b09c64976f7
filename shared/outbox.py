"""Facts written with the state they report: in the same transaction, or not at all.

``Outbox.write`` puts one compressed block per call into ``outbox_blocks``; the relay
(``shared.relay``) takes the blocks that are *not yet sent*, gives each fact its gapless position
and publishes it. What may be relied upon:

- A fact is published if and only if the transaction that wrote it committed.
- **Order per key**, when the writer holds the subject's row lock before it writes: whoever writes
  about the same subject next waited for this commit, so gets a higher block id.
- **A position is given once** and never changes; a resend carries the same ones. New blocks are
  placed only when every placed block is sent (durable on the bus). So on the bus every position
  comes after all lower ones of its partition, however many relays run and whenever they die.
- Blocks are kept 30 days after sending and can be published again, with their old positions,
  and fresh facts do not wait behind those that every receiver has had (``shared.outbox_again``).

Ages and retention go by the database's clock, not the demo's: they are about this machine.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString, TypeAlias, cast

import msgspec
import sqlalchemy as sa
import zstandard
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.contract import Message, partition_of
from shared.database import raw
from shared.events import Fact, encode, topic_of
from shared.telemetry import current_traceparent

CHANNEL = "outbox"
"""NOTIFY channel that wakes the relay, within the service's own database."""
BLOCK_FACTS = 5000
"""Most facts in one block; longer writes become several blocks."""
KEEP_SENT = timedelta(days=30)
_COMPRESSION_LEVEL = 1
_TAKE_BLOCKS = 256


class _Unplaced(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A message that has no position yet; ``data`` stays the encoded bytes it travels as."""

    id: str
    type: str
    key: str
    time: str
    data: bytes


class _Contents(msgspec.Struct, frozen=True, array_like=True):
    """What a block's payload holds: messages by partition, in the order they were written.

    Written as plain tuples of the same fields: they are made in half the time.
    """

    source: str
    traceparent: str | None
    partitions: dict[int, list[_Unplaced]]


class Block(msgspec.Struct, frozen=True):
    """A block on its way to the bus; ``first_positions`` and ``counts`` are by partition."""

    id: int
    fact_count: int
    first_positions: dict[int, int]
    payload: bytes
    heads: Mapping[int, int] = {}
    """Last positions given, of a block that had its positions before: it may be an old one."""

    def messages(
        self, sent_by: Callable[[str | None], str | None] | None = None
    ) -> dict[int, list[Message]]:
        """Its messages with their positions, by partition. Facts are not decoded.

        ``sent_by`` makes the ``traceparent`` the messages carry from the one they were written in.
        """
        contents = _decoder.decode(zstandard.ZstdDecompressor().decompress(self.payload))
        source, traceparent = contents.source, contents.traceparent
        if sent_by is not None:
            traceparent = sent_by(traceparent)
        messages = {}
        for partition, unplaced in contents.partitions.items():
            first = self.first_positions[partition]
            head = self.heads.get(partition, 0)
            head = head if head >= first + len(unplaced) else 0  # the block ends with it
            messages[partition] = [
                Message(m.id, m.type, source, m.key, no, m.time, traceparent, m.data, head)
                for no, m in enumerate(unplaced, first)
            ]
        return messages


class OutboxStatus(msgspec.Struct, frozen=True):
    """What still waits in the outbox. ``heads``: last position given, per partition. ``behind``:
    last position found on the bus, where that is higher; nothing is sent until it is resolved.
    ``oldest_unsent_seconds``: since written, or since ordered to be sent again.

    ``unplaced_facts``: of the unsent ones, those that have no position yet. Heads and these are
    all facts there are; the other unsent ones lie below the heads, perhaps applied already.
    """

    unsent_blocks: int
    unsent_facts: int
    unplaced_facts: int
    oldest_unsent_seconds: float | None
    heads: dict[int, int]
    behind: dict[int, int]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Contents)


def outbox_tables(metadata: sa.MetaData) -> tuple[sa.Table, ...]:
    """Declare the outbox's tables on a service's metadata."""
    blocks = sa.Table(
        "outbox_blocks",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("fact_count", sa.Integer, nullable=False),
        sa.Column("counts", JSONB, nullable=False, comment="facts by partition"),
        sa.Column("payload", sa.LargeBinary, nullable=False, comment="zstd, msgpack"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("clock_timestamp()"),
        ),
        sa.Column("placed_no", sa.BigInteger, comment="order of placing; null: no positions yet"),
        sa.Column("first_positions", JSONB, comment="by partition"),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("again_since", sa.DateTime(timezone=True), comment="ordered to be sent again"),
        sa.Index(
            "outbox_blocks_again",
            "placed_no",
            postgresql_where=sa.text("again_since > sent_at"),
        ),
        sa.Index(
            "outbox_blocks_unsent",
            "placed_no",
            "id",
            postgresql_where=sa.text("sent_at IS NULL"),
        ),
        sa.Index("outbox_blocks_placed", "placed_no", unique=True),
        sa.Index("outbox_blocks_sent", "sent_at"),
    )
    heads = sa.Table(
        "outbox_heads",
        metadata,
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("next_position", sa.BigInteger, nullable=False),
        sa.Column("bus_position", sa.BigInteger, comment="found on the bus, not given here"),
    )
    return blocks, heads


PackedFacts: TypeAlias = tuple[dict[int, int], bytes]
"""An outbox block: counts by partition, payload."""


class Outbox:
    """Where one producer writes its facts; holds no state of its own."""

    def __init__(self, producer: str, partitions: int) -> None:
        """``partitions``: of the producer's topic; a key's partition follows from it."""
        self.producer = producer
        self.partitions = partitions
        self.topic = topic_of(producer)

    async def write(
        self,
        conn: AsyncConnection,
        facts: Sequence[Fact],
        traceparent: str | None = None,
    ) -> None:
        """Write facts in their order, inside the caller's transaction; wake the relay at commit.

        ``traceparent``: the trace they belong to, by default the one this code runs in.
        Nothing happens without facts. Raises ValueError for a fact of another producer.
        """
        await self.write_packed(conn, self.packed(facts, traceparent))

    def packed(self, facts: Sequence[Fact], traceparent: str | None = None) -> list[PackedFacts]:
        """The blocks ``write`` would write, for ``write_packed``."""
        traceparent = traceparent or current_traceparent()
        return [
            self.pack(facts[start : start + BLOCK_FACTS], traceparent)
            for start in range(0, len(facts), BLOCK_FACTS)
        ]

    async def write_packed(self, conn: AsyncConnection, blocks: Sequence[PackedFacts]) -> None:
        """``write`` for facts that were packed before, wherever that was; in their order."""
        if blocks:
            driver = await raw(conn)
            await driver.execute(
                _INSERT,
                {
                    "fact_counts": [sum(counts.values()) for counts, _ in blocks],
                    "counts": [_json(counts) for counts, _ in blocks],
                    "payloads": [payload for _, payload in blocks],
                    "channel": CHANNEL,
                },
            )

    def pack(self, facts: Sequence[Fact], traceparent: str | None) -> PackedFacts:
        """The block's counts by partition and its payload. Pure. At most ``BLOCK_FACTS``."""
        by_partition: dict[int, list[tuple[str, str, str, str, bytes]]] = {}
        types: dict[type[Fact], str] = {}
        recorded_at: datetime | None = None
        time = ""
        partitions = self.partitions
        for fact in facts:
            type_name = types.get(type(fact))
            if type_name is None:
                type_name = types[type(fact)] = self._type_name(fact)
            # A chunk's facts share one moment; formatting it for each would cost more than zstd.
            if fact.recorded_at is not recorded_at:
                recorded_at = fact.recorded_at
                time = rfc3339(recorded_at)
            key = fact.key
            message = (fact.fact_id, type_name, key, time, encode(fact))
            partition = partition_of(key, partitions)
            if partition in by_partition:
                by_partition[partition].append(message)
            else:
                by_partition[partition] = [message]
        contents = (self.producer, traceparent, by_partition)
        compressor = zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL)
        counts = {partition: len(messages) for partition, messages in by_partition.items()}
        return counts, compressor.compress(_encoder.encode(contents))

    def _type_name(self, fact: Fact) -> str:
        if fact.producer != self.producer:
            raise ValueError(f"{fact.type_name()} is not a fact of {self.producer}")
        return fact.type_name()


async def take(conn: AsyncConnection, sent: Sequence[int], max_facts: int) -> list[Block]:
    """Mark the blocks ``sent``, then give the next ones to send, in the order to send them.

    Placed blocks that are not sent come first (somebody died, or publishes them right now:
    sending twice is harmless); only when there are none are new blocks placed. This rule, under
    a lock, keeps even a relay that lost its advisory lock harmless. At least one block, then as
    many as stay below ``max_facts``.

    What everybody has had and shall be sent again fills the turn up. It gets a quarter of a turn
    of its own, so that neither waits for the other longer than a turn.
    """
    await conn.execute(text("LOCK TABLE outbox_heads IN EXCLUSIVE MODE"))
    if sent:
        await conn.execute(_MARK_SENT, {"ids": list(sent)})
    blocks = await _placed(conn, _PLACED, max_facts) or await _place(conn, max_facts)
    if not max_facts:
        return blocks
    room = max_facts - sum(block.fact_count for block in blocks)
    again = await _placed(conn, _AGAIN, max(room, max_facts // 4))
    return [*blocks, *again]


async def _placed(conn: AsyncConnection, query: sa.TextClause, max_facts: int) -> list[Block]:
    """Blocks that have had their positions for a while. The caller holds the lock."""
    rows = (await conn.execute(query, {"blocks": _TAKE_BLOCKS, "max_facts": max_facts})).all()
    if not rows:
        return []
    heads = {row.partition: row.next_position - 1 for row in await conn.execute(_HEADS)}
    return [
        Block(row.id, row.fact_count, _by_partition(row.first_positions), row.payload, heads)
        for row in rows
    ]


async def _place(conn: AsyncConnection, max_facts: int) -> list[Block]:
    """Give positions to blocks that have none, in id order. The caller holds the lock.

    None while the bus is known to be ahead (``shared.outbox_behind``): they would be given twice.
    """
    rows = (await conn.execute(_UNPLACED, {"blocks": _TAKE_BLOCKS, "max_facts": max_facts})).all()
    if not rows:
        return []
    given = (await conn.execute(_HEADS)).all()
    if any(row.bus_position is not None for row in given):
        return []
    heads = {row.partition: row.next_position for row in given}
    blocks = []
    for row in rows:
        first_positions = {}
        for partition, count in _by_partition(row.counts).items():
            first_positions[partition] = heads.get(partition, 1)
            heads[partition] = first_positions[partition] + count
        blocks.append(Block(row.id, row.fact_count, first_positions, row.payload))
    await conn.execute(
        _SET_PLACED,
        {
            "ids": [block.id for block in blocks],
            "first_positions": [_json(block.first_positions) for block in blocks],
        },
    )
    await conn.execute(
        _SET_HEADS, {"partitions": list(heads), "next_positions": list(heads.values())}
    )
    return blocks


async def prune(conn: AsyncConnection, keep: timedelta = KEEP_SENT, limit: int = 500) -> int:
    """Delete at most ``limit`` blocks sent longer ago than ``keep``; returns how many."""
    result = await conn.execute(_PRUNE, {"keep": keep, "limit": limit})
    return result.rowcount


async def status(conn: AsyncConnection) -> OutboxStatus:
    """How much waits, since when (seconds), and the last position given per partition."""
    waiting = (await conn.execute(_STATUS)).one()
    heads = (await conn.execute(_HEADS)).all()
    return OutboxStatus(
        unsent_blocks=waiting.blocks,
        unsent_facts=waiting.facts,
        unplaced_facts=waiting.unplaced,
        oldest_unsent_seconds=None if waiting.age is None else float(waiting.age),
        heads={row.partition: row.next_position - 1 for row in heads},
        behind={row.partition: row.bus_position for row in heads if row.bus_position},
    )


async def seconds_since_written(conn: AsyncConnection) -> float | None:
    """How long ago the last fact was written; None where none was."""
    age = (await conn.execute(_LAST_AGE)).scalar()
    return None if age is None else float(age)


def rfc3339(moment: datetime) -> str:
    """A moment as messages carry it: RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _json(numbers: Mapping[int, int]) -> str:
    return msgspec.json.encode(numbers).decode()


def _by_partition(stored: Any) -> dict[int, int]:
    return {int(partition): number for partition, number in cast(dict[str, int], stored).items()}


_INSERT: LiteralString = (
    "WITH block AS (INSERT INTO outbox_blocks (fact_count, counts, payload)"
    " SELECT fact_count, counts, payload FROM unnest(%(fact_counts)s::int[],"
    " %(counts)s::text[]::jsonb[], %(payloads)b::bytea[])"
    " WITH ORDINALITY AS b (fact_count, counts, payload, no) ORDER BY no RETURNING id)"
    " SELECT pg_notify(%(channel)s, '') FROM (SELECT FROM block LIMIT 1) AS written"
)
_LAST_AGE = text(
    "SELECT extract(epoch FROM clock_timestamp() - created_at) FROM outbox_blocks"
    " ORDER BY id DESC LIMIT 1"
)
_MARK_SENT = text(
    "UPDATE outbox_blocks SET sent_at = clock_timestamp()"
    " WHERE id = ANY(:ids) AND (sent_at IS NULL OR again_since > sent_at)"
)
_TAKE = """
SELECT id, fact_count, {columns}, payload FROM (
  SELECT *, sum(fact_count) OVER (ORDER BY {order}) AS facts_so_far FROM (
    SELECT * FROM outbox_blocks WHERE {state}
    ORDER BY {order} LIMIT :blocks) AS waiting) AS summed
WHERE facts_so_far <= :max_facts OR facts_so_far = fact_count
ORDER BY {order}
"""
_PLACED = text(
    _TAKE.format(
        columns="first_positions",
        order="placed_no",
        state="sent_at IS NULL AND placed_no IS NOT NULL",
    )
)
_AGAIN = text(
    _TAKE.format(columns="first_positions", order="placed_no", state="again_since > sent_at")
)
_UNPLACED = text(
    _TAKE.format(columns="counts", order="id", state="sent_at IS NULL AND placed_no IS NULL")
)
_SET_PLACED = text(
    "UPDATE outbox_blocks AS b SET first_positions = p.positions, placed_no = p.no + l.last"
    " FROM unnest(CAST(:ids AS bigint[]), CAST(:first_positions AS jsonb[]))"
    " WITH ORDINALITY AS p (id, positions, no),"
    " (SELECT coalesce(max(placed_no), 0) AS last FROM outbox_blocks) AS l WHERE b.id = p.id"
)
_HEADS = text("SELECT partition, next_position, bus_position FROM outbox_heads ORDER BY partition")
_SET_HEADS = text(
    "INSERT INTO outbox_heads (partition, next_position)"
    " SELECT * FROM unnest(CAST(:partitions AS int[]), CAST(:next_positions AS bigint[]))"
    " ON CONFLICT (partition) DO UPDATE SET next_position = excluded.next_position"
)
_PRUNE = text(
    "DELETE FROM outbox_blocks WHERE id IN (SELECT id FROM outbox_blocks"
    " WHERE sent_at < clock_timestamp() - CAST(:keep AS interval)"
    " AND (again_since > sent_at) IS NOT TRUE ORDER BY sent_at LIMIT :limit)"
)
_STATUS = text(
    "SELECT count(*) AS blocks, coalesce(sum(fact_count), 0) AS facts,"
    " coalesce(sum(fact_count) FILTER (WHERE placed_no IS NULL), 0) AS unplaced,"
    # Never negative: the clock may have been set back since.
    " CASE WHEN count(*) > 0 THEN greatest(extract(epoch FROM"
    " clock_timestamp() - min(greatest(created_at, again_since))), 0) END AS age"
    " FROM outbox_blocks WHERE sent_at IS NULL"
)
