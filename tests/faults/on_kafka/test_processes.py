"""Processes die, are stopped and stand still in the middle of their work."""

import asyncio

import pytest

from tests.faults.conftest import Faults
from tests.faults.on_kafka.system import GROUPS, System

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

ROLES = ("api", "relay", "consumer")


async def test_every_role_is_killed(system: System, faults: Faults) -> None:
    # One consumer of each group: its twin takes over meanwhile.
    killed = {role: [n for n in system.named(role) if not n.endswith("-2")] for role in ROLES}
    waiting = [name for names in killed.values() for name in names]
    system.random.shuffle(waiting)
    async for _ in system.moments(system.portion(1), len(waiting)):
        name = waiting.pop()
        system.running.kill(name)
        system.running.start(name)
    assert waiting == []
    held = await system.adds_up()
    for role, names in killed.items():
        faults.survived(f"each {role}", "SIGKILL during load", times=len(names), held=held)


async def test_consumer_groups_read_all_again(system: System, faults: Faults) -> None:
    await system.adds_up()
    consumers = system.named("consumer")
    stopped = await asyncio.to_thread(system.running.stop, *consumers)
    assert set(stopped.values()) == {0}
    partitions = [await system.to_the_beginning(group) for group in GROUPS]
    heads = {group: await system.heads_heard_by(group) for group in GROUPS}
    for name in consumers:
        system.running.start(name)
    await asyncio.to_thread(system.running.wait_until_ready)
    for group, known in heads.items():
        await system.until_dropped(group, known)
        # Reporting reminds and chases on: what was published meanwhile is new to everybody.
        applied = await system.outcomes(group, "applied")
        assert applied <= await system.heads_heard_by(group) - known
    held = await system.adds_up()
    faults.survived(
        "consumer groups",
        f"set back to the beginning, {sum(partitions)} partitions",
        times=len(partitions),
        held=f"{sum(heads.values()):,} facts dropped as known; {held}",
    )


async def test_a_consumer_stands_still(system: System, faults: Faults) -> None:
    """Longer than its session lasts: then it goes on with what it had in hand, as if nothing had
    happened, while another has its partitions."""
    await system.adds_up()
    name, group = "reporting-consumer-1", "reporting"
    await system.until_members(group, 2)
    portion = system.portion(1)
    before = system.pushed
    loading = system.load(portion)
    await system.answered(before + len(portion) // 2, loading)
    system.running.suspend(name)
    try:
        await system.until_members(group, 1)
        await loading
    finally:
        system.running.resume(name)
    held = await system.adds_up()
    await system.until_members(group, 2)
    faults.survived(name, "SIGSTOP beyond its session", times=1, held=held)
