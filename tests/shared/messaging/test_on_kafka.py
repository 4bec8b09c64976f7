"""From outbox to effect over a real broker: groups, a rebalance, a killed broker, a lost topic."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from kuomian.kafka_broker import KafkaBroker
from shared import outbox_again, outbox_behind
from shared.bus.kafka import KafkaBus
from shared.consumers import FactConsumer
from tests.shared.messaging.test_outbox_behind import behind, heads, kept, taken_back

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SESSION_MS = 3000


@pytest.fixture
async def kafka_world(world: Any, empty_kafka: KafkaBroker) -> AsyncIterator[Any]:
    """The world with Kafka in place of the embedded bus."""
    await world.bus.close()
    world.bus = new_bus(empty_kafka)
    await world.start()
    return world


@pytest.fixture
async def member(kafka_world: Any, empty_kafka: KafkaBroker) -> AsyncIterator[Any]:
    """Make members of the group, each with a connection of its own as in a process of its own."""
    buses = []

    async def make() -> FactConsumer:
        bus = new_bus(empty_kafka)
        buses.append(bus)
        await bus.start()
        return FactConsumer(kafka_world.inbox(), bus, "reporting", batch_messages=50)

    yield make
    for bus in buses:
        await bus.close()


def new_bus(broker: KafkaBroker) -> KafkaBus:
    return KafkaBus(
        broker.address(), fetch_max_wait_ms=50, session_timeout_ms=SESSION_MS, publish_seconds=5
    )


async def test_members_share_and_a_rebalance_in_the_middle_loses_nothing(
    kafka_world: Any, member: Any, until: Any, running: Any
) -> None:
    world = kafka_world
    running(world.relay())
    members = [await member() for _ in range(3)]
    stops = [running(one) for one in members[:2]]

    async def write_until(*busy: FactConsumer) -> None:
        """Go on writing until each of these members has applied something more."""
        before = [one.report.total.applied for one in busy]

        async def all_busy() -> bool:
            await world.write(world.facts(20, keys=60))
            now = [one.report.total.applied for one in busy]
            return all(b < n for b, n in zip(before, now, strict=True))

        await until(all_busy)

    await write_until(members[0], members[1])
    stops.append(running(members[2]))  # partitions move while messages are in hand
    await write_until(*members)
    stops[0].set()  # and move again
    await write_until(members[1], members[2])
    await until(lambda: settled(world))
    assert sum(one.report.total.applied for one in members) == await written(world)


async def test_a_killed_broker_is_waited_out_on_both_sides(
    kafka_world: Any, empty_kafka: KafkaBroker, member: Any, until: Any, running: Any
) -> None:
    """What is written while it is gone waits in the outbox; nothing is lost or counted twice."""
    world = kafka_world
    relay = world.relay()
    running(relay)
    members = [await member() for _ in range(2)]
    for one in members:
        running(one)
    await world.write(world.facts(500, keys=60))
    await until(lambda: some_effects(world))
    stop_writing = asyncio.Event()

    async def write_on() -> None:
        while not stop_writing.is_set():
            await world.write(world.facts(20, keys=60))
            await asyncio.sleep(0.02)

    writing = asyncio.create_task(write_on())
    await until(lambda: is_more(relay, 700))
    empty_kafka.kill()
    try:
        waiting = await written(world)
        await until(lambda: is_written(world, waiting + 400))
    finally:
        await asyncio.to_thread(empty_kafka.start)
    held = relay.sent_facts
    await until(lambda: is_more(relay, held + 400), 60)
    stop_writing.set()
    await writing
    await until(lambda: settled(world), 60)


async def test_a_topic_deleted_and_made_again_is_filled_from_the_outbox(
    kafka_world: Any, empty_kafka: KafkaBroker, member: Any, until: Any, running: Any
) -> None:
    world = kafka_world
    await world.write(world.facts(100))
    await world.relay().turn()
    await delete(empty_kafka, world.topic)
    bus = new_bus(empty_kafka)
    await bus.start()
    await bus.ensure_topics({world.topic: world.partitions})
    await world.bus.close()
    world.bus = bus
    await world.write(world.facts(50))
    await world.relay().turn()
    running(await member())
    await until(lambda: is_effects(world, 50))
    gaps = await world.rows(
        "SELECT partition, first_position, last_position FROM inbox_gaps ORDER BY partition"
    )
    assert sum(gap.last_position - gap.first_position + 1 for gap in gaps) == 100
    async with world.producer.transaction() as conn:
        for gap in gaps:
            await outbox_again.republish(conn, positions=tuple(gap))
    await world.relay().turn()
    await until(lambda: settled(world))


async def test_a_producer_taken_back_sends_nothing_until_it_is_told_how_to_go_on(
    kafka_world: Any, member: Any, until: Any, running: Any
) -> None:
    world = kafka_world
    running(await member())
    await world.write(world.facts(60))
    await world.relay().turn()
    await kept(world)
    await world.write(world.facts(40))
    await world.relay().turn()
    await until(lambda: is_effects(world, 100))
    async with world.producer.transaction() as conn:  # old facts at the end of the log
        await outbox_again.republish(conn, positions=(0, 1, 1))
    await world.relay().turn()
    given = await heads(world)
    await taken_back(world)
    relay = world.relay(recheck_seconds=0.1)
    running(relay)
    await world.write(world.facts(30))
    await until(lambda: is_behind(world, given))
    assert relay.sent_facts == 0
    async with world.producer.transaction() as conn:
        await outbox_behind.resume(conn, {})
    await until(lambda: is_effects(world, 130))
    assert relay.sent_facts == 30
    assert await world.rows("SELECT * FROM inbox_gaps") == []


async def is_behind(world: Any, expected: dict[int, int]) -> bool:
    return await behind(world) == expected


async def delete(broker: KafkaBroker, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.address()})
    await asyncio.to_thread(admin.delete_topics([topic])[topic].result, 30)


async def settled(world: Any) -> bool:
    """Every fact written has exactly one effect, no position is missing, nothing is behind."""
    count = await written(world)
    found = (await world.rows("SELECT count(*), sum(fen) FROM effects"))[0]
    assert found[0] <= count, "an effect too many"
    if found[0] < count:
        return False
    assert found[1] == count * (count + 1) // 2
    assert await world.rows("SELECT * FROM inbox_gaps") == []
    assert await world.rows("SELECT * FROM dead_letters") == []
    return not any((await world.bus.lag("reporting", [world.topic])).values())


async def written(world: Any) -> int:
    statement = "SELECT coalesce(sum(fact_count), 0) FROM outbox_blocks"
    return int(await world.value(statement, world.producer))


async def is_written(world: Any, count: int) -> bool:
    return await written(world) >= count


async def some_effects(world: Any) -> bool:
    return bool(await world.value("SELECT count(*) FROM effects"))


async def is_effects(world: Any, count: int) -> bool:
    return bool(await world.value("SELECT count(*) FROM effects") == count)


async def is_more(relay: Any, facts: int) -> bool:
    return bool(relay.sent_facts > facts)
