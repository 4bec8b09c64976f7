"""Enrollment on a database of its own: its door, its bus door, and a worker stepped by hand."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import sqlalchemy as sa

from enrollment.app import SERVICE
from shared import migrate
from shared.application import build_runtime, create_app
from shared.auth import Issuer
from shared.bus import Batch, Message
from shared.bus.contract import partition_of
from shared.clock import Clock, FixedClock
from shared.deliveries.worker import DeliveryWorker
from shared.events import Fact, decode, encode
from shared.inbox import Inbox
from shared.outbox import Block
from shared.runtime import Runtime
from shared.service import Service
from shared.settings import Settings
from tests.conftest import PostgresForTests
from tests.enrollment.records import at, registered

KEYS = "1:" + base64.b64encode(b"k" * 32).decode()
CHUNK = 10
DEKADS = {feed.name for feed in SERVICE.feeds if feed.period_kind == "dekad"}
F = TypeVar("F", bound=Fact)


class World:
    """A running enrollment without background tasks: every step is the test's own."""

    def __init__(self, runtime: Runtime, http: httpx.AsyncClient, issuer: Issuer) -> None:
        self.runtime = runtime
        self.http = http
        self.issuer = issuer
        self.worker = DeliveryWorker(runtime)
        self.inbox = Inbox.of(runtime)
        self._numbers = itertools.count(1)
        self._positions: dict[tuple[str, int], int] = {}

    def headers(
        self, department: str, units: Sequence[str] | None = None, subject: str = "tester"
    ) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.issuer.token(subject, department, units)}"}

    async def push(
        self,
        feed: str,
        records: Iterable[dict[str, Any]],
        *,
        period: str | None = None,
        department: str = "agency",
        units: Sequence[str] | None = None,
        dry_run: bool = False,
        **query: Any,
    ) -> dict[str, Any]:
        """Push records, let the worker do all there is to do, and return the receipt's view."""
        if period is None:
            period = "2008-06-D1" if feed in DEKADS else "2008-05"
        answer = await self.http.post(
            f"/feeds/{feed}/deliveries",
            content="\n".join(json.dumps(record) for record in records),
            params={"period": period, "wait": 0, "dry_run": dry_run, **query},
            headers={
                "Content-Type": "application/x-ndjson",
                "Idempotency-Key": f"n-{next(self._numbers)}",
                **self.headers(department, units),
            },
        )
        assert answer.status_code in (201, 202), answer.text
        await self.worker.drain()
        return await self.delivery(answer.json()["delivery"])

    async def delivery(self, delivery_id: str) -> dict[str, Any]:
        answer = await self.http.get(f"/deliveries/{delivery_id}", headers=self.headers("agency"))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def problems(self, delivery: dict[str, Any]) -> dict[int, list[str]]:
        """Codes of the records not plainly applied."""
        found = await self.rows(
            "SELECT no, problems FROM record_problems WHERE delivery_id = :id ORDER BY no",
            id=delivery["delivery"],
        )
        return {row["no"]: [problem[0] for problem in row["problems"]] for row in found}

    async def get(
        self,
        path: str,
        department: str = "agency",
        units: Sequence[str] | None = None,
        **query: Any,
    ) -> httpx.Response:
        return await self.http.get(path, params=query, headers=self.headers(department, units))

    async def hear(self, facts: Sequence[Fact]) -> None:
        """Facts of the feeds through the inbox, one batch per producer and partition."""
        batches: dict[tuple[str, int], list[Message]] = {}
        for fact in facts:
            place = (fact.producer, partition_of(fact.key, 2))
            position = self._positions[place] = self._positions.get(place, 0) + 1
            batches.setdefault(place, []).append(
                Message(
                    fact.fact_id,
                    fact.type_name(),
                    fact.producer,
                    fact.key,
                    position,
                    "2008-06-10T04:00:00Z",
                    None,
                    encode(fact),
                )
            )
        for (producer, partition), messages in batches.items():
            batch = Batch(f"{producer}.events", partition, 0, messages, len(messages))
            done = await self.inbox.apply(batch)
            assert done.applied == len(messages), done

    async def rows(self, query: str, **params: Any) -> list[dict[str, Any]]:
        async with self.runtime.database.read() as conn:
            found = await conn.execute(sa.text(query), params)
            return [dict(row) for row in found.mappings()]

    async def facts(self, *kinds: type[F]) -> list[F]:
        """Everything of these kinds in the outbox, in the order it was written."""
        found: list[F] = []
        for row in await self.rows("SELECT * FROM outbox_blocks ORDER BY id"):
            firsts = {int(partition): 1 for partition in row["counts"]}
            block = Block(row["id"], row["fact_count"], firsts, bytes(row["payload"]))
            for messages in block.messages().values():
                decoded = (decode(message.type, message.data) for message in messages)
                found += [fact for fact in decoded if isinstance(fact, kinds)]
        return found


@pytest.fixture(scope="session")
async def enrollment_template(postgres: PostgresForTests) -> str:
    """The name of a migrated database without sessions."""
    url = postgres.fresh_database()
    await migrate.upgrade(url, SERVICE.migrations)
    return url.rsplit("/", 1)[1].split("?")[0]


@pytest.fixture
def enrollment_url(postgres: PostgresForTests, enrollment_template: str) -> str:
    return postgres.fresh_database(enrollment_template)


@asynccontextmanager
async def opened(
    url: str, folder: Path, clock: Clock, service: Service = SERVICE, chunk_records: int = CHUNK
) -> AsyncIterator[World]:
    """Enrollment on a database that has its schema."""
    settings = Settings(
        database_url=url,
        bus_database_url=url,
        data_dir=folder,
        data_keys=KEYS,
        hash_keys=KEYS,
        chunk_records=chunk_records,
        judge_workers=0,
        topic_partitions=2,
    )
    runtime = build_runtime(service, settings, clock=clock)
    app = create_app(service, runtime, roles=())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test/enrollment/v1"
    ) as http:
        made = World(runtime, http, Issuer(folder))
        yield made
        await made.worker.close()
    await runtime.database.close()


@pytest.fixture
async def world(enrollment_url: str, tmp_path: Path, clock: FixedClock) -> AsyncIterator[World]:
    async with opened(enrollment_url, tmp_path, clock) as made:
        yield made


@pytest.fixture
async def desk(world: World) -> World:
    """Enrollment on 10 June, when one licence has just become known."""
    world.runtime.clock.set(at(10, 4))  # type: ignore[attr-defined]
    await world.hear([registered(1, day=9)])
    return world
