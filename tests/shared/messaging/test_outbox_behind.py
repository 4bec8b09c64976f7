"""A producer taken back to an earlier moment: nothing is published twice under one position, and it
goes on where receivers take it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from shared import outbox, outbox_again, outbox_behind
from shared.events.tax_feed import ContributionCollected

KEEP = ("outbox_blocks", "outbox_heads")


async def kept(world: Any) -> None:
    """Remember the producer's database as it is now."""
    async with world.producer.transaction() as conn:
        for table in KEEP:
            await conn.execute(text(f"DROP TABLE IF EXISTS kept_{table}"))
            await conn.execute(text(f"CREATE TABLE kept_{table} AS TABLE {table}"))


async def taken_back(world: Any) -> None:
    """Restore the producer's database to what was kept."""
    async with world.producer.transaction() as conn:
        for table in KEEP:
            await conn.execute(text(f"DELETE FROM {table}"))
            await conn.execute(
                text(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE kept_{table}")
            )


async def behind(world: Any) -> dict[int, int]:
    async with world.producer.read() as conn:
        return (await outbox.status(conn)).behind


async def heads(world: Any) -> dict[int, int]:
    async with world.producer.read() as conn:
        return (await outbox.status(conn)).heads


def seen(world: Any) -> Callable[..., Any]:
    async def count(number: int) -> bool:
        return len(await world.effects()) >= number

    return count


async def lost_and_restored(world: Any, running: Any, until: Any) -> list[ContributionCollected]:
    """30 facts received, of which the producer forgets the last 20; returns those."""
    consumer = world.fact_consumer(world.inbox())
    running(consumer)
    await world.write(world.facts(10))
    await world.relay().turn()
    await kept(world)
    lost: list[ContributionCollected] = world.facts(20)
    await world.write(lost)
    await world.relay().turn()
    await until(lambda: seen(world)(30))
    await taken_back(world)
    return lost


async def test_a_relay_sends_nothing_while_the_bus_is_ahead(
    world: Any, running: Any, until: Any
) -> None:
    await lost_and_restored(world, running, until)
    before = await heads(world)
    relay = world.relay(recheck_seconds=0.05)
    running(relay)
    await world.write(world.facts(6))
    await until(lambda: _true_of(behind(world)))
    on_the_bus = await world.on_the_bus()
    assert await behind(world) == {
        partition: messages[-1].position for partition, messages in on_the_bus.items()
    }
    # Not even by a relay that does not look, such as one that has led since before.
    assert await world.relay().turn() == 0
    assert relay.sent_facts == 0
    assert await heads(world) == before
    assert sum(map(len, (await world.on_the_bus()).values())) == 30


async def test_resuming_goes_on_above_the_bus_and_nothing_is_dropped(
    world: Any, running: Any, until: Any
) -> None:
    await lost_and_restored(world, running, until)
    running(world.relay(recheck_seconds=0.05))
    await until(lambda: _true_of(behind(world)))
    new = world.facts(6)
    await world.write(new)
    was = await behind(world)
    async with world.producer.transaction() as conn:
        moved = await outbox_behind.resume(conn, {})
    assert moved == {partition: position + 1 for partition, position in was.items()}
    await until(lambda: seen(world)(36))
    effects = await world.effects()
    assert sorted(fact_id for fact_id, _ in effects[30:]) == sorted(fact.fact_id for fact in new)
    assert await behind(world) == {}
    assert await world.rows("SELECT * FROM inbox_gaps") == []


async def test_without_the_guard_they_would_be_dropped(
    world: Any, running: Any, until: Any
) -> None:
    """The reason for all this: what happens to a relay that does not look."""
    await lost_and_restored(world, running, until)
    await world.write(world.facts(6))
    assert await world.relay().turn() == 6
    last = world.fact("oc:9")
    async with world.producer.transaction() as conn:
        await outbox_behind.resume(conn, dict.fromkeys(range(world.partitions), 100))
    await world.write([last])
    await world.relay().turn()
    await until(lambda: seen(world)(31))
    assert [fact_id for fact_id, _ in (await world.effects())[30:]] == [last.fact_id]


async def test_a_topic_made_anew_resolves_it(world: Any, running: Any, until: Any) -> None:
    """Everything was restored to one moment: the bus must forget what came after it."""
    consumer = world.fact_consumer(world.inbox())
    await world.write(world.facts(10))
    await world.relay().turn()
    await kept(world)
    await world.write(world.facts(20))
    await world.relay().turn()
    await taken_back(world)
    relay = world.relay(recheck_seconds=0.05)
    running(relay)
    await until(lambda: _true_of(behind(world)))
    async with world.bus.transaction() as driver:
        await driver.execute("DELETE FROM bus.batches")
        await driver.execute("UPDATE bus.partitions SET next_offset = 0")
    await world.write(world.facts(6))
    await until(lambda: _is(relay.sent_facts == 6))
    async with world.producer.transaction() as conn:
        await outbox_again.republish(conn, positions=(0, 1, 1000))
        await outbox_again.republish(conn, positions=(1, 1, 1000))
        await outbox_again.republish(conn, positions=(2, 1, 1000))
    running(consumer)
    await until(lambda: seen(world)(16))
    assert await behind(world) == {}
    assert await world.rows("SELECT * FROM inbox_gaps") == []


async def test_publishing_old_facts_again_does_not_hide_how_far_the_bus_is(
    world: Any, running: Any, until: Any
) -> None:
    await world.write(world.facts(10))
    await world.relay().turn()
    await kept(world)
    await world.write(world.facts(20))
    await world.relay().turn()
    given = await heads(world)
    async with world.producer.transaction() as conn:
        assert (await outbox_again.republish(conn, positions=(0, 1, 1))).blocks == 1
    await world.relay().turn()
    assert await world.bus.last_positions(world.topic, world.producer_name) == given
    await taken_back(world)
    running(world.relay(recheck_seconds=0.05))
    await until(lambda: _true_of(behind(world)))
    assert await behind(world) == given


async def test_an_outbox_level_with_its_bus_or_ahead_of_it_just_sends(
    world: Any, running: Any, until: Any
) -> None:
    await world.write(world.facts(10))
    dead = world.relay()
    await dead.publish(await dead.take([]))
    relay = world.relay()
    running(relay)
    await world.write(world.facts(5))
    await until(lambda: _is(relay.sent_facts == 15))
    assert await behind(world) == {}


@pytest.mark.parametrize("above", [{}, {0: 3}])
async def test_resuming_never_goes_back(world: Any, above: dict[int, int]) -> None:
    await world.write(world.facts(30))
    await world.relay().turn()
    before = await heads(world)
    async with world.producer.transaction() as conn:
        assert await outbox_behind.resume(conn, above) == {}
    assert await heads(world) == before


async def _is(value: bool) -> bool:
    return value


async def _true_of(value: Any) -> bool:
    return bool(await asyncio.ensure_future(value))
