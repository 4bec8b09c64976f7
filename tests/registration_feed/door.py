"""A receiving service on a database of its own, its HTTP door, and a worker stepped by hand.

Used by the tests of both feeds' services.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import sqlalchemy as sa

from shared import migrate
from shared.application import build_runtime, create_app
from shared.auth import Issuer
from shared.clock import Clock
from shared.deliveries.worker import DeliveryWorker
from shared.events import Fact, decode
from shared.outbox import Block
from shared.runtime import Runtime
from shared.service import Service
from shared.settings import Settings
from tests.conftest import PostgresForTests

KEYS = "1:" + base64.b64encode(b"k" * 32).decode()
Made = TypeVar("Made", bound=Fact)
Record = Mapping[str, Any]


async def migrated_template(postgres: PostgresForTests, service: Service) -> str:
    """The name of a database with the service's newest schema and no sessions."""
    url = postgres.fresh_database()
    await migrate.upgrade(url, service.migrations)
    return url.rsplit("/", 1)[1].split("?")[0]


class Door:
    """The service's HTTP door with the caller's token, and what lies behind it."""

    def __init__(
        self, runtime: Runtime, http: httpx.AsyncClient, issuer: Issuer, department: str
    ) -> None:
        self.runtime = runtime
        self.http = http
        self.department = department
        self.worker = DeliveryWorker(runtime)
        self._issuer = issuer
        self._numbers = itertools.count(1)

    def token(self, department: str | None = None, units: Any = None) -> dict[str, str]:
        token = self._issuer.token("tester", department or self.department, units)
        return {"Authorization": f"Bearer {token}"}

    async def push(
        self,
        feed: str,
        period: str,
        records: Iterable[Record] | bytes,
        *,
        department: str | None = None,
        units: Any = None,
    ) -> dict[str, Any]:
        """Push, let the worker do all there is to do, and return the receipt, which adds up."""
        body = (
            records
            if isinstance(records, bytes)
            else b"".join(json.dumps(record).encode() + b"\n" for record in records)
        )
        answer = await self.http.post(
            f"/feeds/{feed}/deliveries",
            content=body,
            params={"period": period, "wait": 0},
            headers={
                **self.token(department, units),
                "Content-Type": "application/x-ndjson",
                "Idempotency-Key": f"n-{next(self._numbers)}",
            },
        )
        assert answer.status_code == 202, answer.text
        await self.worker.drain()
        path = f"/deliveries/{answer.json()['delivery']}"
        found = await self.http.get(path, headers=self.token(department, units))
        receipt: dict[str, Any] = found.json()["receipt"]
        ended = [receipt[how] for how in ("applied", "duplicate", "rejected", "held")]
        assert receipt["sent"] == sum(ended) == body.count(b"\n")
        return receipt

    async def get(
        self, path: str, department: str | None = None, units: Any = None, **query: Any
    ) -> Any:
        """The answer's body; anything but 200 fails the test."""
        answer = await self.ask(path, department, units, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ask(
        self, path: str, department: str | None = None, units: Any = None, **query: Any
    ) -> httpx.Response:
        return await self.http.get(path, params=query, headers=self.token(department, units))

    async def rows(self, statement: str) -> list[dict[str, Any]]:
        async with self.runtime.database.read() as conn:
            found = await conn.execute(sa.text(statement))
            return [dict(row) for row in found.mappings()]

    async def messages(self) -> list[tuple[str, bytes]]:
        """(type, data) of everything in the outbox, in the order it was written."""
        found: list[tuple[str, bytes]] = []
        for row in await self.rows("SELECT * FROM outbox_blocks ORDER BY id"):
            firsts = {int(partition): 1 for partition in row["counts"]}
            block = Block(row["id"], row["fact_count"], firsts, bytes(row["payload"]))
            for messages in block.messages().values():
                found += [(message.type, message.data) for message in messages]
        return found

    async def facts(self, *kinds: type[Made]) -> list[Made]:
        """The facts of these kinds in the outbox, decoded, in the order they were written."""
        decoded = [decode(kind, data) for kind, data in await self.messages()]
        return [fact for fact in decoded if isinstance(fact, kinds)]


@asynccontextmanager
async def opened(
    service: Service,
    url: str,
    folder: Path,
    clock: Clock,
    department: str,
    chunk_records: int = 10,
) -> AsyncIterator[Door]:
    """The service's door on a database that has its schema."""
    settings = Settings(
        database_url=url,
        bus_database_url=url,
        data_dir=folder,
        data_keys=KEYS,
        hash_keys=KEYS,
        chunk_records=chunk_records,
        judge_workers=0,
    )
    runtime = build_runtime(service, settings, clock=clock)
    app = create_app(service, runtime, roles=())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=f"http://test/{service.name}/v1"
    ) as http:
        door = Door(runtime, http, Issuer(folder), department)
        try:
            yield door
        finally:
            await door.worker.close()
            await runtime.database.close()
            await runtime.bus.close()
