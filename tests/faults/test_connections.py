"""No connection to be had: others took all the server allows, or slow work holds the whole pool."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.conftest import PostgresForTests
from tests.faults.city_under_load import (
    OPENING,
    PORTION,
    CityUnderLoad,
    chance,
    city_under_load,
    embedded_bus,
    is_clear,
    migrated,
    more_receipts,
)
from tests.faults.conftest import Faults

ROUNDS = 2


@pytest.fixture(scope="module")
async def city(
    postgres: PostgresForTests, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CityUnderLoad]:
    urls = await migrated(postgres)
    folder: Path = tmp_path_factory.mktemp("connections")
    async with city_under_load(urls, folder, embedded_bus(urls)) as running:
        await running.push(OPENING)
        yield running


@contextmanager
def all_taken(url: str) -> Iterator[int]:
    """Take every connection the server has to give, the product's own too: they are cut, and
    whoever is quicker gets the place. Gives how many were taken."""
    taken: list[psycopg.Connection[tuple[object, ...]]] = []
    try:
        with psycopg.connect(url, autocommit=True) as admin:
            while _take(url, taken) or _cut(admin):
                pass
            yield len(taken)
    finally:
        for connection in taken:
            connection.close()


def _take(url: str, taken: list[psycopg.Connection[tuple[object, ...]]]) -> bool:
    before = len(taken)
    with suppress(psycopg.OperationalError):
        while True:
            taken.append(psycopg.connect(url))
    return len(taken) > before


def _cut(admin: psycopg.Connection[tuple[object, ...]]) -> bool:
    """Cut every session but the superuser's; whether there were any."""
    cut = admin.execute(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND usename <> current_user"
    ).fetchone()
    return cut is not None and cut != (0,)


async def test_the_server_has_none_left(
    city: CityUnderLoad, postgres: PostgresForTests, faults: Faults
) -> None:
    draw, receipts = chance("connections"), more_receipts(0, 20)
    counts = []
    for round_no in range(ROUNDS):
        pushing = city.pushing(PORTION // 2)
        await city.answered(draw.randint(2, 5), pushing)
        with all_taken(postgres.server.url()) as taken:
            counts.append(taken)
            refused = [await city.knock(receipts, f"none-{round_no}-{no}") for no in range(3)]
            async with city.client() as client:
                for service in city.runtimes:
                    live = await client.get(f"/{service}/health/live")
                    assert live.status_code == 200
                    ready = await client.get(f"/{service}/health/ready")
                    assert ready.status_code == 503
        assert all(is_clear(answer, "database-away") for answer in refused)
        await pushing
        for no in range(3):
            again = await city.knock(receipts, f"none-{round_no}-{no}")
            assert again.status_code == 202, again.text
    held = await city.settled()
    what = f"all {min(counts)} connections taken (53300)"
    faults.survived("postgresql", what, times=ROUNDS, held=held)


async def test_the_pool_has_none_left(city: CityUnderLoad, faults: Faults) -> None:
    """Slow work of others in the same process holds every connection of one service's pool."""
    receipts = more_receipts(1, 20)
    runtime = city.runtimes["tax-feed"]
    async with AsyncExitStack() as slow:
        for _ in range(runtime.settings.database_pool_size):
            await slow.enter_async_context(runtime.database.read())
        pushing = city.pushing(PORTION // 2)
        refused = await asyncio.gather(
            *(city.knock(receipts, f"crowd-{no}") for no in range(20)),
        )
        assert all(is_clear(answer, "database-away") for answer in refused)
        async with city.client() as client:
            answer = await client.get("/registration-feed/health/ready")
            assert answer.status_code == 200, "the others have pools of their own"
    taken = await asyncio.gather(*(city.knock(receipts, f"crowd-{no}") for no in range(20)))
    assert {answer.status_code for answer in taken} == {202}
    await pushing
    held = await city.settled()
    faults.survived("tax-feed", "own pool exhausted, 20 callers", times=1, held=held)
