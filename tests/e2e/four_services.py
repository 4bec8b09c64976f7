"""The four services with all their workers in this process, over a bus of choice: what the
all-in-one is, with a clock that stands still and settings of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from kuomian.all_in_one import Dispatcher
from kuomian.services import all_services
from shared.application import build_runtime, create_app
from shared.auth import Issuer
from shared.clock import FixedClock
from shared.migrate import upgrade
from shared.settings import Settings
from shared.spans import traced
from tests.conftest import PostgresForTests

KEY = SecretStr("1:" + "A" * 43 + "=")
BOUND_SECONDS = 60


@asynccontextmanager
async def four_services(
    postgres: PostgresForTests, folder: Path, clock: FixedClock, **given: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """Gives a caller without a token; ``given`` are settings, the embedded bus by default."""
    common = {
        "bus": "postgres",
        "bus_database_url": SecretStr(postgres.fresh_database()),
        "data_keys": KEY,
        "hash_keys": KEY,
        "judge_workers": 0,
        "topic_partitions": 2,
        "data_dir": folder,
        "public_url": "http://city.test",
        **given,
    }
    apps = {}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(traced(Settings(**common)))
        for service in all_services():
            url = postgres.fresh_database()
            await upgrade(url, service.migrations)
            settings = Settings(database_url=SecretStr(url), **common)
            apps[service.name] = create_app(service, build_runtime(service, settings, clock=clock))
            await stack.enter_async_context(
                apps[service.name].router.lifespan_context(apps[service.name])
            )
        transport = httpx.ASGITransport(Dispatcher(apps, "reporting"), raise_app_exceptions=False)
        yield await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://city.test", timeout=30)
        )


def bearer(folder: Path, department: str, units: list[str] | None = None) -> dict[str, str]:
    """The headers of a caller of the department."""
    return {"Authorization": f"Bearer {Issuer(folder).token('somebody', department, units)}"}


async def until(found: Callable[[], Awaitable[Any]]) -> Any:
    """The first answer that is not empty."""
    async with asyncio.timeout(BOUND_SECONDS):
        while not (answer := await found()):  # noqa: ASYNC110 - asks another system
            await asyncio.sleep(0.05)
    return answer
