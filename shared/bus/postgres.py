"""The embedded bus: a durable log in one PostgreSQL database, for installations without Kafka.

One row per published batch and partition: its messages as MessagePack, compressed. Offsets are
given out under a row lock of the partition, so they are contiguous and commit in their order
however many publishers there are. NOTIFY wakes readers; a bounded poll stands in when it is lost.
Groups and members are in ``shared.bus.postgres_group``.

The schema ``bus`` is made here and not by a service's migrations: it belongs to no service.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import psycopg
import structlog
import zstandard

from shared.bus.contract import (
    BusAway,
    BusError,
    Consumer,
    Message,
    TopicPartition,
    UnknownTopic,
    last_position,
)
from shared.bus.postgres_group import GroupConsumer
from shared.database import Database, DatabaseAway, is_away, notify, raw

CHANNEL = "bus"
BLOCK_MESSAGES = 2000
RETRY_SECONDS = 1.0
TRIM_SECONDS = 3600.0

_SCHEMA = """
SELECT pg_advisory_xact_lock(hashtext('bus.schema'));
CREATE SCHEMA IF NOT EXISTS bus;
CREATE TABLE IF NOT EXISTS bus.partitions (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL DEFAULT 0,
    UNIQUE (topic, partition)
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS bus.batches (
    partition_id integer NOT NULL REFERENCES bus.partitions,
    last_offset bigint NOT NULL,
    message_count integer NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    payload bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (partition_id, last_offset)
);
CREATE TABLE IF NOT EXISTS bus.members (
    group_name text NOT NULL,
    member text NOT NULL,
    topics text[] NOT NULL,
    lease_until timestamptz NOT NULL,
    PRIMARY KEY (group_name, member)
);
CREATE TABLE IF NOT EXISTS bus.group_partitions (
    group_name text NOT NULL,
    partition_id integer NOT NULL REFERENCES bus.partitions,
    next_offset bigint NOT NULL DEFAULT 0,
    owner text,
    PRIMARY KEY (group_name, partition_id)
) WITH (fillfactor = 50);
"""

_LOCK_PARTITIONS = """
SELECT partition, id, next_offset FROM bus.partitions
WHERE topic = %s AND partition = ANY(%s) ORDER BY partition FOR UPDATE
"""
_APPEND = """
WITH given AS (
    SELECT * FROM unnest(%s::integer[], %s::bigint[], %s::integer[], %s::bytea[])
        AS given (partition_id, last_offset, message_count, payload)
), moved AS (
    UPDATE bus.partitions p SET next_offset = ends.next_offset
    FROM (SELECT partition_id, max(last_offset) + 1 AS next_offset FROM given GROUP BY 1) ends
    WHERE p.id = ends.partition_id
)
INSERT INTO bus.batches (partition_id, last_offset, message_count, payload)
SELECT partition_id, last_offset, message_count, payload FROM given
"""
_LAG = """
SELECT p.topic, p.partition, p.next_offset - greatest(
    coalesce(g.next_offset, 0),
    coalesce((SELECT b.last_offset - b.message_count + 1 FROM bus.batches b
              WHERE b.partition_id = p.id ORDER BY b.last_offset LIMIT 1), p.next_offset)
)
FROM bus.partitions p
LEFT JOIN bus.group_partitions g ON g.partition_id = p.id AND g.group_name = %s
WHERE p.topic = ANY(%s)
"""
_LAST = """
SELECT p.partition, b.payload FROM bus.partitions p CROSS JOIN LATERAL (
    SELECT payload FROM bus.batches WHERE partition_id = p.id ORDER BY last_offset DESC LIMIT 1
) b WHERE p.topic = %s
"""
# Without any group the messages stay: somebody may yet come for them.
_TRIM = """
DELETE FROM bus.batches b
WHERE b.written_at < now() - make_interval(secs => %s) AND b.last_offset < (
    SELECT min(g.next_offset) FROM bus.group_partitions g WHERE g.partition_id = b.partition_id
)
"""

log = structlog.get_logger(__name__)


class PostgresBus:
    """The embedded ``Bus``. ``retention_seconds`` is how long messages stay once all groups have
    read them; ``lease_seconds`` after how long a silent member's partitions go to another."""

    def __init__(
        self,
        url: str,
        *,
        retention_seconds: float = 7 * 86400,
        lease_seconds: float = 15.0,
        poll_seconds: float = 1.0,
        pool_size: int = 4,
        connect_seconds: int = 5,
    ) -> None:
        self.lease_seconds = lease_seconds
        self.poll_seconds = poll_seconds
        self._database = Database(url, pool_size, "bus", connect_seconds=connect_seconds)
        self._retention_seconds = retention_seconds
        self._consumers: set[GroupConsumer] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(list[Message])
        self._compressor = zstandard.ZstdCompressor(level=1)
        self._decompressor = zstandard.ZstdDecompressor()

    async def start(self) -> None:
        """Make the schema if need be and begin to listen. Raises BusAway."""
        if self._tasks:
            return
        async with self.transaction() as driver:
            await driver.execute(_SCHEMA)
        self._tasks = [
            asyncio.create_task(self._listen(), name="bus-listen"),
            asyncio.create_task(self._trim_now_and_then(), name="bus-trim"),
        ]

    async def close(self) -> None:
        """Close consumers and connections."""
        for consumer in list(self._consumers):
            await consumer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._database.close()

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        """Make topics, or add partitions to them. Raises BusError rather than shrink one."""
        async with self.transaction() as driver:
            for topic, partitions in sorted(topics.items()):
                await driver.execute(
                    "INSERT INTO bus.partitions (topic, partition) "
                    "SELECT %s, n FROM generate_series(0, %s) AS n ON CONFLICT DO NOTHING",
                    (topic, partitions - 1),
                )
                cursor = await driver.execute(
                    "SELECT count(*) FROM bus.partitions WHERE topic = %s", (topic,)
                )
                found = await cursor.fetchone()
                if found is not None and found[0] > partitions:
                    raise BusError(f"{topic} has {found[0]} partitions, not {partitions}")

    async def publish(self, topic: str, messages: Mapping[int, Sequence[Message]]) -> None:
        """Append in one transaction: all of it or nothing."""
        given = {partition: batch for partition, batch in messages.items() if batch}
        blocks = [
            (partition, len(block), self.packed(block))
            for partition, batch in given.items()
            for block in _blocks(batch)
        ]
        async with self._database_or_away(), self._database.transaction() as connection:
            driver = await raw(connection)
            cursor = await driver.execute(_LOCK_PARTITIONS, (topic, list(given)))
            heads = {row[0]: (row[1], row[2]) for row in await cursor.fetchall()}
            if len(heads) < len(given) or not given:
                await self._require_topic(driver, topic)
                if given:
                    raise BusError(f"{topic} has no partition {max(set(given) - set(heads))}")
                return
            ids, last_offsets = [], []
            for partition, count, _ in blocks:
                partition_id, next_offset = heads[partition]
                heads[partition] = (partition_id, next_offset + count)
                ids.append(partition_id)
                last_offsets.append(next_offset + count - 1)
            counts = [count for _, count, _ in blocks]
            payloads = [payload for _, _, payload in blocks]
            await driver.execute(_APPEND, (ids, last_offsets, counts, payloads))
            await notify(connection, CHANNEL, topic)

    def consumer(self, group: str, topics: Sequence[str]) -> Consumer:
        """A new member of the group."""
        consumer = GroupConsumer(self, group, topics)
        self._consumers.add(consumer)
        return consumer

    async def lag(self, group: str, topics: Sequence[str]) -> dict[TopicPartition, int]:
        """Messages kept and not yet committed, per partition."""
        async with self.transaction() as driver:
            cursor = await driver.execute(_LAG, (group, list(topics)))
            return {(row[0], row[1]): int(row[2]) for row in await cursor.fetchall()}

    async def ends(self, topic: str) -> dict[int, int]:
        """The next offset per partition."""
        async with self.transaction() as driver:
            await self._require_topic(driver, topic)
            cursor = await driver.execute(
                "SELECT partition, next_offset FROM bus.partitions WHERE topic = %s", (topic,)
            )
            return {row[0]: row[1] for row in await cursor.fetchall()}

    async def last_positions(self, topic: str, source: str) -> dict[int, int]:
        """Of the last batch of each partition."""
        async with self.transaction() as driver:
            await self._require_topic(driver, topic)
            cursor = await driver.execute(_LAST, (topic,))
            rows = await cursor.fetchall()
        found = {row[0]: last_position(self.unpacked(row[1]), source) for row in rows}
        return {partition: position for partition, position in found.items() if position}

    async def trim(self) -> int:
        """Delete what is old enough and read by every group; returns the batches deleted."""
        async with self.transaction() as driver:
            cursor = await driver.execute(_TRIM, (self._retention_seconds,))
            return cursor.rowcount

    async def forget_group(self, group: str) -> None:
        """Drop a group that will not come back, so that it holds nothing in the log."""
        async with self.transaction() as driver:
            await driver.execute("DELETE FROM bus.members WHERE group_name = %s", (group,))
            await driver.execute("DELETE FROM bus.group_partitions WHERE group_name = %s", (group,))

    # -- for the consumers ------------------------------------------------------------------

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
        """A transaction on the log's database; DatabaseAway becomes BusAway."""
        async with self._database_or_away(), self._database.transaction() as connection:
            yield await raw(connection)

    def packed(self, messages: Sequence[Message]) -> bytes:
        """Messages as they lie in the log."""
        return self._compressor.compress(self._encoder.encode(messages))

    def unpacked(self, payload: bytes) -> list[Message]:
        """The other way round."""
        return self._decoder.decode(self._decompressor.decompress(payload))

    def left(self, consumer: GroupConsumer) -> None:
        """The consumer is closed."""
        self._consumers.discard(consumer)

    # -- tasks ------------------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            try:
                async with self._database.direct() as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._wake_all()  # something may have come while nobody listened
                    async for note in connection.notifies():
                        for consumer in self._consumers:
                            consumer.heard(note.payload)
            except (DatabaseAway, psycopg.Error) as error:
                log.warning("bus-listener-lost", error=str(error))
            await asyncio.sleep(RETRY_SECONDS)

    async def _trim_now_and_then(self) -> None:
        while True:
            with contextlib.suppress(BusAway):
                deleted = await self.trim()
                if deleted:
                    log.info("bus-trimmed", batches=deleted)
            await asyncio.sleep(TRIM_SECONDS)

    def _wake_all(self) -> None:
        for consumer in self._consumers:
            consumer.wake()

    async def _require_topic(
        self, driver: psycopg.AsyncConnection[tuple[Any, ...]], topic: str
    ) -> None:
        cursor = await driver.execute("SELECT 1 FROM bus.partitions WHERE topic = %s", (topic,))
        if await cursor.fetchone() is None:
            raise UnknownTopic(topic)

    @asynccontextmanager
    async def _database_or_away(self) -> AsyncIterator[None]:
        try:
            yield
        except Exception as error:
            if is_away(error):
                raise BusAway(str(error)) from error
            raise


def _blocks(messages: Sequence[Message]) -> list[Sequence[Message]]:
    return [messages[at : at + BLOCK_MESSAGES] for at in range(0, len(messages), BLOCK_MESSAGES)]
