"""What a process does for a service: answer requests and judge deliveries (``api``), send facts
(``relay``), apply facts (``consumer``)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Final

from shared.runtime import Runtime
from shared.workers import run_consumers, run_deliveries, run_relay

ALL_ROLES: Final = ("api", "relay", "consumer")
_WORKERS: Final = {"api": run_deliveries, "relay": run_relay, "consumer": run_consumers}
STOP_SECONDS: Final = 30.0


@asynccontextmanager
async def run_workers(runtime: Runtime, roles: Collection[str]) -> AsyncIterator[None]:
    """Run the workers of these roles while the block lasts; then let each finish its batch,
    for at most half a minute."""
    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(work(runtime, stop), name=f"{runtime.service.name}-{role}")
        for role, work in _WORKERS.items()
        if role in roles
    ]
    try:
        yield
    finally:
        stop.set()
        _, unfinished = await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
