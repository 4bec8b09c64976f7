"""The runner: from the bus to the effect through stops, rebalances, resets and outages."""

import asyncio
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared import outbox_again
from shared.consumers import ConsumerState
from shared.inbox import BadMessage, FactBatch, list_letters


async def _count(world: Any) -> int:
    return int(await world.value("SELECT count(*) FROM effects"))


async def test_from_outbox_to_effect_in_order_per_key(world: Any, until: Any, running: Any) -> None:
    consumer = world.fact_consumer(world.inbox())
    running(world.relay())
    running(consumer)
    facts = world.facts(200, keys=9)
    for start in range(0, 200, 20):
        await world.write(facts[start : start + 20])
    await until(lambda: _at(world, 200))
    rows = await world.rows("SELECT key, fact_id FROM effects ORDER BY no")
    for key in {fact.key for fact in facts}:
        assert [row.fact_id for row in rows if row.key == key] == [
            fact.fact_id for fact in facts if fact.key == key
        ]
    await until(lambda: _no_lag(world))
    assert consumer.report.state == ConsumerState.RUNNING
    assert consumer.report.total.applied == 200


async def test_a_backlog_is_applied_in_batches(world: Any, until: Any, running: Any) -> None:
    await world.write(world.facts(3000, keys=40))
    await world.relay().turn()
    consumer = world.fact_consumer(world.inbox(), batch_messages=700)
    running(consumer)
    await until(lambda: _at(world, 3000))
    await until(lambda: _no_lag(world))
    assert consumer.report.batches < 20
    assert await world.value("SELECT sum(fen) FROM effects") == sum(range(1, 3001))


async def test_a_group_reset_to_the_beginning_has_no_second_effect(
    world: Any, until: Any, running: Any
) -> None:
    await world.write(world.facts(50))
    await world.relay().turn()
    running(world.fact_consumer(world.inbox()))
    await until(lambda: _at(world, 50))
    other_group = world.fact_consumer(world.inbox())
    other_group.group = "reporting-reset"  # a new group starts at the beginning
    running(other_group)
    await until(lambda: _is(other_group.report.total.dropped == 50))
    assert await _count(world) == 50


async def test_stopping_and_starting_goes_on_where_it_was(world: Any, until: Any) -> None:
    await world.write(world.facts(30))
    await world.relay().turn()
    for round_no in range(1, 4):
        consumer, stop = world.fact_consumer(world.inbox()), asyncio.Event()
        task = asyncio.create_task(consumer.run(stop))
        await until(lambda at=30 * round_no: _at(world, at))
        stop.set()
        await asyncio.wait_for(task, 10)
        assert await _no_lag(world), "the offset is committed before leaving"
        assert consumer.report.state == ConsumerState.ENDED
        assert consumer.report.total.dropped == 0
        await world.write(world.facts(30))
        await world.relay().turn()


async def test_members_coming_and_going_lose_and_double_nothing(
    world: Any, until: Any, running: Any
) -> None:
    running(world.relay())
    stops = [running(world.fact_consumer(world.inbox(), batch_messages=7)) for _ in range(2)]
    for round_no in range(6):
        await world.write(world.facts(60, keys=30))
        if round_no == 2:
            stops.append(running(world.fact_consumer(world.inbox(), batch_messages=7)))
        if round_no == 4:
            stops[0].set()
    await until(lambda: _at(world, 360))
    await until(lambda: _no_lag(world))
    assert await world.value("SELECT sum(fen) FROM effects") == sum(range(1, 361))
    assert await world.rows("SELECT * FROM inbox_gaps") == []


async def test_a_member_that_died_between_apply_and_commit_is_made_good(
    world: Any, until: Any, running: Any
) -> None:
    await world.write(world.facts(40))
    await world.relay().turn()
    dying = world.bus.consumer("reporting", [world.topic])
    await dying.start()
    for batch in await dying.fetch(1000, 5):
        await world.inbox().apply(batch)
    await dying.close()  # without having committed
    heir = world.fact_consumer(world.inbox())
    running(heir)
    await until(lambda: _is(heir.report.total.dropped == 40))
    assert await _count(world) == 40


