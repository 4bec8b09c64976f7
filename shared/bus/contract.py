"""What a bus promises, whichever one runs below.

A *topic* has a fixed number of *partitions*; a partition is an ordered log; a *group* remembers,
per partition, the offset up to which it has read. What may be relied upon:

- **Durable.** ``publish`` returns once every message given is safely stored; when it raises, any
  part of them may be stored, and publishing again is right: receivers drop what they have had.
- **Order.** Messages of one partition are fetched in the order they were published. The bus never
  chooses a partition: the sender does, with ``partition_of``, so one key keeps one partition.
- **At least once.** A message is fetched again until a commit at or after it. Commit after the
  effect is safe, never before. Once-only is the receiver's work (``shared.inbox``), by position.
- **Groups are independent** and start at the earliest message kept. Within a group a partition is
  read by one consumer at a time; when members come or go partitions move. Whoever lost one may
  still hold a batch of it: its commit is then not taken (``commit`` says so) and the new reader
  gets those messages again. Drop what is in hand and go on fetching.
- **Away is not an error of the message.** ``BusAway`` means wait and try again.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

TopicPartition = tuple[str, int]


class BusError(Exception):
    """The bus refused something."""


class BusAway(BusError):
    """The bus cannot be reached or is not ready: a bad moment, to be tried again."""


class UnknownTopic(BusError):
    """The topic does not exist; ``ensure_topics`` makes it."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"unknown topic {topic!r}")
        self.topic = topic


class Message(msgspec.Struct, frozen=True, array_like=True):
    """One fact on its way.

    ``position`` is the producer's own gapless number within ``source`` and partition; receivers
    remember it, never the bus offset. ``time`` is RFC 3339 in UTC. ``data`` is the fact as JSON.
    ``head`` is set on what is sent once more: the last position given when it was, which the
    message itself, being old, does not tell; 0 otherwise.
    """

    id: str
    type: str
    source: str
    key: str
    position: int
    time: str
    traceparent: str | None
    data: bytes
    head: int = 0

    @property
    def is_foreign(self) -> bool:
        """Not written by any producer of ours; only ``data`` means anything."""
        return self.position < 0


class Batch(msgspec.Struct, frozen=True):
    """Messages of one partition in order. ``next_offset`` is what to commit once they took effect.

    Offsets between the two may have gaps: never compute one from another.
    """

    topic: str
    partition: int
    first_offset: int
    messages: list[Message]
    next_offset: int


class Consumer(Protocol):
    """One member of a group, used by one task at a time."""

    async def start(self) -> None:
        """Join the group. Raises BusAway, UnknownTopic; may be called again after BusAway."""

    async def fetch(self, max_messages: int, timeout: float) -> list[Batch]:
        """Return batches of at most ``max_messages`` messages in all.

        Returns as soon as anything is there, or an empty list after ``timeout`` seconds. What was
        fetched is not fetched again by this consumer unless partitions moved. Raises BusAway.
        """

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """Remember for the group where to go on; call it after the effect is durable.

        False when a partition is no longer this consumer's: it will be read again elsewhere.
        Raises BusAway.
        """

    async def seek_to_beginning(self) -> None:
        """Read this consumer's partitions again from the earliest message kept.

        The group's remembered offsets change only with the next commit.
        """

    async def rewind(self, place: TopicPartition) -> bool:
        """Read one partition again from the earliest message kept; the others go on.

        What was fetched of it and is still in hand comes again: drop it. False, and nothing
        happens, when the partition is not this consumer's any more. The group's remembered offset
        changes only with the next commit. Raises BusAway.
        """

    async def close(self) -> None:
        """Leave the group at once, without committing. May be called twice."""


class Bus(Protocol):
    """A connection to the bus; one per process."""

    async def start(self) -> None:
        """Connect. Raises BusAway; may be called again after it."""

    async def close(self) -> None:
        """Let go of everything. May be called twice, or without start."""

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        """Make topics with so many partitions; grow existing ones, never shrink. Idempotent."""

    async def publish(self, topic: str, messages: Mapping[int, Sequence[Message]]) -> None:
        """Append to partitions; returns when all is durable. Raises BusAway, UnknownTopic.

        One caller per source at a time keeps the order; callers of different sources may overlap.
        """

    def consumer(self, group: str, topics: Sequence[str]) -> Consumer:
        """A new member of ``group``, not yet started."""

    async def lag(self, group: str, topics: Sequence[str]) -> dict[TopicPartition, int]:
        """Messages kept and not yet committed by the group, per partition."""

    async def ends(self, topic: str) -> dict[int, int]:
        """The offset the next message will get, per partition. Raises UnknownTopic."""

    async def last_positions(self, topic: str, source: str) -> dict[int, int]:
        """The highest position (or ``head``) that the last messages of each partition name.

        Only of messages from ``source``; partitions that keep none are left out. Looks at the
        end of the log, so it costs the same however long that is. Raises BusAway, UnknownTopic.
        """


def last_position(messages: Iterable[Message], source: str) -> int:
    """The highest position these messages say ``source`` had given; 0 when they say nothing."""
    return max((max(m.position, m.head) for m in messages if m.source == source), default=0)


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: CRC-32 (ISO 3309) of its UTF-8 bytes, modulo the partition count.

    The same for every producer, bus and release; changing it would break the order per key.
    """
    return zlib.crc32(key.encode()) % partitions
