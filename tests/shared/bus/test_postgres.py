"""The embedded bus: the common behaviour, and what only it promises."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from shared.bus import BusAway, BusError
from shared.bus.postgres import PostgresBus
from tests.conftest import PostgresForTests
from tests.shared.bus.behaviour import (
    PATIENCE,
    BusBehaviour,
    BusPlace,
    ends,
    message,
    positions,
    read,
)


@pytest.fixture(scope="module")
def log_url(postgres: PostgresForTests) -> str:
    return postgres.fresh_database()


@pytest.fixture
def place(log_url: str) -> BusPlace:
    return BusPlace(lambda: PostgresBus(log_url, lease_seconds=0.6))


class TestPostgresBus(BusBehaviour):
    """The suite on the embedded bus."""


@pytest.fixture
async def bus(place: BusPlace) -> AsyncIterator[PostgresBus]:
    yield await place.bus()
    for bus in place.opened:
        await bus.close()


async def test_offsets_are_contiguous_under_many_publishers(
    bus: PostgresBus, place: BusPlace
) -> None:
    topic = await place.topic(bus)
    others = [bus, await place.bus(), await place.bus()]
    await asyncio.gather(
        *(
            publisher.publish(topic, {p: [message(n), message(n)] for p in order})
            for n in range(20)
            for publisher in others
            for order in ([0, 1, 2, 3], [3, 2, 1, 0])
        )
    )
    assert await bus.ends(topic) == dict.fromkeys(range(4), 240)
    consumer = bus.consumer("contiguous", [topic])
    await consumer.start()
    next_offsets: dict[int, int] = {}
    for batch in await read(consumer, 960, max_messages=100):
        assert batch.first_offset == next_offsets.get(batch.partition, 0)
        assert batch.next_offset == batch.first_offset + len(batch.messages)
        next_offsets[batch.partition] = batch.next_offset


async def test_a_silent_member_loses_its_partitions(bus: PostgresBus, place: BusPlace) -> None:
    topic = await place.topic(bus)
    silent = (await place.bus()).consumer("silent", [topic])
    await silent.start()
    await bus.publish(topic, {p: [message(1)] for p in range(4)})
    held = await read(silent, 4)
    silent._heartbeat.cancel()
    heir = bus.consumer("silent", [topic])
    await heir.start()
    inherited = await read(heir, 4)
    assert await heir.commit(ends(inherited))
    assert not await silent.commit(ends(held))
    assert set((await bus.lag("silent", [topic])).values()) == {0}


async def test_trimming_waits_for_every_group_and_for_age(place: BusPlace, log_url: str) -> None:
    bus = PostgresBus(log_url, retention_seconds=0)
    old = PostgresBus(log_url, retention_seconds=3600)
    await bus.start()
    topic = await place.topic(bus)
    for n in range(1, 4):
        await bus.publish(topic, {0: [message(n)]})
    assert await bus.trim() == 0, "no group is known: somebody may yet come"
    fast, slow = bus.consumer("fast", [topic]), bus.consumer("slow", [topic])
    await fast.start()
    batches = await read(fast, 3)
    await fast.close()
    await slow.start()
    assert await fast.commit(ends(batches)) is False
    await fast.start()
    assert await fast.commit(ends(await read(fast, 3)))
    [first, *_] = await read(slow, 3)
    assert await slow.commit({(topic, 0): first.first_offset + 2})
    assert await old.trim() == 0, "too young"
    assert await bus.trim() == 2
    assert (await bus.lag("newcomer", [topic]))[topic, 0] == 1
    newcomer = bus.consumer("newcomer", [topic])
    await newcomer.start()
    [batch] = await read(newcomer, 1)
    assert (batch.first_offset, positions([batch])) == (2, [3])
    await fast.close()  # started again after it had left: the bus knows nothing of it
    await old.close()
    await bus.close()


async def test_topics_grow_and_never_shrink(bus: PostgresBus, place: BusPlace) -> None:
    topic = await place.topic(bus)
    consumer = bus.consumer("grow", [topic])
    await consumer.start()
    with pytest.raises(BusError, match="partition"):
        await bus.publish(topic, {4: [message(1)]})
    await bus.ensure_topics({topic: 5})
    await bus.publish(topic, {4: [message(1)]})
    assert positions(await read(consumer, 1), 4) == [1]
    with pytest.raises(BusError, match="5 partitions"):
        await bus.ensure_topics({topic: 2})


async def test_publishing_is_all_or_nothing(bus: PostgresBus, place: BusPlace) -> None:
    topic = await place.topic(bus)
    with pytest.raises(BusError):
        await bus.publish(topic, {0: [message(1)], 99: [message(1)]})
    assert set((await bus.ends(topic)).values()) == {0}


async def test_away_and_back(bus: PostgresBus, place: BusPlace, log_url: str) -> None:
    topic = await place.topic(bus)
    consumer = bus.consumer("away", [topic])
    await consumer.start()
    with psycopg.connect(log_url, autocommit=True) as admin:
        admin.execute(
            # Waiting for their end: one ended in the middle of the publish would be away rightly.
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await bus.publish(topic, {0: [message(1)]})
    async with asyncio.timeout(PATIENCE):
        assert positions(await read(consumer, 1)) == [1]
    nowhere = PostgresBus("postgresql://nobody:x@127.0.0.1:1/none", connect_seconds=1)
    with pytest.raises(BusAway):
        await nowhere.start()
    with pytest.raises(BusAway):
        await nowhere.publish(topic, {0: [message(1)]})
    await nowhere.close()


async def test_readers_are_woken_and_do_not_only_poll(place: BusPlace, log_url: str) -> None:
    bus = PostgresBus(log_url, poll_seconds=3600)
    await bus.start()
    topic = await place.topic(bus)
    consumer = bus.consumer("woken", [topic])
    await consumer.start()
    for n in range(1, 4):
        waiting = asyncio.create_task(consumer.fetch(10, 3600))
        await bus.publish(topic, {0: [message(n)]})
        async with asyncio.timeout(PATIENCE):
            assert positions(await waiting) == [n]
    await bus.close()
