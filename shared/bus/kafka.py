"""The bus on Apache Kafka: the only importer of aiokafka.

Messages are CloudEvents 1.0 in the binary mode of its Kafka binding: attributes as ``ce_`` headers,
the fact as the value, the subject as the key (``shared.bus.cloudevent``).

The producer is idempotent and waits for all in-sync replicas; batches are built per partition.
Offsets are committed by hand. Compression is zstd where its library (cramjam) is installed, else
none: gzip, the only codec aiokafka always has, runs at its highest level and costs eight times as
much as all the rest; topics are then compressed by the broker.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.codec import has_zstd
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from shared.bus.cloudevent import from_record, to_headers
from shared.bus.contract import Batch, BusAway, BusError, Consumer, Message, UnknownTopic
from shared.bus.contract import TopicPartition as Place

# Below the broker's default of 1 MiB for a batch as it arrives (message.max.bytes).
BATCH_BYTES = 900_000
REQUEST_MS = 20_000
WAIT_SECONDS = 30.0

log = structlog.get_logger(__name__)


class KafkaBus:
    """The ``Bus`` on Kafka. ``security`` holds aiokafka's connection options for TLS and SASL;
    a member silent for ``session_timeout_ms`` loses its partitions."""

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        security: Mapping[str, Any] | None = None,
        fetch_max_wait_ms: int = 250,
        replication_factor: int = 0,
        session_timeout_ms: int = 10_000,
        client_id: str = "kuomian",
    ) -> None:
        self.connection: dict[str, Any] = {
            "bootstrap_servers": bootstrap_servers,
            "client_id": client_id,
            "request_timeout_ms": REQUEST_MS,
            **(security or {}),
        }
        self.fetch_max_wait_ms = fetch_max_wait_ms
        self.session_timeout_ms = session_timeout_ms
        self._replication_factor = replication_factor
        self._producer: AIOKafkaProducer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._known: set[str] = set()
        self._consumers: set[KafkaConsumer] = set()

    async def start(self) -> None:
        """Connect. Raises BusAway."""
        async with _away():
            await self._connected_producer()
            await self._connected_admin()

    async def close(self) -> None:
        """Close consumers, flush and disconnect."""
        for consumer in list(self._consumers):
            await consumer.close()
        await self._drop_producer()
        if self._reader is not None:
            await self._reader.stop()
            self._reader = None
        if self._admin is not None:
            await self._admin.close()
            self._admin = None

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        """Make topics, or add partitions to them. Raises BusError rather than shrink one."""
        async with _away():
            admin = await self._connected_admin()
            there = await self._partition_counts()
            brokers = len((await admin.describe_cluster())["brokers"])
            replicas = self._replication_factor or min(3, brokers)
            fresh = [
                NewTopic(name, count, replicas, topic_configs={"compression.type": "zstd"})
                for name, count in topics.items()
                if name not in there
            ]
            if fresh:
                response = await admin.create_topics(fresh)
                for name, code, *_ in response.topic_errors:
                    error = for_code(code)
                    if code and error is not TopicAlreadyExistsError:
                        raise error(name)
            for name, count in topics.items():
                if there.get(name, count) > count:
                    raise BusError(f"{name} has {there[name]} partitions, not {count}")
                if there.get(name, count) < count:
                    await admin.create_partitions({name: NewPartitions(count)})
            await self._until_known(topics)

    async def publish(self, topic: str, messages: Mapping[int, Sequence[Message]]) -> None:
        """Send batches per partition and wait until all in-sync replicas have them."""
        await self.require_topics([topic])
        async with _away(topic):
            producer = await self._connected_producer()
            try:
                sent: list[asyncio.Future[Any]] = []
                for partition, given in messages.items():
                    for batch in _filled(producer, given):
                        sent.append(await producer.send_batch(batch, topic, partition=partition))
                results = await asyncio.gather(*sent, return_exceptions=True)
                for result in results:
                    if isinstance(result, BaseException):
                        raise result
            except AssertionError:
                raise BusError(f"{topic} has not all of the partitions {list(messages)}") from None
            except (KafkaError, asyncio.CancelledError):
                # What an idempotent producer thinks it has sent is in doubt now: begin anew.
                await self._drop_producer()
                raise

    def consumer(self, group: str, topics: Sequence[str]) -> Consumer:
        """A new member of the group."""
        consumer = KafkaConsumer(self, group, topics)
        self._consumers.add(consumer)
        return consumer

    async def lag(self, group: str, topics: Sequence[str]) -> dict[Place, int]:
        """Messages kept and not yet committed, per partition."""
        async with _away():
            counts = await self._partition_counts()
            places = [TopicPartition(t, p) for t in topics for p in range(counts.get(t, 0))]
            reader = await self._connected_reader()
            first = await reader.beginning_offsets(places)
            ends = await reader.end_offsets(places)
            admin = await self._connected_admin()
            committed = await admin.list_consumer_group_offsets(group, partitions=places)
        lag = {}
        for place in places:
            known = committed.get(place)
            lag[place.topic, place.partition] = ends[place] - max(
                first[place], known.offset if known else 0
            )
        return lag

    async def ends(self, topic: str) -> dict[int, int]:
        """The next offset per partition."""
        await self.require_topics([topic])
        async with _away():
            counts = await self._partition_counts()
            places = [TopicPartition(topic, partition) for partition in range(counts[topic])]
            reader = await self._connected_reader()
            ends = await reader.end_offsets(places)
        return {place.partition: ends[place] for place in places}

    async def require_topics(self, topics: Sequence[str]) -> None:
        """Raise UnknownTopic for one that does not exist.

        Asked of the list of all topics: asking for one by name makes many brokers create it.
        """
        if not self._known.issuperset(topics):
            async with _away():
                self._known = set(await self._partition_counts())
        for topic in topics:
            if topic not in self._known:
                raise UnknownTopic(topic)

    def left(self, consumer: "KafkaConsumer") -> None:
        """The consumer is closed."""
        self._consumers.discard(consumer)

    async def _partition_counts(self) -> dict[str, int]:
        admin = await self._connected_admin()
        topics = await admin.describe_topics()
        return {topic["topic"]: len(topic["partitions"]) for topic in topics}

    async def _until_known(self, topics: Mapping[str, int]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                counts = await self._partition_counts()
                if all(counts.get(name, 0) >= count for name, count in topics.items()):
                    return
                await asyncio.sleep(0.1)

    async def _connected_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self.connection,
                acks="all",
                enable_idempotence=True,
                max_batch_size=BATCH_BYTES,
                compression_type="zstd" if has_zstd() else None,
            )
            await _started(producer)
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _connected_admin(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = AIOKafkaAdminClient(**self.connection)
            try:
                await admin.start()
            except BaseException:
                await admin.close()
                raise
            self._admin = admin
        return self._admin

    async def _connected_reader(self) -> AIOKafkaConsumer:
        if self._reader is None:
            reader = AIOKafkaConsumer(**self.connection)
            await _started(reader)
            self._reader = reader
        return self._reader


class KafkaConsumer:
    """A ``Consumer`` on Kafka; partitions are shared out by the broker's classic protocol."""

    def __init__(self, bus: KafkaBus, group: str, topics: Sequence[str]) -> None:
        self.group = group
        self.topics = list(topics)
        self._bus = bus
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Join the group; the partitions come with the first fetches."""
        await self._bus.require_topics(self.topics)
        consumer = AIOKafkaConsumer(
            *self.topics,
            **self._bus.connection,
            group_id=self.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=self._bus.fetch_max_wait_ms,
            session_timeout_ms=self._bus.session_timeout_ms,
            heartbeat_interval_ms=self._bus.session_timeout_ms // 3,
            max_partition_fetch_bytes=4 * BATCH_BYTES,
        )
        async with _away():
            await _started(consumer)
        self._consumer = consumer

    async def fetch(self, max_messages: int, timeout: float) -> list[Batch]:
        """Wait for messages of the partitions held, at most ``timeout`` seconds."""
        async with _away():
            found = await self._joined.getmany(
                timeout_ms=int(timeout * 1000), max_records=max_messages
            )
        return [
            Batch(
                place.topic,
                place.partition,
                records[0].offset,
                [message for message in map(from_record, records) if message is not None],
                records[-1].offset + 1,
            )
            for place, records in found.items()
            if records
        ]

    async def commit(self, offsets: Mapping[Place, int]) -> bool:
        """Remember offsets of the partitions still held."""
        held = self._joined.assignment()
        given = {TopicPartition(*place): offset for place, offset in offsets.items()}
        taken = {place: offset for place, offset in given.items() if place in held}
        if taken:
            try:
                async with _away():
                    await self._joined.commit(taken)
            except (CommitFailedError, IllegalStateError):
                log.info("bus-commit-refused", group=self.group, partitions=len(taken))
                return False
        return len(taken) == len(given)

    async def seek_to_beginning(self) -> None:
        """Go back to the earliest message kept, once partitions have been given out."""
        consumer = self._joined
        async with _away(), asyncio.timeout(WAIT_SECONDS):
            while not consumer.assignment():  # noqa: ASYNC110  # aiokafka has no event for it
                await asyncio.sleep(0.05)
            await consumer.seek_to_beginning()

    async def close(self) -> None:
        """Leave the group."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()
        self._bus.left(self)

    @property
    def _joined(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise BusError("the consumer has not been started")
        return self._consumer


def _filled(producer: AIOKafkaProducer, messages: Sequence[Message]) -> list[Any]:
    batches = []
    batch = None
    for message in messages:
        record = {
            "key": message.key.encode(),
            "value": message.data,
            "timestamp": None,
            "headers": to_headers(message),
        }
        if batch is None or batch.append(**record) is None:
            batch = producer.create_batch()
            batches.append(batch)
            if batch.append(**record) is None:
                raise BusError(f"message {message.id} is larger than a batch may be")
    return batches


async def _started(client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    try:
        await client.start()
    except BaseException:
        await client.stop()  # else its half-open connections outlive it
        raise


@asynccontextmanager
async def _away(topic: str = "") -> AsyncIterator[None]:
    """What Kafka refuses for good stays an error; everything else is a bad moment."""
    try:
        yield
    except UnknownTopicOrPartitionError as error:
        raise UnknownTopic(topic) from error
    except MessageSizeTooLargeError as error:
        raise BusError(str(error)) from error
    except (CommitFailedError, IllegalStateError):
        raise
    except (KafkaError, TimeoutError) as error:
        raise BusAway(f"{type(error).__name__}: {error}") from error
