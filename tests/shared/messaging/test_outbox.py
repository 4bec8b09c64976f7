"""The outbox: facts with the state, in order, not yet sent, kept, published again."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from shared import outbox, outbox_again
from shared.events import decode
from shared.events.deliveries import RegistrationFeedDeliveryReceived
from shared.telemetry import tracing


async def test_what_is_rolled_back_was_never_written(world: Any) -> None:
    class Refused(Exception):
        pass

    with pytest.raises(Refused):
        async with world.producer.transaction() as conn:
            await world.outbox.write(conn, world.facts(3))
            raise Refused
    assert await world.relay().turn() == 0
    assert await world.on_the_bus() == {}


async def test_writing_nothing_leaves_no_block(world: Any) -> None:
    await world.write([])
    assert await world.value("SELECT count(*) FROM outbox_blocks", world.producer) == 0


async def test_a_fact_of_another_producer_is_refused(world: Any) -> None:
    stranger = RegistrationFeedDeliveryReceived(
        key="business-licences",
        subject="delivery:1",
        revision=1,
        recorded_at=world.fact().recorded_at,
        feed="business-licences",
        department="industry-commerce",
        period="2008-05",
        received_at=world.fact().recorded_at,
        body_sha256="00",
        sent_count=0,
        applied_count=0,
        duplicate_count=0,
        rejected_count=0,
        held_count=0,
    )
    with pytest.raises(ValueError, match="is not a fact of tax-feed"):
        await world.write([stranger])


async def test_facts_arrive_whole_with_gapless_positions_in_order_of_writing(world: Any) -> None:
    facts = [world.fact(f"oc:{no % 7}", receipt_no=f"缴款书-{no}-𠮷") for no in range(50)]
    await world.write(facts[:30])
    await world.write(facts[30:])
    assert await world.relay().turn() == 50
    on_the_bus = await world.on_the_bus()
    for messages in on_the_bus.values():
        assert [m.position for m in messages] == list(range(1, len(messages) + 1))
        assert all(m.time == "2008-06-10T04:00:00Z" for m in messages)
        assert all(m.source == "tax-feed" for m in messages)
    for key in {fact.key for fact in facts}:
        arrived = [
            decode(m.type, m.data)
            for messages in on_the_bus.values()
            for m in messages
            if m.key == key
        ]
        assert arrived == [fact for fact in facts if fact.key == key]


async def test_a_long_write_becomes_several_blocks(world: Any) -> None:
    await world.write(world.facts(outbox.BLOCK_FACTS + 1))
    counts = await world.rows("SELECT fact_count FROM outbox_blocks ORDER BY id", world.producer)
    assert [row.fact_count for row in counts] == [outbox.BLOCK_FACTS, 1]
    assert await world.relay(facts_per_turn=100).turn() == outbox.BLOCK_FACTS + 1


async def test_a_block_with_a_lower_id_that_commits_later_is_taken(world: Any) -> None:
    """The trap of sequences: numbers are given out before the commit."""
    written, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with world.producer.transaction() as conn:
            await world.outbox.write(conn, world.facts(4))
            written.set()
            await go_on.wait()

    task = asyncio.create_task(slow())
    await written.wait()
    await world.write(world.facts(5))
    relay = world.relay()
    assert await relay.turn() == 5
    go_on.set()
    await task
    ids = await world.rows("SELECT id, sent_at FROM outbox_blocks ORDER BY id", world.producer)
    assert ids[0].sent_at is None and ids[1].sent_at is not None, "the trap was not set"
    assert await relay.turn() == 4
    for messages in (await world.on_the_bus()).values():
        assert [m.position for m in messages] == list(range(1, len(messages) + 1))


async def test_a_placed_block_goes_before_one_with_a_lower_id(world: Any) -> None:
    """Else its positions would come after higher ones, and receivers would drop them."""
    written, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with world.producer.transaction() as conn:
            await world.outbox.write(conn, world.facts(4, keys=1))
            written.set()
            await go_on.wait()

    task = asyncio.create_task(slow())
    await written.wait()
    await world.write(world.facts(5, keys=1))
    placed = await world.relay().take([])  # and dies before it publishes
    go_on.set()
    await task
    again = await world.relay().take([])
    assert [block.id for block in again] == [block.id for block in placed]
    await world.relay().turn()
    (messages,) = (await world.on_the_bus()).values()
    assert [m.position for m in messages] == list(range(1, 10))


async def test_the_trace_travels_and_defaults_to_the_running_one(world: Any) -> None:
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await world.write([world.fact("a")], given)
    with tracing(None) as trace:
        await world.write([world.fact("a")])
    await world.relay().turn()
    (messages,) = (await world.on_the_bus()).values()
    assert [m.traceparent for m in messages] == [given, trace.traceparent]


async def test_status_tells_what_waits_and_the_heads(world: Any) -> None:
    async with world.producer.read() as conn:
        empty = await outbox.status(conn)
    assert (empty.unsent_blocks, empty.unsent_facts, empty.oldest_unsent_seconds) == (0, 0, None)
    await world.write(world.facts(12))
    await world.relay().turn()
    await world.write(world.facts(3))
    async with world.producer.read() as conn:
        status = await outbox.status(conn)
    assert (status.unsent_blocks, status.unsent_facts) == (1, 3)
    assert status.oldest_unsent_seconds is not None
    assert 0 <= status.oldest_unsent_seconds < 60
    assert status.unplaced_facts == 3
    assert sum(status.heads.values()) == 12


async def test_status_counts_no_fact_twice(world: Any) -> None:
    """Heads and unplaced facts are all there are, also of those placed and not sent, or to be
    sent once more."""
    await world.write(world.facts(12))
    await world.relay().turn()
    await world.write(world.facts(3))
    async with world.producer.transaction() as conn:
        assert len(await outbox.take(conn, [], 100)) == 1  # and the relay dies
        await outbox_again.republish(conn, since=datetime(2000, 1, 1, tzinfo=UTC))
        status = await outbox.status(conn)
    assert (status.unsent_facts, status.unplaced_facts) == (15, 0)
    assert sum(status.heads.values()) == 15


async def test_no_age_is_negative_after_the_clock_was_set_back(world: Any) -> None:
    await world.write(world.facts(1))
    async with world.producer.transaction() as conn:
        ahead = "UPDATE outbox_blocks SET created_at = clock_timestamp() + interval '1 day'"
        await conn.execute(text(ahead))
        assert (await outbox.status(conn)).oldest_unsent_seconds == 0


async def test_only_sent_blocks_of_long_ago_are_pruned(world: Any) -> None:
    for _ in range(3):
        await world.write(world.facts(2))
    await world.relay().turn()
    await world.write(world.facts(2))
    async with world.producer.transaction() as conn:
        assert await outbox.prune(conn) == 0
        assert await outbox.prune(conn, timedelta(0), limit=2) == 2
        assert await outbox.prune(conn, timedelta(0)) == 1
        assert await outbox.prune(conn, timedelta(0)) == 0
    assert await world.relay().turn() == 2, "what was not sent stays, and its number is free"
