"""The made city pushed through the real applications of all four services, in this process, so
that a test can reach behind them: their databases, their bus, their clock, the disk below.

Portion by portion: each test pushes on while it breaks something, then lets ``settled`` say that
nothing was lost.
"""

import asyncio
import base64
import functools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from kuomian.all_in_one import Dispatcher
from kuomian.city import City, Planned, build_city
from kuomian.client import Api
from kuomian.demo.drain import drained
from kuomian.demo.gather import feed_sums
from kuomian.demo.load import Loader, streamed
from kuomian.demo.state import Memory
from kuomian.demo.tokens import write_tokens
from kuomian.kafka_broker import KafkaBroker
from kuomian.services import all_services
from shared.application import build_runtime, create_app
from shared.bus import Bus
from shared.bus.kafka import KafkaBus
from shared.bus.postgres import PostgresBus
from shared.clock import Clock, FixedClock
from shared.migrate import upgrade
from shared.periods import Dekad
from shared.plan import Plan
from shared.runtime import Runtime
from shared.settings import Settings
from shared.workers import Workers
from tests.conftest import PostgresForTests
from tests.e2e.recount import Recount

SCALE = 0.002
OPENING = 3
"""Deliveries until the first employers and their insured are there."""
PORTION = 24
"""Deliveries during which something is broken; the first portion has most of the register, the
second most of the money."""
BOUND_SECONDS = 60.0
KEYS = "1:" + base64.b64encode(b"k" * 32).decode()
ALL_TIME = Dekad.parse("2008-11-D3")


@functools.cache
def the_plan() -> Plan:
    return Plan.default()


@functools.cache
def the_city() -> City:
    return build_city(the_plan(), scale=SCALE)


