"""What every bus must do, written once. Each bus brings a ``BusPlace`` and inherits the suite.

A place for a real broker: a ``BusPlace`` over its address, in a module that skips where there is
none (``test_kafka_broker.py``), with ``shares_partitions = True``.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace

from shared.bus import Batch, Bus, BusError, Consumer, Message, UnknownTopic, partition_of

PATIENCE = 30.0
_names = count(1)


@dataclass
class BusPlace:
    """Where a bus runs: ``connect`` gives a new, unstarted connection to the same place."""

    connect: Callable[[], Bus]
    partitions: int = 4
    shares_partitions: bool = True
    make_topic_first: Callable[[str], None] = lambda _: None
    opened: list[Bus] = field(default_factory=list)

    async def bus(self) -> Any:
        bus = self.connect()
        self.opened.append(bus)
        await bus.start()
        return bus

    async def topic(self, bus: Bus) -> str:
        name = f"behaviour-{next(_names)}.events"
        self.make_topic_first(name)
        await bus.ensure_topics({name: self.partitions})
        return name


def message(position: int, key: str = "oc:123456789", data: bytes | None = None) -> Message:
    return Message(
        id=f"id-{position}",
        type="tax-feed.arrears-recorded.v1",
        source="tax-feed",
        key=key,
        position=position,
        time="2008-06-10T04:00:00Z",
        traceparent=None,
        data=data if data is not None else b'{"n":%d}' % position,
    )


async def read(consumer: Consumer, wanted: int, max_messages: int = 5000) -> list[Batch]:
    """Fetch until so many messages have come; fails after a bound, and when there are more."""
    batches: list[Batch] = []
    async with asyncio.timeout(PATIENCE):
        while sum(len(batch.messages) for batch in batches) < wanted:
            batches += await consumer.fetch(max_messages, 5.0)
    assert sum(len(batch.messages) for batch in batches) == wanted
    return batches


def positions(batches: Sequence[Batch], partition: int = 0) -> list[int]:
    return [m.position for b in batches if b.partition == partition for m in b.messages]


def ends(batches: Sequence[Batch]) -> dict[tuple[str, int], int]:
    return {(batch.topic, batch.partition): batch.next_offset for batch in batches}


class BusBehaviour:
    """Inherit and provide the fixture ``place``."""

    @pytest.fixture
    async def bus(self, place: BusPlace) -> AsyncIterator[Bus]:
        yield await place.bus()
        for bus in place.opened:
            await bus.close()
        place.opened.clear()

    async def joined(self, bus: Bus, group: str, topic: str) -> Consumer:
        consumer = bus.consumer(group, [topic])
        await consumer.start()
        return consumer

    async def test_order_within_each_partition(self, bus: Bus, place: BusPlace) -> None:
        topic = await place.topic(bus)
        for start in (1, 4, 7):
            await bus.publish(
                topic,
                {
                    partition: [message(n) for n in range(start, start + 3)]
                    for partition in range(place.partitions)
                },
            )
        batches = await read(await self.joined(bus, "order", topic), 9 * place.partitions)
        for partition in range(place.partitions):
            assert positions(batches, partition) == list(range(1, 10))

    async def test_every_field_comes_back(self, bus: Bus, place: BusPlace) -> None:
        topic = await place.topic(bus)
        sent = Message(
            id="0190b6c8-0000-7000-8000-000000000001:17:arrears",
            type="tax-feed.arrears-recorded.v1",
            source="tax-feed",
            key="lic:本工商注字-210500-扩面 ✓",
            position=2**53 + 1,
            time="2008-06-10T15:59:59.999999Z",
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            data='{"name":"本溪市 \U00020000 有限公司","zero":"\\u0000"}'.encode(),
            head=2**53 + 7,
        )
        partition = partition_of(sent.key, place.partitions)
        await bus.publish(topic, {partition: [sent, message(2, data=b"")]})
        [batch] = await read(await self.joined(bus, "fields", topic), 2)
        assert batch.messages == [sent, message(2, data=b"")]
        assert (batch.topic, batch.partition) == (topic, partition)

    async def test_going_on_after_a_restart_where_it_was_committed(
        self, bus: Bus, place: BusPlace
    ) -> None:
        topic = await place.topic(bus)
        await bus.publish(topic, {0: [message(n) for n in range(1, 11)]})
        first = await self.joined(bus, "restart", topic)
        batches = await read(first, 10)
        half = batches[0].first_offset + 5
        assert await first.commit({(topic, 0): half})
        await first.close()
        second = await self.joined(await place.bus(), "restart", topic)
        again = await read(second, 5)
        assert positions(again) == [6, 7, 8, 9, 10]
        assert again[0].first_offset == half
        assert await second.commit(ends(again))
        await second.close()
        await bus.publish(topic, {0: [message(11)]})
        assert positions(await read(await self.joined(bus, "restart", topic), 1)) == [11]

    async def test_what_was_not_committed_comes_again(self, bus: Bus, place: BusPlace) -> None:
        topic = await place.topic(bus)
        await bus.publish(topic, {1: [message(1), message(2)]})
        for _ in range(2):
            consumer = await self.joined(bus, "again", topic)
            assert positions(await read(consumer, 2), 1) == [1, 2]
            await consumer.close()

    async def test_groups_know_nothing_of_each_other(self, bus: Bus, place: BusPlace) -> None:
        topic = await place.topic(bus)
        await bus.publish(topic, {0: [message(1)], 1: [message(1)]})
        one = await self.joined(bus, "one", topic)
        assert await one.commit(ends(await read(one, 2)))
        two = await self.joined(bus, "two", topic)
        assert len(ends(await read(two, 2))) == 2
        assert await one.fetch(10, 0.2) == []

    async def test_a_topic_nobody_made(self, bus: Bus, place: BusPlace) -> None:
        with pytest.raises(UnknownTopic):
            await bus.publish("nobody-made.this", {0: [message(1)]})
        with pytest.raises(UnknownTopic):
            await bus.consumer("unknown", ["nobody-made.this"]).start()
        with pytest.raises(UnknownTopic):
            await bus.ends("nobody-made.this")
        with pytest.raises(UnknownTopic):
            await bus.last_positions("nobody-made.this", "tax-feed")

    async def test_a_partition_nobody_made(self, bus: Bus, place: BusPlace) -> None:
        topic = await place.topic(bus)
        with pytest.raises(BusError):
            await bus.publish(topic, {99: [message(1)]})
        await bus.publish(topic, {0: [message(1)]})
        assert (await bus.ends(topic))[0] == 1

    async def test_topics_are_made_once(self, bus: Bus, place: BusPlace) -> None:
        topic = await place.topic(bus)
        await bus.publish(topic, {0: [message(1)]})
        await bus.ensure_topics({topic: place.partitions})
        assert await bus.ends(topic) == {0: 1, 1: 0, 2: 0, 3: 0}

    async def test_five_thousand_at_once(self, bus: Bus, place: BusPlace) -> None:
        topic = await place.topic(bus)
        await bus.publish(topic, {2: [message(n, data=b"x" * 500) for n in range(1, 5001)]})
        batches = await read(await self.joined(bus, "large", topic), 5000)
        assert positions(batches, 2) == list(range(1, 5001))
        assert ends(batches)[topic, 2] == (await bus.ends(topic))[2]

    async def test_never_more_than_asked_for(self, bus: Bus, place: BusPlace) -> None:
        topic = await place.topic(bus)
        await bus.publish(
            topic, {p: [message(n) for n in range(1, 101)] for p in range(place.partitions)}
        )
        consumer = await self.joined(bus, "small", topic)
        seen: dict[int, list[int]] = {}
        next_offsets: dict[int, int] = {}
        async with asyncio.timeout(PATIENCE):
            while sum(map(len, seen.values())) < 100 * place.partitions:
                batches = await consumer.fetch(7, 5.0)
                assert sum(len(batch.messages) for batch in batches) <= 7
                for batch in batches:
                    assert batch.first_offset == next_offsets.get(batch.partition, 0)
                    next_offsets[batch.partition] = batch.next_offset
                    seen.setdefault(batch.partition, []).extend(m.position for m in batch.messages)
        assert seen == {p: list(range(1, 101)) for p in range(place.partitions)}

    async def test_from_the_beginning_again(self, bus: Bus, place: BusPlace) -> None:
        topic = await place.topic(bus)
        await bus.publish(topic, {0: [message(1), message(2)], 3: [message(1)]})
        consumer = await self.joined(bus, "rewind", topic)
        assert await consumer.commit(ends(await read(consumer, 3)))
        await consumer.seek_to_beginning()
        again = await read(consumer, 3)
        assert positions(again, 0) == [1, 2]
        assert positions(again, 3) == [1]

    async def test_one_partition_from_the_beginning_again(self, bus: Bus, place: BusPlace) -> None:
        topic = await place.topic(bus)
        await bus.publish(topic, {p: [message(n) for n in range(1, 21)] for p in (0, 3)})
        consumer = await self.joined(bus, "rewind-one", topic)
        # Some of both is looked up and not yet handed out, in the middle of both.
        first: list[Batch] = []
        while len(ends(first)) < 2:
            first += await consumer.fetch(7, 5.0)
        assert await consumer.commit(ends(first))
        assert await consumer.rewind((topic, 0))
        left = 40 - len(positions(first, 3))
        rest = await read(consumer, left, max_messages=7)
        assert positions(rest, 0) == list(range(1, 21))
        assert positions([*first, *rest], 3) == list(range(1, 21))
        assert await consumer.commit({(topic, 0): 0})
        assert (await bus.lag("rewind-one", [topic]))[topic, 0] == 20, "the last commit counts"
        # What is not held is left alone.
        assert not await consumer.rewind((topic, 99))
        assert not await consumer.rewind(("nobody-made.this", 0))
        assert await consumer.fetch(10, 0.2) == []

    async def test_the_last_positions_tell_how_far_a_producer_was(
        self, bus: Bus, place: BusPlace
    ) -> None:
        topic = await place.topic(bus)
        assert await bus.last_positions(topic, "tax-feed") == {}
        await bus.publish(topic, {0: [message(n) for n in range(1, 4)], 2: [message(1)]})
        assert await bus.last_positions(topic, "tax-feed") == {0: 3, 2: 1}
        assert await bus.last_positions(topic, "enrollment") == {}
        many = [replace(message(no), head=3) for no in [1, 2] * 150]
        await bus.publish(topic, {0: many, 2: [message(2)]})
        # What is sent once more is old and says so.
        assert await bus.last_positions(topic, "tax-feed") == {0: 3, 2: 2}

    async def test_lag(self, bus: Bus, place: BusPlace) -> None:
        topic = await place.topic(bus)
        await bus.publish(topic, {0: [message(1), message(2)], 1: [message(1)]})
        nothing_read = {(topic, 0): 2, (topic, 1): 1, (topic, 2): 0, (topic, 3): 0}
        assert await bus.lag("behind", [topic]) == nothing_read
        consumer = await self.joined(bus, "behind", topic)
        batches = await read(consumer, 3)
        assert await bus.lag("behind", [topic]) == nothing_read
        assert await consumer.commit(ends(batches))
        assert set((await bus.lag("behind", [topic])).values()) == {0}

    async def test_news_while_waiting(self, bus: Bus, place: BusPlace) -> None:
        topic = await place.topic(bus)
        consumer = await self.joined(bus, "waiting", topic)
        waiting = asyncio.create_task(read(consumer, 1))
        await bus.publish(topic, {0: [message(1)]})
        assert positions(await waiting) == [1]

    async def test_nothing_to_publish_and_nothing_to_fetch(self, bus: Bus, place: BusPlace) -> None:
        topic = await place.topic(bus)
        await bus.publish(topic, {})
        await bus.publish(topic, {0: []})
        consumer = await self.joined(bus, "nothing", topic)
        assert await consumer.fetch(10, 0.0) == []
        await consumer.close()
        await consumer.close()

    async def test_a_group_shares_partitions_and_takes_over(
        self, bus: Bus, place: BusPlace
    ) -> None:
        if not place.shares_partitions:
            pytest.skip("this broker allows one consumer per group")
        topic = await place.topic(bus)
        first = await self.joined(bus, "shared", topic)
        second = await self.joined(await place.bus(), "shared", topic)
        reached: dict[Consumer, set[int]] = {first: set(), second: set()}
        async with asyncio.timeout(PATIENCE):
            number = 0
            while not all(reached.values()) or reached[first] & reached[second]:
                number += 1
                await bus.publish(topic, {p: [message(number)] for p in range(place.partitions)})
                for consumer in (first, second):
                    batches = await consumer.fetch(100, 0.1)
                    if await consumer.commit(ends(batches)) and batches:
                        reached[consumer] = {batch.partition for batch in batches}
        await second.close()
        alone: set[int] = set()
        async with asyncio.timeout(PATIENCE):
            while alone != set(range(place.partitions)):
                number += 1
                await bus.publish(topic, {p: [message(number)] for p in range(place.partitions)})
                alone |= {batch.partition for batch in await first.fetch(100, 0.1)}