async def test_too_many_dead_letters_stop_it_until_they_are_dealt_with(
    world: Any, until: Any, running: Any, plain_effect: Any
) -> None:
    broken = True

    async def effect(conn: AsyncConnection, batch: FactBatch) -> None:
        for received in batch.facts:
            if broken and received.fact.pooled_fen % 10 == 0:  # type: ignore[attr-defined]
                raise BadMessage(received.position, "a multiple of ten")
        await plain_effect(conn, batch)

    inbox = world.inbox(effect, limit=2)
    consumer = world.fact_consumer(inbox)
    running(consumer)
    await world.write(world.facts(60, keys=1))
    await world.relay().turn()
    await until(lambda: _is(consumer.report.state == ConsumerState.STOPPED))
    assert await _count(world) == 27, "up to the third dead letter, and no further"
    async with world.consumer.read() as conn:
        assert (await inbox.status(conn)).stopped
    broken = False
    async with world.consumer.read() as conn:
        ids = [letter.id for letter in await list_letters(conn)]
    await inbox.replay(ids)
    await until(lambda: _at(world, 60))
    await until(lambda: _is(consumer.report.state == ConsumerState.RUNNING))
    assert await world.value("SELECT sum(fen) FROM effects") == sum(range(1, 61))


async def test_the_database_away_is_waited_out(
    world: Any, until: Any, running: Any, outage: Any
) -> None:
    consumer = world.fact_consumer(world.inbox())
    running(consumer)
    await until(lambda: _is(consumer.report.state == ConsumerState.RUNNING))
    async with outage(world.consumer_url):
        await world.write(world.facts(20))
        await world.relay().turn()
        await until(lambda: _is(consumer.report.state == ConsumerState.WAITING))
        assert "database away" in consumer.report.reason
    await until(lambda: _at(world, 20))
    assert await world.rows("SELECT * FROM dead_letters") == []
    assert consumer.report.state == ConsumerState.RUNNING


async def test_the_bus_away_is_waited_out(
    world: Any, until: Any, running: Any, outage: Any
) -> None:
    consumer = world.fact_consumer(world.inbox())
    running(world.relay())
    running(consumer)
    await world.write(world.facts(20))
    await until(lambda: _at(world, 20))
    async with outage(world.bus_url):
        await world.write(world.facts(20))
        await until(lambda: _is(consumer.report.state == ConsumerState.WAITING))
    await until(lambda: _at(world, 40))
    await until(lambda: _no_lag(world))


async def test_the_bus_away_at_the_start_is_waited_out(
    world: Any, until: Any, running: Any, outage: Any
) -> None:
    await world.write(world.facts(5))
    await world.relay().turn()
    async with outage(world.bus_url):
        consumer = world.fact_consumer(world.inbox())
        running(consumer)
        await until(lambda: _is(consumer.report.state == ConsumerState.WAITING))
    await until(lambda: _at(world, 5))


async def test_a_broker_that_lost_messages_is_healed_by_publishing_again(
    world: Any, until: Any, running: Any
) -> None:
    """Positions 11–20 never came over the bus: a gap; republished, they are applied."""
    relay = world.relay()
    await world.write(world.facts(10, keys=1))
    await relay.turn()
    await world.write(world.facts(10, keys=1))
    lost = await relay.take([])
    assert await relay.take(lost) == [], "marked sent, and the broker forgot it"
    await world.write(world.facts(10, keys=1))
    await relay.turn()
    consumer = world.fact_consumer(world.inbox())
    running(consumer)
    await until(lambda: _at(world, 20))
    async with world.consumer.read() as conn:
        (gap,) = (await consumer.inbox.status(conn)).gaps
    assert (gap.first_position, gap.last_position) == (11, 20)
    async with world.producer.transaction() as conn:
        span = (gap.partition, gap.first_position, gap.last_position)
        assert (await outbox_again.republish(conn, positions=span)).blocks == 1
    await relay.turn()
    await until(lambda: _at(world, 30))
    assert await world.rows("SELECT * FROM inbox_gaps") == []
    assert await world.value("SELECT sum(fen) FROM effects") == sum(range(1, 31))


async def test_dead_letters_of_unknown_types_do_not_hold_up_the_rest(
    world: Any, until: Any, running: Any
) -> None:
    running(world.fact_consumer(world.inbox()))
    good, bad = world.messages(world.facts(4)), world.messages(world.facts(1), 5)
    bad = [type(bad[0])(*("x", "no.such.v1", "tax-feed", "k", 5, "t", None, b"{}"))]
    await world.bus.publish(world.topic, {1: [*good, *bad, *world.messages(world.facts(2), 6)]})
    await until(lambda: _at(world, 6))
    assert await world.value("SELECT count(*) FROM dead_letters") == 1


async def _at(world: Any, count: int) -> bool:
    found = await _count(world)
    assert found <= count, "an effect too many"
    return found == count


async def _no_lag(world: Any) -> bool:
    return not any((await world.bus.lag("reporting", [world.topic])).values())


async def _is(condition: bool) -> bool:
    return condition
