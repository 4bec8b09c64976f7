"""A gap is read again first: an offset may lead into the middle of a log that was made anew."""

from typing import Any

import pytest

from shared.bus import Message
from shared.consumers import PREFETCH_FROM


async def publish(world: Any, partition: int, first: int, count: int) -> list[Message]:
    messages: list[Message] = world.messages(world.facts(count), first)
    await world.bus.publish(world.topic, {partition: messages})
    return messages


async def remember(world: Any, offsets: dict[int, int]) -> None:
    """The group has offsets of a log that is no more; this one is longer already."""
    member = world.bus.consumer("reporting", [world.topic])
    await member.start()
    assert await member.commit({(world.topic, at): offset for at, offset in offsets.items()})
    await member.close()


async def positions(world: Any, partition: int) -> list[int]:
    """Those that took effect, in the order they did."""
    found = await world.rows(
        f"SELECT position FROM effects WHERE partition = {partition} ORDER BY no"
    )
    return [row.position for row in found]


async def no_lag(world: Any) -> bool:
    return not any((await world.bus.lag("reporting", [world.topic])).values())


async def test_who_begins_in_the_middle_of_a_log_reads_what_it_missed_in_order(
    world: Any, until: Any, running: Any
) -> None:
    for partition in range(3):
        messages = await publish(world, partition, 1, 60)
        await world.inbox().apply(world.batch(messages[:10], partition))
    await remember(world, {0: 25, 1: 40, 2: 5})
    consumer = world.fact_consumer(world.inbox())
    running(consumer)
    await until(lambda: no_lag(world))
    for partition in range(3):
        assert await positions(world, partition) == list(range(1, 61))
    assert await world.rows("SELECT * FROM inbox_gaps") == []
    total = consumer.report.total
    assert (total.applied, total.missing, consumer.report.rewound) == (150, 0, 2)


@pytest.mark.parametrize("batch_messages", [7, PREFETCH_FROM])
async def test_what_is_in_hand_and_fetched_ahead_is_dropped(
    world: Any, until: Any, running: Any, batch_messages: int
) -> None:
    messages = await publish(world, 0, 1, 3 * PREFETCH_FROM)
    await world.inbox().apply(world.batch(messages[:10]))
    await remember(world, {0: PREFETCH_FROM})
    consumer = world.fact_consumer(world.inbox(), batch_messages=batch_messages)
    running(consumer)
    await until(lambda: no_lag(world))
    assert await positions(world, 0) == list(range(1, 3 * PREFETCH_FROM + 1))
    assert await world.rows("SELECT * FROM inbox_gaps") == []
    assert (consumer.report.total.missing, consumer.report.rewound) == (0, 1)


async def test_a_true_gap_is_recorded_after_reading_again_once(
    world: Any, until: Any, running: Any
) -> None:
    await publish(world, 0, 1, 5)
    await publish(world, 0, 9, 12)
    await publish(world, 1, 1, 3)
    consumer = world.fact_consumer(world.inbox(), batch_messages=4)
    running(consumer)
    await until(lambda: no_lag(world))
    assert await positions(world, 0) == [*range(1, 6), *range(9, 21)]
    assert await positions(world, 1) == [1, 2, 3]
    assert (consumer.report.total.missing, consumer.report.rewound) == (3, 1)
    await publish(world, 0, 21, 2)
    await publish(world, 0, 31, 2)
    await until(lambda: no_lag(world))
    assert await positions(world, 0) == [*range(1, 6), *range(9, 23), 31, 32]
    assert (consumer.report.total.missing, consumer.report.rewound) == (11, 2)
    gaps = await world.rows("SELECT partition, first_position, last_position FROM inbox_gaps")
    assert sorted(map(tuple, gaps)) == [(0, 6, 8), (0, 23, 30)]


async def test_a_log_without_its_beginning_is_gone_over(
    world: Any, until: Any, running: Any
) -> None:
    """As when the bus keeps less than a new consumer would want."""
    await publish(world, 2, 1001, 10)
    consumer = world.fact_consumer(world.inbox())
    running(consumer)
    await until(lambda: no_lag(world))
    assert await positions(world, 2) == list(range(1001, 1011))
    assert (consumer.report.total.missing, consumer.report.rewound) == (1000, 1)


async def test_a_position_that_cannot_be_is_no_reason_to_read_again(
    world: Any, until: Any, running: Any
) -> None:
    await publish(world, 0, 1, 5)
    consumer = world.fact_consumer(world.inbox())
    running(consumer)
    await until(lambda: no_lag(world))
    await publish(world, 0, 10**12, 1)
    await until(lambda: no_lag(world))
    assert await world.value("SELECT count(*) FROM dead_letters") == 1
    assert (consumer.report.total.missing, consumer.report.rewound) == (0, 0)
