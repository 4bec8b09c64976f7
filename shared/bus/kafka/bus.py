"""Topics, publishing, lag: the ``Bus`` on Kafka."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import (
    InvalidPartitionsError,
    KafkaError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from shared.bus.cloudevent import to_headers
from shared.bus.contract import BusError, Consumer, Message, UnknownTopic
from shared.bus.contract import TopicPartition as Place
from shared.bus.kafka.clients import WAIT_SECONDS, away, given_up, left, started
from shared.bus.kafka.consumer import KafkaConsumer
from shared.bus.kafka.tail import tail_positions

# Below the broker's default of 1 MiB for a batch as it arrives (message.max.bytes).
BATCH_BYTES = 900_000
REQUEST_MS = 20_000
LOOK_SECONDS = 1.0
TOPIC_CONFIGURATION = {
    "compression.type": "producer",
    # Never compaction: every fact counts, not only the last one of its key.
    "cleanup.policy": "delete",
}


class KafkaBus:
    """The ``Bus`` on Kafka. ``security`` holds aiokafka's connection options for TLS and SASL;
    a member silent for ``session_timeout_ms`` loses its partitions; a publish of which
    nothing more is stored for ``publish_seconds`` is given up, to be tried again."""

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        security: Mapping[str, Any] | None = None,
        fetch_max_wait_ms: int = 250,
        replication_factor: int = 0,
        session_timeout_ms: int = 10_000,
        publish_seconds: float = 30.0,
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
        self._publish_seconds = publish_seconds
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
        async with away():
            await self._connected_producer()
            await self._connected_admin()

    async def close(self) -> None:
        """Close consumers, flush and disconnect."""
        await asyncio.gather(*(consumer.close() for consumer in list(self._consumers)))
        if self._producer is not None:
            await self._drop(self._producer)
        reader, self._reader = self._reader, None
        if reader is not None:
            await left(reader)
        admin, self._admin = self._admin, None
        if admin is not None:
            await admin.close()

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        """Make topics, or add partitions to them. Raises BusError rather than shrink one."""
        async with away():
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
                response = await admin.create_topics(fresh)
                for name, code, *_ in response.topic_errors:
                    error = for_code(code)
                    if code and error is not TopicAlreadyExistsError:
                        raise error(name)
            for name, count in topics.items():
                if there.get(name, count) > count:
                    raise BusError(f"{name} has {there[name]} partitions, not {count}")
                if there.get(name, count) < count:
                    with contextlib.suppress(InvalidPartitionsError):  # somebody was quicker
                        await admin.create_partitions({name: NewPartitions(count)})
            await self._until_known(topics)

    async def publish(self, topic: str, messages: Mapping[int, Sequence[Message]]) -> None:
        """Send batches per partition and wait until all in-sync replicas have them."""
        await self.require_topics([topic])
        async with away(topic):
            producer = await self._connected_producer()
            try:
                await _send(producer, topic, messages, self._publish_seconds)
            except AssertionError:
                raise BusError(f"{topic} has not all of the partitions {list(messages)}") from None
            except (KafkaError, TimeoutError, asyncio.CancelledError):
                # What an idempotent producer thinks it has sent is in doubt now: begin anew. And
                # a topic that has been deleted looks like a broker that does not answer.
                self._known.discard(topic)
                await self._drop(producer)
                raise

    def consumer(self, group: str, topics: Sequence[str]) -> Consumer:
        """A new member of the group."""
        consumer = KafkaConsumer(self, group, topics)
        self._consumers.add(consumer)
        return consumer

    async def lag(self, group: str, topics: Sequence[str]) -> dict[Place, int]:
        """Messages kept and not yet committed, per partition."""
        async with away():
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
        async with away():
            counts = await self._partition_counts()
            places = [TopicPartition(topic, partition) for partition in range(counts[topic])]
            reader = await self._connected_reader()
            ends = await reader.end_offsets(places)
        return {place.partition: ends[place] for place in places}

    async def last_positions(self, topic: str, source: str) -> dict[int, int]:
        """Of the last ``TAIL_MESSAGES`` of each partition, read without any group."""
        self._known.discard(topic)  # it may have been deleted, to be made anew
        ends = await self.ends(topic)
        async with away(topic):
            return await tail_positions(self.connection, topic, ends, source)

    async def require_topics(self, topics: Sequence[str]) -> None:
        """Raise UnknownTopic for one that does not exist.

        Asked of the list of all topics: asking for one by name makes many brokers create it.
        """
        if not self._known.issuperset(topics):
            async with away():
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
                await started(producer, given_up)
                self._producer = producer
            return self._producer

    async def _drop(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:  # another publish may have begun anew already
            self._producer = None
        # To its end even when this task is cancelled: nobody else would close it.
        await asyncio.shield(asyncio.ensure_future(given_up(producer)))

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
                await started(reader, left)
                self._reader = reader
            return self._reader


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


async def _send(
    producer: AIOKafkaProducer,
    topic: str,
    messages: Mapping[int, Sequence[Message]],
    seconds: float,
) -> None:
    """Return when all is stored. TimeoutError when nothing more has been for so long: however
    much there is to send over however slow a line, it is not given up while it moves. A topic
    that was deleted is noticed sooner."""
    waiting: set[asyncio.Future[Any]] = set()
    loop = asyncio.get_running_loop()
    try:
        for partition, given in messages.items():
            for batch in _filled(producer, given):
                async with asyncio.timeout(seconds):
                    waiting.add(await producer.send_batch(batch, topic, partition=partition))
        moved_at = loop.time()
        while waiting:
            done, waiting = await asyncio.wait(
                waiting, timeout=min(seconds, LOOK_SECONDS), return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                moved_at = loop.time()
            elif not producer.client.cluster.partitions_for_topic(topic):
                raise UnknownTopicOrPartitionError(topic)
            elif loop.time() - moved_at >= seconds:
                raise TimeoutError(f"nothing stored for {seconds:g} s")
            for error in [stored.exception() for stored in done]:  # all are looked at
                if error is not None:
                    raise error
    finally:
        for stored in waiting:
            stored.cancel()