class CityUnderLoad:
    """Four running services and a city that is being pushed to them."""

    def __init__(
        self,
        apps: Dispatcher,
        runtimes: Mapping[str, Runtime],
        tokens: Mapping[str, str],
        folder: Path,
    ) -> None:
        self.apps = apps
        self.runtimes = runtimes
        self.tokens = tokens
        self.api = self.api_as("operator")
        self.memory = Memory(folder)
        (folder / "demo").mkdir()
        self._deliveries = iter(the_city().deliveries)

    async def push(self, count: int) -> None:
        """Push the next deliveries of the story, each as often as it takes."""
        await self.pushing(count)

    def pushing(self, count: int) -> "asyncio.Task[Any]":
        """The same beside the test."""
        portion = list(islice(self._deliveries, count))
        assert portion, "the story has been told"
        loader = Loader(self.api, self.tokens, self.memory, _Unseen())
        return asyncio.create_task(loader.run(portion))

    async def answered(self, more: int, pushing: "asyncio.Task[Any]") -> None:
        """Wait until so many more pushes have their answer (or all have)."""
        wanted = len(self.memory.answers()) + more
        async with asyncio.timeout(BOUND_SECONDS):
            while len(self.memory.answers()) < wanted and not pushing.done():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def knock(self, planned: Planned, key: str, seconds: float = 30.0) -> httpx.Response:
        """One push without patience, whatever the answer."""
        headers = {
            "Authorization": f"Bearer {self.tokens[planned.role]}",
            "Idempotency-Key": key,
            "Content-Type": "application/x-ndjson",
            "Prefer": "respond-async",
        }
        path = f"/{planned.service}/v1/feeds/{planned.feed}/deliveries"
        async with self.client(seconds) as client:
            return await client.post(
                path,
                params={"period": planned.period},
                headers=headers,
                content=streamed(planned)(),
            )

    def client(self, seconds: float = 30.0) -> httpx.AsyncClient:
        """Straight to the applications' door."""
        transport = httpx.ASGITransport(self.apps)
        return httpx.AsyncClient(transport=transport, base_url="http://city.test", timeout=seconds)

    def api_as(self, role: str) -> Api:
        transport = httpx.ASGITransport(self.apps)
        return Api("http://city.test", self.tokens[role], transport=transport)

    def workers(self, service: str) -> Workers:
        """The running tasks of a service."""
        found: Workers = self.apps.apps[service].state.workers
        return found

    async def status(self, service: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.api.get(f"/{service}/v1/status")
        return found

    async def settled(self) -> str:
        """Wait until all is applied; assert that every sum adds up, that every push was answered
        as the city expects, and that every figure equals a recount of the raw deliveries."""
        await drained(self.api, seconds=BOUND_SECONDS)
        wrong = [one for one in self.memory.answers().values() if not one.as_expected]
        assert wrong == []
        sums = await feed_sums(self.api)
        assert [one for one in sums if not one.conserved] == []
        sent = sum(one.sent for one in sums)
        parts = [sum(one.counts[name] for one in sums) for name in sums[0].counts]
        compared = await self._figures_equal()
        for service in self.runtimes:
            assert self.workers(service).restarts == {}, f"a worker of {service} crashed"
        added = " + ".join(f"{part:,}" for part in parts)
        return f"{sent:,} sent = {added}; {compared} figures equal"

    async def _figures_equal(self) -> int:
        plan = the_plan()
        async with self.api_as("auditor") as auditor:
            recount = await Recount.of(auditor)
        counted = recount.at(ALL_TIME.cutoff_on(plan.cutoffs), plan.city.code)
        measures = ["insured-total", "insured-active", "pooled-fund"]
        progress = await self.api.get(
            "/reporting/v1/progress", period=str(ALL_TIME), measure=measures
        )
        figures = {
            (table["name"], row["unit"]["code"]): row["cumulative"]["value"]
            for table in progress["measures"]
            for row in table["rows"]
        }
        assert len(figures) == 3 * (len(plan.units) + 1)
        assert {place: counted.get(place, 0) for place in figures} == figures
        assert any(figures.values())
        return len(figures)


@asynccontextmanager
async def city_under_load(
    urls: Mapping[str, str],
    folder: Path,
    bus: Bus,
    clock: Clock | None = None,
    **settings: Any,
) -> AsyncIterator[CityUnderLoad]:
    """Run the services over migrated databases (service name → URL); their workers run beside
    the block. ``folder``: empty, for tokens and what was answered."""
    tokens = write_tokens(folder, the_plan())
    first = the_city().deliveries[0].send_at
    clock = clock or FixedClock(first, "demo")
    runtimes, apps = {}, {}
    given = {
        "clock": clock.kind,
        "data_dir": folder,
        "data_keys": KEYS,
        "hash_keys": KEYS,
        "judge_workers": 0,
        # What the environment says is meant for others.
        "max_body_bytes": 100 * 1024 * 1024,
        "topic_partitions": 3,
        "chunk_records": 500,
        "database_pool_wait_seconds": 2.0,
        **settings,
    }
    async with AsyncExitStack() as stack:
        stack.push_async_callback(bus.close)
        for service in all_services():
            own = Settings(database_url=urls[service.name], bus_database_url=urls["bus"], **given)
            runtime = build_runtime(service, own, clock=clock, bus=bus, plan=the_plan())
            runtimes[service.name] = runtime
            apps[service.name] = create_app(service, runtime, closes_bus=False)
        for app in apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        dispatcher = Dispatcher(apps, "reporting")
        city = CityUnderLoad(dispatcher, runtimes, tokens, folder)
        await stack.enter_async_context(city.api)
        yield city
        # All at once: each takes a moment to notice.
        for app in apps.values():
            app.state.workers.stop.set()


async def migrated(postgres: PostgresForTests) -> dict[str, str]:
    """Fresh databases for the four services, at head, and for the embedded bus."""
    urls = {"bus": postgres.fresh_database()}
    for service in all_services():
        urls[service.name] = postgres.fresh_database(await _template(postgres, service))
    return urls


_templates: dict[tuple[int, str], str] = {}


async def _template(postgres: PostgresForTests, service: Any) -> str:
    known = (id(postgres), service.name)
    if known not in _templates:
        url = postgres.fresh_database()
        await upgrade(url, service.migrations)
        _templates[known] = url.rsplit("/", 1)[1].split("?")[0]
    return _templates[known]


def embedded_bus(urls: Mapping[str, str]) -> PostgresBus:
    return PostgresBus(urls["bus"], pool_size=6, poll_seconds=0.2, connect_seconds=2)


def first_of(feed: str) -> Planned:
    """The first ordinary delivery of a feed in the city's story."""
    return next(d for d in the_city().deliveries if d.feed == feed and d.kind == "ordinary")


def more_receipts(no: int, records: int = 300) -> Planned:
    """A delivery beside the story: receipts of a taxpayer the city has, other ones for each
    number."""
    planned = next(
        d for d in the_city().deliveries if d.feed == "receipts" and d.kind == "ordinary"
    )
    line = next(planned.body()).rstrip(b"\n")
    number = line.split(b'"receipt_no":"')[1].split(b'"')[0]
    body = [line.replace(number, b"F%d-%d" % (no, at)) + b"\n" for at in range(records)]
    return replace(planned, body=lambda: iter(body), records=records)


def is_clear(answer: httpx.Response, *codes: str) -> bool:
    """Whether a refusal says what happened, in both languages, and when to come again."""
    problem = answer.json()
    assert (answer.status_code, problem["code"] in codes) == (503, True), answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    assert problem["title_zh"]
    assert problem["title_en"]
    assert problem["title_zh"] != problem["title_en"]
    return True


def chance(name: str) -> Random:
    """Seeded by the test's own name: the same moments in every run."""
    return Random(name)


class _Unseen:
    """A progress bar nobody looks at."""

    def at(self, done: int, note: str = "") -> None:
        pass

    def of(self, done: int, total: int) -> None:
        pass


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition within the bound."""
    async with asyncio.timeout(BOUND_SECONDS):
        while not condition():  # noqa: ASYNC110 - what it looks at has no event
            await asyncio.sleep(0.02)


def buses(kind: str, urls: Mapping[str, str], request: pytest.FixtureRequest) -> Callable[[], Bus]:
    """Makes connections to an empty bus of a kind, ``embedded`` or ``kafka``."""
    if kind == "embedded":
        return lambda: embedded_bus(urls)
    broker: KafkaBroker = request.getfixturevalue("empty_kafka")
    return lambda: KafkaBus(broker.address(), fetch_max_wait_ms=50)
