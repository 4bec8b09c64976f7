"""Fetching and committing: the ``Consumer`` on Kafka."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.bus.cloudevent import from_record
from shared.bus.contract import Batch, BusAway, BusError
from shared.bus.contract import TopicPartition as Place
from shared.bus.kafka.clients import WAIT_SECONDS, away, left, started

if TYPE_CHECKING:
    from shared.bus.kafka.bus import KafkaBus

COMMIT_SECONDS = 5.0
PARTITION_BYTES = 4 * 1024 * 1024

log = structlog.get_logger(__name__)


class KafkaConsumer:
    """A ``Consumer`` on Kafka; partitions are shared out by the broker's classic protocol."""

    def __init__(self, bus: "KafkaBus", group: str, topics: Sequence[str]) -> None:
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
            max_partition_fetch_bytes=PARTITION_BYTES,
        )
        async with away():
            await started(consumer, left)
        self._consumer = consumer

    async def fetch(self, max_messages: int, timeout: float) -> list[Batch]:
        """Wait for messages of the partitions held, at most ``timeout`` seconds."""
        async with away():
            try:
                found = await self._joined.getmany(
                    timeout_ms=int(timeout * 1000), max_records=max_messages
                )
            except KafkaError as error:
                if error.retriable:
                    raise
                # Its inner tasks have ended, as when a right is missing: it has to be made anew.
                raise BusError(f"{type(error).__name__}: {error}") from error
        if not found:
            self._require_well()
        return [
            Batch(
                place.topic,
                place.partition,
                records[0].offset,
                list(map(from_record, records)),
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
                async with away(), asyncio.timeout(COMMIT_SECONDS):
                    await self._joined.commit(taken)
            except (CommitFailedError, IllegalStateError):
                log.info("bus-commit-refused", group=self.group, partitions=len(taken))
                return False
        return len(taken) == len(given)

    async def seek_to_beginning(self) -> None:
        """Go back to the earliest message kept, once partitions have been given out."""
        consumer = self._joined
        async with away(), asyncio.timeout(WAIT_SECONDS):
            while not consumer.assignment():  # noqa: ASYNC110  # aiokafka has no event for it
                await asyncio.sleep(0.05)
            await consumer.seek_to_beginning()

    async def rewind(self, place: Place) -> bool:
        """Go back to the earliest message kept of one partition, when it is still held."""
        try:
            async with away(), asyncio.timeout(WAIT_SECONDS):
                # Not done: it was taken away while its first offset was asked for.
                return bool(await self._joined.seek_to_beginning(TopicPartition(*place)))
        except IllegalStateError:
            return False

    async def close(self) -> None:
        """Leave the group."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await left(consumer)
        self._bus.left(self)

    def _require_well(self) -> None:
        """Raise BusAway when there is a reason for nothing to come: aiokafka goes on in the
        background and says nothing."""
        if self._joined._coordinator.coordinator_id is None:  # heartbeats find that out
            raise BusAway(f"no broker answers for group {self.group}")
        client = self._joined._client
        gone = [name for name in self.topics if not client.cluster.partitions_for_topic(name)]
        if gone:
            # Deleted: nobody would ask again for metadata_max_age (five minutes).
            client.force_metadata_update()
            raise BusAway(f"no topic {', '.join(gone)}")

    @property
    def _joined(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise BusError("the consumer has not been started")
        return self._consumer
