"""Groups of the embedded bus: who reads which partition, and how far.

Members hold a lease, renewed by a task of their own. Whoever balances (each member, a few times
per lease and whenever it hears of a change) first removes members whose lease ran out, then lets
go of what is no longer its share and takes what is free of it. The shares follow from the sorted
member names alone, so all members come to the same answer. A partition changes hands only
between two fetches of the one that holds it, or when that one is silent for a whole lease.

Leases are measured by the database's clock: members may run on several machines.
"""

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import psycopg
import structlog

from shared.bus.contract import Batch, BusAway, Message, TopicPartition, UnknownTopic

GROUP_NOTE = "group:"
BLOCKS_PER_LOOK = 100

_JOIN = """
INSERT INTO bus.members (group_name, member, topics, lease_until)
VALUES (%s, %s, %s, clock_timestamp() + make_interval(secs => %s))
ON CONFLICT (group_name, member) DO UPDATE SET lease_until = excluded.lease_until
RETURNING (xmax = 0) AS is_new
"""
_RENEW = """
UPDATE bus.members SET lease_until = clock_timestamp() + make_interval(secs => %s)
WHERE group_name = %s AND member = %s
"""
_FREE_THE_SILENT = """
WITH gone AS (
    DELETE FROM bus.members WHERE group_name = %(group)s AND lease_until < clock_timestamp()
    RETURNING member
)
UPDATE bus.group_partitions SET owner = NULL WHERE group_name = %(group)s AND (
    owner IN (SELECT member FROM gone)
    OR owner NOT IN (SELECT member FROM bus.members WHERE group_name = %(group)s)
)
"""
_ADD_PARTITIONS = """
INSERT INTO bus.group_partitions (group_name, partition_id)
SELECT %s, id FROM bus.partitions WHERE topic = ANY(%s) ON CONFLICT DO NOTHING
"""
_PARTITIONS = """
SELECT p.id, p.topic, p.partition, g.owner, g.next_offset
FROM bus.group_partitions g JOIN bus.partitions p ON p.id = g.partition_id
WHERE g.group_name = %s AND p.topic = ANY(%s) ORDER BY p.topic, p.partition
"""
_LOOK = """
SELECT wanted.id, b.last_offset, b.message_count, b.payload
FROM unnest(%s::integer[], %s::bigint[]) AS wanted (id, position)
CROSS JOIN LATERAL (
    SELECT last_offset, message_count, payload,
           sum(message_count) OVER (ORDER BY last_offset) - message_count AS before
    FROM bus.batches WHERE partition_id = wanted.id AND last_offset >= wanted.position
    ORDER BY last_offset LIMIT %s
) AS b
WHERE b.before < %s
ORDER BY wanted.id, b.last_offset
"""
_COMMIT = """
UPDATE bus.group_partitions g SET next_offset = given.next_offset
FROM unnest(%s::integer[], %s::bigint[]) AS given (id, next_offset)
WHERE g.group_name = %s AND g.partition_id = given.id AND g.owner = %s
"""

log = structlog.get_logger(__name__)

_Driver = psycopg.AsyncConnection[tuple[Any, ...]]


class Log(Protocol):
    """What a consumer needs of its bus."""

    lease_seconds: float
    poll_seconds: float

    def transaction(self) -> AbstractAsyncContextManager[_Driver]: ...
    def unpacked(self, payload: bytes) -> list[Message]: ...
    def left(self, consumer: "GroupConsumer") -> None: ...


class _Partition:
    """A partition this member reads: where to look next, and what it has looked up already."""

    def __init__(self, identity: int, topic: str, partition: int, position: int) -> None:
        self.id = identity
        self.topic = topic
        self.partition = partition
        self.position = position
        self.waiting: deque[Message] = deque()

    def take(self, limit: int) -> Batch:
        first = self.position - len(self.waiting)
        count = min(limit, len(self.waiting))
        messages = [self.waiting.popleft() for _ in range(count)]
        return Batch(self.topic, self.partition, first, messages, first + count)

    def rewind(self) -> None:
        self.waiting.clear()
        self.position = 0


