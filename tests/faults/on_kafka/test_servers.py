"""The broker and the database die, are away, come back, and come back empty."""

import asyncio
import time

import pytest

from tests.faults.conftest import Faults
from tests.faults.on_kafka.system import System

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

# As long as it takes all clients to notice, lose their sessions and begin to wait. A minute, done
# by hand, shows nothing more.
AWAY_SECONDS = 12.0


async def test_postgres_is_killed(system: System, faults: Faults) -> None:
    kills = 2
    async for _ in system.moments(system.portion(1), kills):
        await asyncio.to_thread(system.running.kill, "postgres")
        await asyncio.to_thread(system.running.start, "postgres")
    held = await system.adds_up()
    faults.survived("PostgreSQL", "SIGKILL during load", times=kills, held=held)


async def test_the_broker_is_killed(system: System, faults: Faults) -> None:
    async for _ in system.moments(system.portion(1), 1):
        await asyncio.to_thread(system.running.kill, "kafka")
        await asyncio.to_thread(system.running.start, "kafka")
    held = await system.adds_up()
    faults.survived("broker", "SIGKILL during load", times=1, held=held)


async def test_the_broker_is_away_while_departments_push(system: System, faults: Faults) -> None:
    await system.adds_up()
    await asyncio.to_thread(system.running.kill, "kafka")
    began = time.monotonic()
    # Every push is answered with its receipt while nothing can be sent.
    pushed = system.portion(1)
    await system.load(pushed)
    first = await system.unsent()
    await system.load(system.portion(1))
    second = await system.unsent()
    assert 0 < first < second
    for name in system.named("consumer"):
        await system.until_it_says(name, "waiting", "bus away")
    trust = await system.auditor.get("/reporting/v1/trust")
    [way] = [reason for reason in trust["reasons"] if reason["code"] == "facts-on-the-way"]
    assert way["count"] == second
    assert trust["verdict"] != "yes"
    oldest = max(line["oldest_unsent_seconds"] for line in trust["producers"])
    assert oldest > 0
    # The departments are done; what waits has to outlast the clients' own patience as well.
    await asyncio.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - began)))
    assert await system.unsent() == second
    await asyncio.to_thread(system.running.start, "kafka")
    held = await system.adds_up()
    for name in system.named("consumer"):
        await system.until_it_says(name, "running")
    faults.survived(
        "broker",
        f"away for {AWAY_SECONDS:g} s while departments push",
        times=1,
        held=f"{second:,} facts waited; {held}",
    )


async def test_a_topic_is_deleted_and_rebuilt(system: System, faults: Faults) -> None:
    await system.adds_up()
    topics = ["tax-feed.events", "enrollment.events"]
    blocks = 0
    for topic in topics:
        producer = topic.removesuffix(".events")
        await system.delete_topic(topic)
        answer = await system.api.send(
            "POST", f"/{producer}/v1/outbox/republish", {"since": "2000-01-01T00:00:00Z"}
        )
        blocks += answer["blocks"]
    await system.load(system.portion(1))
    held = await system.adds_up()
    facts = [await system.kept(topic) for topic in topics]
    heads = [await system.head(topic.removesuffix(".events")) for topic in topics]
    assert facts == heads
    faults.survived(
        "broker",
        "topics deleted and rebuilt from the outbox",
        times=len(topics),
        held=f"{blocks} blocks, {sum(facts):,} facts again; {held}",
    )
