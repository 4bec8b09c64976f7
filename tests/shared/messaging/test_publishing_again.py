"""Published again: old positions, fresh facts first wherever order permits, intake going on."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared import outbox, outbox_again
from shared.bus import partition_of

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


async def order(world: Any, **which: Any) -> outbox_again.Ordered:
    async with world.producer.transaction() as conn:
        found: outbox_again.Ordered = await outbox_again.republish(conn, **which)
        return found


async def waiting(world: Any) -> outbox_again.Republishing | None:
    async with world.producer.read() as conn:
        found: outbox_again.Republishing | None = await outbox_again.republishing(conn)
        return found


async def positions(world: Any) -> list[int]:
    """As they came on the bus; all facts of the test have one key."""
    (messages,) = (await world.on_the_bus()).values()
    return [message.position for message in messages]


async def sent(world: Any, blocks: int, facts: int = 3) -> int:
    """Write and send blocks of one key; returns its partition."""
    for _ in range(blocks):
        await world.write(world.facts(facts, keys=1))
    await world.relay().turn()
    return partition_of("oc:0", world.partitions)


async def test_it_must_be_said_what(world: Any) -> None:
    with pytest.raises(ValueError, match="which blocks"):
        await order(world)


async def test_a_gap_is_sent_again_in_whole_blocks_under_its_positions(world: Any) -> None:
    partition = await sent(world, 4)
    assert await order(world, positions=(partition, 6, 7)) == outbox_again.Ordered(2, 6, 0)
    assert (await order(world, positions=(partition + 1, 1, 99))).blocks == 0
    assert await world.relay().turn() == 6
    assert await positions(world) == [*range(1, 13), *range(4, 10)]


async def test_fresh_facts_go_before_a_gap_and_before_what_all_have_had(world: Any) -> None:
    partition = await sent(world, 4)
    orders: tuple[dict[str, Any], ...] = ({"positions": (partition, 1, 12)}, {"since": LONG_AGO})
    for which in orders:
        before = len(await positions(world))
        if "since" in which:
            which["had"] = {partition: max(await positions(world))}
        assert (await order(world, **which)).first_blocks == 0
        await world.write(world.facts(1, keys=1))
        await world.relay().turn()
        fresh, *again = (await positions(world))[before:]
        assert fresh == max(await positions(world))
        assert again[:12] == list(range(1, 13))


async def test_what_a_receiver_may_lack_goes_before_fresh_facts(world: Any) -> None:
    """Else the fresh ones would come to it through a gap, and the older ones after them."""
    partition = await sent(world, 4)
    assert await order(world, since=LONG_AGO, had={partition: 7}) == outbox_again.Ordered(4, 12, 2)
    await world.write(world.facts(1, keys=1))
    await world.relay(facts_per_turn=3).turn()
    late = (await positions(world))[12:]
    assert sorted(late) == list(range(1, 14))
    assert [position for position in late if position > 6] == list(range(7, 14))

    assert (await order(world, since=LONG_AGO)).first_blocks == 5
    await world.write(world.facts(1, keys=1))
    await world.relay().turn()
    assert (await positions(world))[25:] == list(range(1, 15))


async def test_a_republish_of_much_does_not_hold_up_intake_nor_fresh_facts(world: Any) -> None:
    partition = await sent(world, 40)
    found = await order(world, since=LONG_AGO, had={partition: 120})
    assert (found.blocks, found.first_blocks) == (40, 0)
    relay = world.relay(facts_per_turn=12)
    blocks: list[outbox.Block] = []
    for fresh in range(121, 131):
        await world.write(world.facts(1, keys=1))
        blocks = await relay.take(blocks)
        await relay.publish(blocks)
        # The fact written just now is on the bus, and so is another piece of the old.
        assert fresh in await positions(world)
        told = await waiting(world)
        assert told is not None and (told.blocks, told.facts) == (40, 120)
        assert told.waiting_blocks <= 40 - 3 * (fresh - 121)
    await relay.take(blocks, 0)
    await relay.turn()
    assert await waiting(world) is None
    assert sorted((await positions(world))[120:]) == sorted([*range(1, 121), *range(121, 131)])


async def test_a_constant_stream_of_fresh_facts_does_not_starve_the_rest(world: Any) -> None:
    partition = await sent(world, 4)
    await order(world, positions=(partition, 1, 12))
    relay = world.relay(facts_per_turn=4)
    blocks: list[outbox.Block] = []
    for _ in range(12):
        await world.write(world.facts(4, keys=1))
        blocks = await relay.take(blocks)
        await relay.publish(blocks)
    assert await waiting(world) is None


async def test_a_relay_that_dies_leaves_it_to_the_next(world: Any) -> None:
    partition = await sent(world, 3)
    await order(world, positions=(partition, 1, 9))
    await world.relay().take([])  # and dies before it publishes
    told = await waiting(world)
    assert told is not None and told.waiting_facts == 9
    assert await world.relay().turn() == 9


async def test_what_waits_to_be_sent_again_is_not_pruned_and_not_old(world: Any) -> None:
    partition = await sent(world, 2)
    await order(world, positions=(partition, 1, 3))
    async with world.producer.transaction() as conn:
        assert await outbox.prune(conn, timedelta(0)) == 1
    await order(world, since=LONG_AGO)
    async with world.producer.read() as conn:
        status = await outbox.status(conn)
    assert (status.unsent_blocks, status.oldest_unsent_seconds or 0) < (2, 3600.0)
    assert await world.relay().turn() == 3


async def test_receivers_come_out_even_with_intake_going_on(
    world: Any, until: Any, running: Any
) -> None:
    """Everything twice, half of it while new facts are written: each has its effect once."""
    running(world.fact_consumer(world.inbox()))
    stop = asyncio.Event()
    relaying = asyncio.create_task(world.relay(facts_per_turn=20, wake_seconds=0.1).run(stop))
    try:
        for _ in range(20):
            await world.write(world.facts(5))
        await until(lambda: _applied(world, 100))
        had = {
            row.partition: row.position
            for row in await world.rows("SELECT partition, position FROM inbox_marks")
        }
        assert (await order(world, since=LONG_AGO, had=had)).first_blocks == 0
        for _ in range(20):
            await world.write(world.facts(5))
        await until(lambda: _applied(world, 200))
        await until(lambda: _nothing_waits(world))
    finally:
        stop.set()
        await relaying
    assert await world.rows("SELECT * FROM inbox_gaps") == []
    assert await world.value("SELECT sum(fen) FROM effects") == sum(range(1, 201))


async def _applied(world: Any, facts: int) -> bool:
    return bool(await world.value("SELECT count(*) FROM effects") == facts)


async def _nothing_waits(world: Any) -> bool:
    return await waiting(world) is None
