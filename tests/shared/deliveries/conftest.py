"""The made service on a database of its own, its door, and a worker a test steps by hand."""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from shared.application import build_runtime, create_app
from shared.auth import Issuer
from shared.clock import FixedClock
from shared.database import Database
from shared.deliveries.worker import DeliveryWorker
from shared.events import Fact, decode
from shared.outbox import Block
from shared.runtime import Runtime
from shared.settings import Settings
from tests.conftest import PostgresForTests
from tests.shared.deliveries import made_service
from tests.shared.deliveries.made_service import METADATA, SERVICE

KEYS = "1:" + base64.b64encode(b"k" * 32).decode()
CHUNK = 10


class Door:
    """The service's HTTP door with the caller's token, and what lies behind it."""

    def __init__(self, runtime: Runtime, http: httpx.AsyncClient, issuer: Issuer) -> None:
        self.runtime = runtime
        self.http = http
        self.issuer = issuer
        self.worker = DeliveryWorker(runtime)
        self._numbers = itertools.count(1)

    def token(self, department: str = "industry-commerce", units: Any = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.issuer.token('tester', department, units)}"}

    async def post(
        self,
        body: Any,
        feed: str = "business-licences",
        *,
        period: str = "2008-06",
        key: str | None = "",
        department: str = "industry-commerce",
        units: Any = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> httpx.Response:
        """Push; ``key`` "" takes a fresh one, None sends none. Does not wait for the receipt."""
        sent = {"Content-Type": "application/x-ndjson", **self.token(department, units)}
        if key is not None:
            sent["Idempotency-Key"] = key or f"n-{next(self._numbers)}"
        return await self.http.post(
            f"/feeds/{feed}/deliveries",
            content=body,
            params={"period": period, "wait": 0, **query},
            headers={**sent, **(headers or {})},
        )

    async def push(self, body: Any, feed: str = "business-licences", **more: Any) -> dict[str, Any]:
        """Push, let the worker do all there is to do, and return the delivery."""
        answer = await self.post(body, feed, **more)
        assert answer.status_code == 202, answer.text
        await self.worker.drain()
        return await self.delivery(answer.json()["delivery"])

    async def get(
        self, path: str, department: str = "industry-commerce", units: Any = None, **query: Any
    ) -> httpx.Response:
        return await self.http.get(path, params=query, headers=self.token(department, units))

    async def delivery(self, delivery_id: str) -> dict[str, Any]:
        answer = await self.get(f"/deliveries/{delivery_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def rows(self, table: str, order: str = "1") -> list[dict[str, Any]]:
        async with self.runtime.database.read() as conn:
            found = await conn.execute(sa.text(f"SELECT * FROM {table} ORDER BY {order}"))
            return [dict(row) for row in found.mappings()]

    async def facts(self, kind: type[Fact] | None = None) -> list[Fact]:
        """Everything in the outbox, in the order it was written."""
        found: list[Fact] = []
        for row in await self.rows("outbox_blocks"):
            firsts = {int(partition): 1 for partition in row["counts"]}
            block = Block(row["id"], row["fact_count"], firsts, bytes(row["payload"]))
            for messages in block.messages().values():
                found += [decode(message.type, message.data) for message in messages]
        return [fact for fact in found if kind is None or isinstance(fact, kind)]

    async def fresh_worker(self) -> DeliveryWorker:
        """As after a restart: nothing remembered but what the database holds."""
        await self.worker.close()
        self.worker = DeliveryWorker(self.runtime)
        return self.worker


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, twenty seconds at most."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - a bound is set above
            await asyncio.sleep(0.05)


@pytest.fixture(scope="session")
async def made_template(postgres: PostgresForTests) -> str:
    """The name of a database with the made service's tables and no sessions."""
    url = postgres.fresh_database()
    database = Database(url, 1, "template")
    async with database.transaction() as conn:
        await conn.run_sync(METADATA.create_all)
    await database.close()
    return url.rsplit("/", 1)[1].split("?")[0]


@pytest.fixture
def made_url(postgres: PostgresForTests, made_template: str) -> str:
    return postgres.fresh_database(made_template)


@pytest.fixture
def made_settings(made_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=made_url,
        bus_database_url=made_url,
        data_dir=tmp_path,
        data_keys=KEYS,
        hash_keys=KEYS,
        receipt_signing_keys=KEYS,
        chunk_records=CHUNK,
        max_record_bytes=2000,
        max_body_bytes=1_000_000,
        max_document_bytes=200_000,
        judge_workers=0,
    )


@pytest.fixture
async def door(made_settings: Settings, tmp_path: Path, clock: FixedClock) -> AsyncIterator[Door]:
    runtime = build_runtime(SERVICE, made_settings, clock=clock)
    app = create_app(SERVICE, runtime, roles=())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test/registration-feed/v1"
    ) as http:
        door = Door(runtime, http, Issuer(tmp_path))
        try:
            yield door
        finally:
            await door.worker.close()
            await runtime.database.close()


@pytest.fixture(autouse=True)
def no_seams() -> Iterator[None]:
    yield
    made_service.seams.clear()
    made_service.no_more.clear()
