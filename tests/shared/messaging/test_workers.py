"""Workers of declared services: started, supervised, stopped; together in one process."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.application import build_runtime
from shared.bus import BusError
from shared.bus.postgres import PostgresBus
from shared.consumers import ConsumerState
from shared.database import DatabaseAway
from shared.inbox import FactBatch, inbox_tables
from shared.outbox import outbox_tables
from shared.runtime import Runtime
from shared.service import Job, Service, Subscription
from shared.settings import load_settings
from shared.workers import ROLES, Role, Workers, connect, working

KEY = "1:" + base64.b64encode(bytes(32)).decode()


def declared(name: str, *subscriptions: Subscription) -> Service:
    metadata = sa.MetaData()
    outbox_tables(metadata)
    inbox_tables(metadata)
    return Service(
        name=name,
        title_zh="试",
        title_en="trial",
        metadata=metadata,
        migrations=Path("none"),
        subscriptions=subscriptions,
    )


@pytest.fixture
async def made(world: Any) -> AsyncIterator[Callable[..., Runtime]]:
    """Runtimes on the world's databases and on one bus, as in the all-in-one."""
    bus = PostgresBus(world.bus_url, poll_seconds=0.2)
    runtimes: list[Runtime] = []

    def make(service: Service, url: str, **settings: Any) -> Runtime:
        given = {
            "database_url": url,
            "bus_database_url": world.bus_url,
            "topic_partitions": world.partitions,
            "data_keys": KEY,
            "hash_keys": KEY,
        }
        runtime = build_runtime(service, load_settings(**(given | settings)), bus=bus)
        runtimes.append(runtime)
        return runtime

    yield make
    for runtime in runtimes:
        await runtime.database.close()
    await bus.close()


async def test_services_in_one_process_share_a_bus_and_pass_facts(
    world: Any, made: Any, until: Any, plain_effect: Any
) -> None:
    async def handler(conn: AsyncConnection, runtime: Runtime, batch: FactBatch) -> None:
        assert runtime.service.name == "reporting"
        await plain_effect(conn, batch)

    producer = made(declared("tax-feed"), world.producer_url)
    reporting = declared("reporting", Subscription("tax-feed", handler))
    consumer = made(reporting, world.consumer_url)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(working(producer))
        workers = await stack.enter_async_context(working(consumer))
        async with producer.database.transaction() as conn:
            await producer.outbox.write(conn, world.facts(9))
        await until(lambda: _effects(world, 9))
        assert workers.consumers is not None
        await until(lambda: _is(workers.consumers.state == ConsumerState.RUNNING))
    assert workers.consumers.state == ConsumerState.ENDED
    assert workers.restarts == {}


async def test_only_the_roles_asked_for_and_of_use_are_started(world: Any, made: Any) -> None:
    bare = Service("bare", "空", "bare", sa.MetaData(), Path("none"))
    none: tuple[Role, ...] = ()
    for service, roles, expected in [
        (bare, ROLES, []),
        (declared("tax-feed"), ROLES, ["tax-feed-relay"]),
        (declared("tax-feed"), none, []),
    ]:
        workers = Workers(made(service, world.producer_url))
        workers.start(roles)
        assert [task.get_name() for task in workers._tasks] == expected
        await workers.close()


async def test_a_job_is_done_again_and_again_where_the_relay_is(
    world: Any, made: Any, until: Any
) -> None:
    done: list[str] = []

    async def work(runtime: Runtime) -> None:
        done.append(runtime.service.name)
        if len(done) == 2:
            raise DatabaseAway("for a moment")
        if len(done) == 4:
            raise RuntimeError("a fault of ours")

    service = replace(declared("tax-feed"), jobs=(Job("counting", 0.01, work),))
    async with working(made(service, world.producer_url), ("consumers", "deliveries")):
        pass
    assert done == []
    async with working(made(service, world.producer_url), ("relay",)) as workers:
        await until(lambda: _is(len(done) >= 6))
    assert workers.restarts == {"counting": 1}


async def test_a_crash_is_counted_and_the_worker_started_again(
    world: Any, made: Any, until: Any, plain_effect: Any
) -> None:
    """The relay finds its tables missing, which is no passing trouble of the connection."""
    runtime = made(declared("tax-feed"), world.producer_url)
    async with runtime.database.transaction() as conn:
        await conn.execute(sa.text("ALTER TABLE outbox_heads RENAME TO elsewhere"))
    async with working(runtime) as workers:
        await until(lambda: _is(workers.restarts.get("relay", 0) >= 1))
        async with runtime.database.transaction() as conn:
            await conn.execute(sa.text("ALTER TABLE elsewhere RENAME TO outbox_heads"))
            await runtime.outbox.write(conn, world.facts(4))
        await until(lambda: _sent(world, 4))


async def test_what_does_not_end_within_the_grace_is_cancelled(
    world: Any, made: Any, until: Any
) -> None:
    begun = asyncio.Event()

    async def endless(conn: AsyncConnection, runtime: Runtime, batch: FactBatch) -> None:
        begun.set()
        await asyncio.Event().wait()

    service = declared("reporting", Subscription("tax-feed", endless))
    workers = Workers(made(service, world.consumer_url))
    workers.start()
    await world.write(world.facts(1))
    await world.relay().turn()
    await asyncio.wait_for(begun.wait(), 30)
    await asyncio.wait_for(workers.close(grace_seconds=0.2), 10)
    assert await world.rows("SELECT * FROM inbox_marks") == []


async def test_the_bus_away_does_not_keep_a_service_from_starting_or_stopping(
    world: Any, made: Any, until: Any, outage: Any
) -> None:
    await world.bus.close()
    runtime = made(declared("tax-feed"), world.producer_url)
    async with outage(world.bus_url):
        async with working(runtime), runtime.database.transaction() as conn:
            await runtime.outbox.write(conn, world.facts(3))
        workers = Workers(runtime)
        workers.start()
    await world.bus.start()
    await until(lambda: _sent(world, 3))
    await workers.close()


async def test_fewer_partitions_than_the_topic_has_is_an_error(world: Any, made: Any) -> None:
    runtime = made(declared("tax-feed"), world.producer_url, topic_partitions=1)
    with pytest.raises(BusError, match="partitions"):
        await connect(runtime, asyncio.Event())


async def _effects(world: Any, count: int) -> bool:
    return bool(await world.value("SELECT count(*) FROM effects") == count)


async def _sent(world: Any, count: int) -> bool:
    return bool(sum((await world.bus.ends(world.topic)).values()) == count)


async def _is(condition: bool) -> bool:
    return condition
