"""A relay that lost its lock and does not know it yet sends what it had in hand, far too late."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kuomian.demo.drain import drained
from shared.bus import Bus, Message
from shared.relay import LOCK, Relay
from shared.runtime import Runtime
from tests.conftest import PostgresForTests
from tests.faults.city_under_load import (
    BOUND_SECONDS,
    OPENING,
    PORTION,
    CityUnderLoad,
    buses,
    city_under_load,
    migrated,
    until,
)
from tests.faults.conftest import Faults

OLD_ONES = ("tax-feed", "enrollment", "registration-feed")


class Held:
    """The way to a real bus that a test can close: who publishes stands before it."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.standing = asyncio.Event()
        self.open = asyncio.Event()
        self.sent: list[Message] = []

    async def publish(self, topic: str, messages: Mapping[int, Sequence[Message]]) -> None:
        self.standing.set()
        await self.open.wait()
        await self._bus.publish(topic, messages)
        self.sent += [one for batch in messages.values() for one in batch]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)


@asynccontextmanager
async def old_relays(city: CityUnderLoad, bus: Bus) -> AsyncIterator[list[tuple[Relay, Held]]]:
    """Relays of three services that took the lead from the application's own."""
    stop, running, old = asyncio.Event(), [], []
    await bus.start()
    try:
        for name in OLD_ONES:
            runtime, held = city.runtimes[name], Held(bus)
            relay = Relay(runtime.database, held, runtime.outbox, wake_seconds=0.02)
            running.append(asyncio.create_task(relay.run(stop)))
            async with asyncio.timeout(BOUND_SECONDS):
                while not relay.leading:
                    await cut_lock_line(runtime)
                    await asyncio.sleep(0.1)
            old.append((relay, held))
        yield old
    finally:
        stop.set()
        for _, held in old:
            held.open.set()
        await asyncio.gather(*running)
        await bus.close()


async def cut_lock_line(runtime: Runtime) -> None:
    """End the session that holds the relay's lock, as a network that drops it would."""
    async with runtime.database.transaction() as conn:
        await conn.execute(_CUT, {"high": LOCK >> 32, "low": LOCK & 0xFFFFFFFF})


_CUT = sa.text(
    "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
    " WHERE d.datname = current_database() AND l.locktype = 'advisory'"
    " AND l.classid = :high AND l.objid = :low AND l.granted"
)


def dropped(city: CityUnderLoad) -> int:
    """Facts the receivers have recognised as had, since they were started."""
    reports = [city.workers(name).consumers for name in ("enrollment", "reporting")]
    return sum(report.total.dropped for report in reports if report is not None)


@pytest.mark.parametrize(
    "kind", ["embedded", pytest.param("kafka", marks=[pytest.mark.kafka, pytest.mark.slow])]
)
async def test_what_it_sends_late_has_been_had(
    kind: str,
    postgres: PostgresForTests,
    tmp_path: Path,
    faults: Faults,
    request: pytest.FixtureRequest,
) -> None:
    urls = await migrated(postgres)
    new_bus = buses(kind, urls, request)
    late = 0
    async with city_under_load(urls, tmp_path, new_bus()) as city:
        await city.push(OPENING)
        async with old_relays(city, new_bus()) as old:
            pushing = city.pushing(PORTION)
            for relay, held in old:
                async with asyncio.timeout(BOUND_SECONDS):
                    await held.standing.wait()
                await cut_lock_line(city.runtimes[relay.producer])
            await pushing
            # The application's relays lead again, have sent the same and more, and marked it.
            await drained(city.api)
            before = dropped(city)
            for relay, held in old:
                assert held.sent == []
                held.open.set()
                await until(lambda held=held: bool(held.sent))  # type: ignore[misc]
                await until(lambda relay=relay: not relay.leading)  # type: ignore[misc]
                late += len(held.sent)
            await until(lambda: dropped(city) >= before + late)
        conserved = await city.settled()
    what = f"zombie sends {late} facts late"
    faults.survived(f"relay ({kind})", what, times=len(OLD_ONES), held=conserved)
