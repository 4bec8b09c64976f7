"""The relay: dying anywhere, running twice, losing its lock, its database, its bus."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shared.bus import Message
from shared.database import plain_url

ROOT = Path(__file__).parents[3]


def first_seen(messages: Sequence[Message]) -> list[int]:
    """Positions in the order they first appear: what a receiver applies."""
    return list(dict.fromkeys(message.position for message in messages))


def never_ahead(messages: Sequence[Message]) -> bool:
    """Whether every position comes after all lower ones: nothing can be dropped by mistake."""
    seen = first_seen(messages)
    return seen == list(range(1, len(seen) + 1))


async def test_dying_before_publishing_sends_the_same_under_the_same_positions(world: Any) -> None:
    await world.write(world.facts(20))
    dead, heir = world.relay(), world.relay()
    placed = await dead.take([])
    await world.write(world.facts(20))
    assert await heir.turn() == 40
    on_the_bus = await world.on_the_bus()
    for block in placed:
        for partition, messages in block.messages().items():
            assert on_the_bus[partition][: len(messages)] == messages
    assert sum(map(len, on_the_bus.values())) == 40


async def test_dying_between_publish_and_mark_resends_with_equal_positions(world: Any) -> None:
    await world.write(world.facts(20))
    dead = world.relay()
    await dead.publish(await dead.take([]))
    await world.write(world.facts(10))
    assert await world.relay().turn() == 30, "the first block is sent once more"
    on_the_bus = await world.on_the_bus()
    for messages in on_the_bus.values():
        assert never_ahead(messages)
        by_position: dict[int, set[str]] = {}
        for message in messages:
            by_position.setdefault(message.position, set()).add(message.id)
        assert all(len(ids) == 1 for ids in by_position.values())
    assert sum(map(len, on_the_bus.values())) == 50


@pytest.mark.parametrize("seed", range(5))
async def test_relays_without_a_lock_interleave_harmlessly(world: Any, seed: int) -> None:
    """The zombie's worst case: three relays step by step in any order, dying now and then."""
    chance = random.Random(seed)
    written = 0
    hands: dict[int, tuple[str, list[Any]]] = {no: ("idle", []) for no in range(3)}
    relays = {no: world.relay(facts_per_turn=chance.choice([1, 6, 20])) for no in hands}
    for _ in range(80):
        if chance.random() < 0.3:
            count = chance.randint(1, 9)
            written += count
            await world.write(world.facts(count))
        no = chance.randrange(3)
        state, blocks = hands[no]
        if chance.random() < 0.1:
            hands[no] = ("idle", [])  # killed, and started again
        elif state == "taken":
            await relays[no].publish(blocks)
            hands[no] = ("sent", blocks)
        else:
            blocks = await relays[no].take(blocks if state == "sent" else [])
            hands[no] = ("taken", blocks) if blocks else ("idle", [])
    await world.relay().turn()
    for state, blocks in hands.values():
        if state == "taken":  # a zombie wakes up at last
            await world.relay().publish(blocks)
    on_the_bus = await world.on_the_bus()
    assert all(never_ahead(messages) for messages in on_the_bus.values())
    assert sum(len(first_seen(messages)) for messages in on_the_bus.values()) == written


async def test_relays_taking_at_the_same_moment_take_the_same(world: Any) -> None:
    for _ in range(6):
        await world.write(world.facts(5))
    relays = [world.relay(facts_per_turn=10) for _ in range(5)]
    taken = await asyncio.gather(*(relay.take([]) for relay in relays))
    same = [[(b.id, b.first_positions, b.payload) for b in blocks] for blocks in taken]
    assert all(blocks == same[0] for blocks in same)
    assert len(taken[0]) == 2


async def test_one_relay_leads_and_the_next_takes_over_when_its_line_is_cut(
    world: Any, until: Any, running: Any
) -> None:
    first, second = world.relay(wake_seconds=0.1), world.relay(wake_seconds=0.1)
    running(first)
    await until(lambda: _is(first.leading))
    running(second)
    await world.write(world.facts(5))
    await until(lambda: _is(first.sent_facts == 5))
    assert not second.leading and second.sent_facts == 0
    cut = (
        "SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks l JOIN pg_database d"
        " ON d.oid = l.database WHERE locktype = 'advisory' AND d.datname = current_database()"
    )
    with psycopg.connect(plain_url(world.producer_url), autocommit=True) as conn:
        assert conn.execute(cut).fetchone() == (1,)
    await until(lambda: _is(first.leading != second.leading))
    await world.write(world.facts(5))
    await until(lambda: _is(first.sent_facts + second.sent_facts == 10))
    assert all(never_ahead(messages) for messages in (await world.on_the_bus()).values())