class GroupConsumer:
    """A ``Consumer`` of the embedded bus."""

    def __init__(self, bus: Log, group: str, topics: Sequence[str]) -> None:
        self.group = group
        self.topics = sorted(topics)
        self.member = secrets.token_hex(8)
        self._bus = bus
        self._mine: dict[int, _Partition] = {}
        self._ids: dict[TopicPartition, int] = {}
        self._news = asyncio.Event()
        self._balance_at = 0.0
        self._heartbeat: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Join the group and take a share of the partitions."""
        async with self._bus.transaction() as driver:
            cursor = await driver.execute("SELECT DISTINCT topic FROM bus.partitions")
            known = {row[0] for row in await cursor.fetchall()}
        for topic in self.topics:
            if topic not in known:
                raise UnknownTopic(topic)
        await self._balance()
        if self._heartbeat is None:
            self._heartbeat = asyncio.create_task(self._renew(), name="bus-heartbeat")

    async def fetch(self, max_messages: int, timeout: float) -> list[Batch]:
        """Wait for messages of the partitions held, at most ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            self._news.clear()  # before looking, so that what comes meanwhile wakes us
            if time.monotonic() >= self._balance_at:
                await self._balance()
            if not any(partition.waiting for partition in self._mine.values()):
                await self._look(max_messages)
            batches = self._take(max_messages)
            left = deadline - time.monotonic()
            if batches or left <= 0:
                return batches
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), min(left, self._bus.poll_seconds))

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """Remember offsets of the partitions still held."""
        known = [(self._ids[place], offset) for place, offset in offsets.items()]
        ids, nexts = [pair[0] for pair in known], [pair[1] for pair in known]
        async with self._bus.transaction() as driver:
            cursor = await driver.execute(_COMMIT, (ids, nexts, self.group, self.member))
            complete = cursor.rowcount == len(offsets)
        if not complete:
            self._balance_at = 0.0
        return complete

    async def seek_to_beginning(self) -> None:
        """Go back to the earliest message kept, on the partitions held."""
        await self._balance()
        for partition in self._mine.values():
            partition.rewind()

    async def rewind(self, place: TopicPartition) -> bool:
        """Go back to the earliest message kept of one partition, when it is still held."""
        partition = self._mine.get(self._ids.get(place, -1))
        if partition is None:
            return False
        partition.rewind()
        return True

    async def close(self) -> None:
        """Leave: the others are told and share at once what was held here."""
        if self._heartbeat is not None:
            self._heartbeat.cancel()
            await asyncio.gather(self._heartbeat, return_exceptions=True)
            self._heartbeat = None
            with contextlib.suppress(BusAway):
                async with self._bus.transaction() as driver:
                    await driver.execute(
                        "DELETE FROM bus.members WHERE group_name = %s AND member = %s",
                        (self.group, self.member),
                    )
                    await self._set_owner(driver, self._mine, None)
                    await self._tell(driver)
        self._mine = {}
        self._bus.left(self)

    def heard(self, note: str) -> None:
        """A note of the bus: a topic with news, or a group whose members changed."""
        if note == GROUP_NOTE + self.group:
            self._balance_at = 0.0
            self._news.set()
        elif note in self.topics:
            self._news.set()

    def wake(self) -> None:
        """Look again: something may have been missed."""
        self._news.set()

    # -- reading ----------------------------------------------------------------------------

    async def _look(self, max_messages: int) -> None:
        if not self._mine:
            return
        share = max(1, max_messages // len(self._mine))
        positions = [partition.position for partition in self._mine.values()]
        async with self._bus.transaction() as driver, driver.cursor(binary=True) as cursor:
            await cursor.execute(_LOOK, (list(self._mine), positions, BLOCKS_PER_LOOK, share))
            rows = await cursor.fetchall()
        for identity, last_offset, count, payload in rows:
            partition = self._mine[identity]
            messages = self._bus.unpacked(payload)
            # The position may lie inside a block, or before the earliest one kept.
            skipped = max(0, partition.position - (last_offset - count + 1))
            partition.waiting.extend(messages[skipped:])
            partition.position = last_offset + 1

    def _take(self, max_messages: int) -> list[Batch]:
        batches = []
        for identity in list(self._mine):
            partition = self._mine[identity]
            if partition.waiting and max_messages > 0:
                batch = partition.take(max_messages)
                batches.append(batch)
                max_messages -= len(batch.messages)
                # To the end of the line, so that the others come first the next time.
                self._mine[identity] = self._mine.pop(identity)
        return batches

    # -- sharing ----------------------------------------------------------------------------

    async def _balance(self) -> None:
        # Set before, not after: a note heard meanwhile has to bring us here again.
        self._balance_at = time.monotonic() + self._bus.lease_seconds / 3
        try:
            await self._share_out()
        except BusAway:
            self._balance_at = 0.0
            raise

    async def _share_out(self) -> None:
        async with self._bus.transaction() as driver:
            await driver.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('bus.group.' || %s, 0))",
                (self.group,),
            )
            lease = self._bus.lease_seconds
            joined = await driver.execute(_JOIN, (self.group, self.member, self.topics, lease))
            is_new = bool((await joined.fetchone() or (False,))[0])
            await driver.execute(_FREE_THE_SILENT, {"group": self.group})
            await driver.execute(_ADD_PARTITIONS, (self.group, self.topics))
            members = await driver.execute(
                "SELECT member, topics FROM bus.members WHERE group_name = %s ORDER BY member",
                (self.group,),
            )
            by_topic: dict[str, list[str]] = {}
            for member, topics in await members.fetchall():
                for topic in topics:
                    by_topic.setdefault(topic, []).append(member)
            cursor = await driver.execute(_PARTITIONS, (self.group, self.topics))
            rows = await cursor.fetchall()
            share = {
                identity
                for at, (identity, topic, *_) in enumerate(rows)
                if by_topic[topic][at % len(by_topic[topic])] == self.member
            }
            held = {row[0] for row in rows if row[3] == self.member}
            free = {row[0] for row in rows if row[3] is None}
            released, taken = held - share, free & share
            await self._set_owner(driver, released, None)
            await self._set_owner(driver, taken, self.member)
            if is_new or released:
                await self._tell(driver)
        self._ids = {(row[1], row[2]): row[0] for row in rows}
        self._hold({row[0]: row for row in rows if row[0] in (held - released) | taken}, taken)

    def _hold(self, rows: Mapping[int, Sequence[Any]], taken: set[int]) -> None:
        # What was lost is forgotten with all that was looked up; what is new (or came back after
        # having been taken away) starts where the group stands.
        mine = {identity: self._mine[identity] for identity in self._mine if identity in rows}
        for identity, row in rows.items():
            if identity in taken or identity not in mine:
                mine[identity] = _Partition(identity, row[1], row[2], row[4])
        if mine.keys() != self._mine.keys():
            log.info("bus-share", group=self.group, member=self.member, partitions=len(mine))
        self._mine = mine

    async def _set_owner(self, driver: _Driver, ids: Iterable[int], owner: str | None) -> None:
        await driver.execute(
            "UPDATE bus.group_partitions SET owner = %s WHERE group_name = %s "
            "AND partition_id = ANY(%s) AND owner IS NOT DISTINCT FROM %s",
            (owner, self.group, list(ids), None if owner else self.member),
        )

    async def _tell(self, driver: _Driver) -> None:
        await driver.execute("SELECT pg_notify('bus', %s)", (GROUP_NOTE + self.group,))

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._bus.lease_seconds / 3)
            # Away: the lease may run out, which the next balance puts right.
            with contextlib.suppress(BusAway):
                async with self._bus.transaction() as driver:
                    cursor = await driver.execute(
                        _RENEW, (self._bus.lease_seconds, self.group, self.member)
                    )
                if cursor.rowcount == 0:
                    self._balance_at = 0.0
