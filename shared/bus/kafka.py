"""The bus on Apache Kafka: the only importer of aiokafka.

Messages are CloudEvents 1.0 in the binary mode of its Kafka binding: attributes as ``ce_`` headers,
the fact as the value, the subject as the key (``shared.bus.cloudevent``).

The producer is idempotent and waits for all in-sync replicas; batches are built per partition.
Offsets are committed by hand. Batches are compressed by the producer (zstd) and kept by the broker
as they come.

aiokafka waits for an absent broker by itself, in places without end; here every wait has a bound,
after which the bus is away.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    InvalidPartitionsError,
    KafkaConnectionError,
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
PUBLISH_SECONDS = 30.0
COMMIT_SECONDS = 10.0
CLOSE_SECONDS = 5.0
TOPIC_CONFIGURATION = {"compression.type": "producer", "cleanup.policy": "delete"}

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
        # One task connects at a time: several ask for the same connection at once.
        self._connecting = asyncio.Lock()
        self._consumers: set[KafkaConsumer] = set()

    async def start(self) -> None:
        """Connect. Raises BusAway."""
        async with _away():
            await self._connected_producer()
            await self._connected_admin()

    async def close(self) -> None:
        """Close consumers, flush and disconnect."""
        await asyncio.gather(*(consumer.close() for consumer in list(self._consumers)))
        await self._drop_producer()
        reader, self._reader = self._reader, None
        if reader is not None:
            await _left(reader)
        admin, self._admin = self._admin, None
        if admin is not None:
            await admin.close()

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        """Make topics, or add partitions to them. Raises BusError rather than shrink one."""
        async with _away():
            admin = await self._connected_admin()
            there = await self._partition_counts()
            brokers = len((await admin.describe_cluster())["brokers"])
            replicas = self._replication_factor or min(3, brokers)
            fresh = [
                NewTopic(name, count, replicas, topic_configs=TOPIC_CONFIGURATION)
                for name, count in topics.items()
                if name not in there
            ]
            if fresh:
                _check((await admin.create_topics(fresh)).topic_errors, TopicAlreadyExistsError)
            for name, count in topics.items():
                if there.get(name, count) > count:
                    raise BusError(f"{name} has {there[name]} partitions, not {count}")
                if there.get(name, count) < count:
                    grown = await admin.create_partitions({name: NewPartitions(count)})
                    # Somebody else may have been quicker.
                    _check(grown.topic_errors, InvalidPartitionsError)
            await self._until_known(topics)

    async def publish(self, topic: str, messages: Mapping[int, Sequence[Message]]) -> None:
        """Send batches per partition and wait until all in-sync replicas have them."""
        await self.require_topics([topic])
        async with _away(topic):
            producer = await self._connected_producer()
            try:
                async with asyncio.timeout(PUBLISH_SECONDS):
                    await _sent(producer, topic, messages)
            except AssertionError:
                raise BusError(f"{topic} has not all of the partitions {list(messages)}") from None
            except (KafkaError, TimeoutError, asyncio.CancelledError):
                # What an idempotent producer thinks it has sent is in doubt now: begin anew. And
                # a topic that has been deleted looks like a broker that does not answer.
                self._known.discard(topic)
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
        async with self._connecting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self.connection,
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=BATCH_BYTES,
                    compression_type="zstd",
                )
                await _started(producer, _given_up)
                self._producer = producer
            return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _given_up(producer)

    async def _connected_admin(self) -> AIOKafkaAdminClient:
        async with self._connecting:
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
        async with self._connecting:
            if self._reader is None:
                reader = AIOKafkaConsumer(**self.connection)
                await _started(reader, _left)
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
            await _started(consumer, _left)
        self._consumer = consumer

    async def fetch(self, max_messages: int, timeout: float) -> list[Batch]:
        """Wait for messages of the partitions held, at most ``timeout`` seconds."""
        async with _away():
            try:
                found = await self._joined.getmany(
                    timeout_ms=int(timeout * 1000), max_records=max_messages
                )
            except KafkaError as error:
                if error.retriable:
                    raise
                # Its inner tasks have ended, as when a right is missing: it has to be made anew.
                raise BusError(f"{type(error).__name__}: {error}") from error
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
                async with _away(), asyncio.timeout(COMMIT_SECONDS):
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
            await _left(consumer)
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


def _check(topic_errors: Sequence[Sequence[Any]], allowed: type[KafkaError]) -> None:
    for name, code, *_ in topic_errors:
        error = for_code(code)
        if code and error is not allowed:
            raise error(name)


async def _sent(
    producer: AIOKafkaProducer, topic: str, messages: Mapping[int, Sequence[Message]]
) -> None:
    sent: list[asyncio.Future[Any]] = []
    for partition, given in messages.items():
        for batch in _filled(producer, given):
            sent.append(await producer.send_batch(batch, topic, partition=partition))
    for result in await asyncio.gather(*sent, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def _given_up(producer: AIOKafkaProducer) -> None:
    """End a producer at once, with whatever it has not got rid of.

    ``stop`` alone would first wait for its batches, which an idempotent producer tries to send
    for ever; ``publish`` waits for all that it hands over, so nothing else is lost by this.
    """
    sending = producer._sender.sender_task
    if sending is not None:
        sending.cancel()
        await producer.client.close()  # ends requests that nobody answers
        await asyncio.wait({sending})
        producer._message_accumulator.fail_all(KafkaConnectionError("given up"))
    await producer.stop()


async def _left(consumer: AIOKafkaConsumer) -> None:
    """End a consumer, leaving its group if the broker answers.

    With the broker away ``stop`` alone ends in the cancellation of one of its own tasks, which
    is none of ours, and keeps its connections.
    """
    stopping = asyncio.ensure_future(consumer.stop())
    _, late = await asyncio.wait({stopping}, timeout=CLOSE_SECONDS)
    if late:
        stopping.cancel()
        await asyncio.wait(late)
    await consumer._client.close()
    if not stopping.cancelled() and (error := stopping.exception()):
        log.warning("bus-consumer-ended", error=f"{type(error).__name__}: {error}")


_Client = TypeVar("_Client", AIOKafkaProducer, AIOKafkaConsumer)


async def _started(client: _Client, end: Callable[[_Client], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await client.start()
    except BaseException:
        await end(client)  # else its half-open connections outlive it
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
