"""A migrated reporting database per test, copied from one template, and the app upon it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from reporting.app import SERVICE
from shared import migrate
from shared.application import build_runtime, create_app
from shared.auth import Issuer
from shared.bus.contract import Batch
from shared.clock import FixedClock
from shared.database import Database
from shared.events import Fact
from shared.inbox import Inbox
from shared.plan import Plan, load_plan
from shared.runtime import Runtime
from shared.settings import Settings
from tests.conftest import PostgresForTests
from tests.reporting.objects import message


@pytest.fixture(scope="session")
def plan() -> Plan:
    return load_plan()


@pytest.fixture(scope="session")
async def reporting_template(postgres: PostgresForTests) -> str:
    """The name of a database with reporting's newest schema and no sessions."""
    url = postgres.fresh_database()
    await migrate.upgrade(url, SERVICE.migrations)
    return url.rsplit("/", 1)[1].split("?")[0]


@pytest.fixture
def reporting_url(postgres: PostgresForTests, reporting_template: str) -> str:
    return postgres.fresh_database(reporting_template)


@pytest.fixture
async def database(reporting_url: str) -> AsyncIterator[Database]:
    opened = Database(reporting_url, 4, "test-reporting")
    try:
        yield opened
    finally:
        await opened.close()


class Desk:
    """The running service: facts come in by its inbox, questions by its HTTP door."""

    def __init__(self, runtime: Runtime, http: httpx.AsyncClient, issuer: Issuer) -> None:
        self.runtime = runtime
        self.http = http
        self._inbox = Inbox.of(runtime)
        self._issuer = issuer
        self._next: dict[str, int] = {}

    async def take(self, facts: Sequence[Fact]) -> None:
        """Facts of one producer, as its partition 0 brings them."""
        producer = facts[0].producer
        first = self._next.get(producer, 1)
        messages = [message(fact, first + i) for i, fact in enumerate(facts)]
        self._next[producer] = first + len(messages)
        done = await self._inbox.apply(
            Batch(facts[0].topic(), 0, first - 1, messages, first - 1 + len(messages))
        )
        assert (done.applied, done.dead) == (len(messages), 0)

    async def take_again(self, facts: Sequence[Fact], first: int = 1) -> int:
        """The same messages once more; returns how many the gate dropped."""
        messages = [message(fact, first + i) for i, fact in enumerate(facts)]
        done = await self._inbox.apply(
            Batch(facts[0].topic(), 0, 0, messages, first - 1 + len(messages))
        )
        return done.dropped

    def token(self, department: str, units: Sequence[str] | None = None) -> dict[str, str]:
        token = self._issuer.token("tester", department, units)
        return {"Authorization": f"Bearer {token}"}

    async def ask(
        self,
        path: str,
        department: str = "leading-group",
        units: Sequence[str] | None = None,
        **query: Any,
    ) -> httpx.Response:
        url = path if path.startswith("/") else f"/reporting/v1/{path}"
        # A link already has its query.
        return await self.http.get(url, params=query or None, headers=self.token(department, units))

    async def get(self, path: str, department: str = "leading-group", **query: Any) -> Any:
        """The answer's body; anything but 200 fails the test."""
        answer = await self.ask(path, department, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def all_items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Every item of a list, page by page."""
        body = await self.get(path, **query)
        items = list(body["items"])
        while body["next"]:
            body = await self.get(body["next"])
            items += body["items"]
        return items


@pytest.fixture
async def desk(reporting_url: str, tmp_path: Path, clock: FixedClock) -> AsyncIterator[Desk]:
    """Reporting at noon of 10 June 2008, without workers: the tests hand it its facts."""
    async with _opened(_settings(reporting_url, tmp_path), clock) as desk:
        yield desk


@pytest.fixture
async def public_desk(reporting_url: str, tmp_path: Path, clock: FixedClock) -> AsyncIterator[Desk]:
    """As ``desk``, with an overview that needs no sign-in."""
    async with _opened(_settings(reporting_url, tmp_path, public_overview=True), clock) as desk:
        yield desk


def _settings(url: str, folder: Path, **more: Any) -> Settings:
    return Settings(database_url=url, bus_database_url=url, data_dir=folder, **more)


@asynccontextmanager
async def _opened(settings: Settings, clock: FixedClock) -> AsyncIterator[Desk]:
    runtime = build_runtime(SERVICE, settings, clock=clock)
    app = create_app(SERVICE, runtime, roles=())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test"
    ) as http:
        try:
            yield Desk(runtime, http, Issuer(settings.data_dir))
        finally:
            await runtime.database.close()
            await runtime.bus.close()