async def test_a_write_wakes_the_relay_without_polling(
    world: Any, until: Any, running: Any
) -> None:
    relay = world.relay(wake_seconds=3600)
    running(relay)
    await until(lambda: _is(relay.leading))
    for round_no in range(1, 4):
        await world.write(world.facts(2))
        await until(lambda sent=2 * round_no: _is(relay.sent_facts == sent))


async def test_stopping_marks_what_was_sent(world: Any, until: Any) -> None:
    relay, stop = world.relay(), asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    await world.write(world.facts(2))
    await until(lambda: _is(relay.sent_facts == 2))
    stop.set()
    await asyncio.wait_for(task, 10)
    unsent = "SELECT count(*) FROM outbox_blocks WHERE sent_at IS NULL"
    assert await world.value(unsent, world.producer) == 0
    assert not relay.leading


@pytest.mark.parametrize("away", ["bus", "producer"])
async def test_bus_or_database_away_is_waited_out(
    world: Any, until: Any, running: Any, outage: Any, away: str
) -> None:
    relay = world.relay(wake_seconds=0.1)
    running(relay)
    await world.write(world.facts(3))
    await until(lambda: _is(relay.sent_facts == 3))
    url = world.bus_url if away == "bus" else world.producer_url
    if away == "bus":
        async with outage(url):
            await world.write(world.facts(4))
            await until(lambda: _is(_waits("relay") > 0))
    else:
        async with outage(url):
            await until(lambda: _is(not relay.leading))
        await world.write(world.facts(4))
    await until(lambda: _is(relay.sent_facts >= 7))
    await until(lambda: _counted(world, 7))


async def _counted(world: Any, count: int) -> bool:
    on_the_bus = await world.on_the_bus()
    assert all(never_ahead(messages) for messages in on_the_bus.values())
    return sum(len(first_seen(messages)) for messages in on_the_bus.values()) == count


async def test_killed_for_real_again_and_again_nothing_is_lost(world: Any, until: Any) -> None:
    """A relay process under SIGKILL at random moments, while facts are being written."""
    chance = random.Random(7)
    written = 0
    for _ in range(5):
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _RELAY_PROGRAM,
            world.producer_url,
            world.bus_url,
            str(world.partitions),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert child.stdout is not None
        assert await asyncio.wait_for(child.stdout.readline(), 30) == b"ready\n"
        sent_before = sum((await world.bus.ends(world.topic)).values())
        for _ in range(chance.randint(3, 12)):
            await world.write(world.facts(40))
            written += 40
        await until(lambda sent=sent_before: _more_than(world, sent))
        child.send_signal(signal.SIGKILL)
        await child.wait()
    await world.relay().turn()
    on_the_bus = await world.on_the_bus()
    assert all(never_ahead(messages) for messages in on_the_bus.values())
    assert sum(len(first_seen(messages)) for messages in on_the_bus.values()) == written


async def _more_than(world: Any, sent: int) -> bool:
    return bool(sum((await world.bus.ends(world.topic)).values()) > sent)


_RELAY_PROGRAM = """
import asyncio, sys
from shared.bus.postgres import PostgresBus
from shared.database import Database
from shared.outbox import Outbox
from shared.relay import Relay

async def main(database_url, bus_url, partitions):
    bus = PostgresBus(bus_url)
    await bus.start()
    relay = Relay(
        Database(database_url), bus, Outbox("tax-feed", int(partitions)),
        facts_per_turn=100, wake_seconds=0.05,
    )
    print("ready", flush=True)
    await relay.run(asyncio.Event())

asyncio.run(main(*sys.argv[1:]))
"""


def _waits(worker: str) -> float:
    from shared.metrics import WORKER_WAITS

    return float(WORKER_WAITS.labels("tax-feed", worker)._value.get())


async def _is(condition: bool) -> bool:
    return condition
