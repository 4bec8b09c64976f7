"""Leads: facts of employers nobody knew until their leads are tested, all of them tested again,
and what is read of them, in the process of the handlers themselves."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final

from enrollment.app import SERVICE
from enrollment.leads.coverage import store as coverage
from enrollment.leads.feedback import store as feedback
from enrollment.leads.feedback.store import RowsWanted
from enrollment.leads.handlers import on_feed_facts
from enrollment.leads.store import Wanted, list_leads
from enrollment.leads.worth import store as worth
from enrollment.leads.worth.projections import assess_employers
from shared.application import build_runtime
from shared.bus import Message
from shared.events.registration_feed import EnterpriseRegistered
from shared.inbox import FactBatch, Received
from shared.runtime import Runtime
from shared.settings import Settings
from tests.benchmarks.made import LICENCES, Numbers, Record, parts
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    Measure,
    Sample,
    Samples,
    check_rows,
    milliseconds,
    per_second,
    values,
)

EMPLOYERS: Final = 60_000
BATCH: Final = 1_000
_KEYS: Final = "1:" + base64.b64encode(b"k" * 32).decode()
_AT: Final = datetime(2008, 6, 10, tzinfo=UTC)


class Leads:
    """One step over the round's employers, on a database that grows from round to round."""

    def __init__(self, name: str, world: World, rows: int) -> None:
        self.name = name
        self._world, self._rows = world, rows
        self._batches: list[FactBatch] = []

    def prepare(self, round_no: int) -> None:
        if self.name == "facts":
            self._batches = self._world.batches(self._rows)

    def run(self) -> Sample:
        step = {"facts": self._hear, "tested": self._test, "read": self._read}[self.name]
        with self._world.placed():
            began = time.perf_counter()
            told = asyncio.run(self._world.with_runtime(step))
            return Sample(self._rows, time.perf_counter() - began, told)

    def check(self) -> None:
        rows = asyncio.run(self._world.with_runtime(_counted))
        if self.name == "facts":
            self._world.heard += self._rows
        check_rows(self.name, int(rows["leads"]), self._world.heard)

    async def _hear(self, runtime: Runtime) -> dict[str, float]:
        for batch in self._batches:
            async with runtime.database.transaction() as conn:
                await on_feed_facts(conn, runtime, batch)
        return {}

    async def _test(self, runtime: Runtime) -> dict[str, float]:
        numbers = range(1, self._rows + 1)
        for first in range(0, self._rows, BATCH):
            employers = [f"E{number:09d}" for number in numbers[first : first + BATCH]]
            async with runtime.database.transaction() as conn:
                await assess_employers(conn, employers, _AT)
        return {}

    async def _read(self, runtime: Runtime) -> dict[str, float]:
        everything = Wanted(status="standing")
        told: dict[str, float] = {}

        async def timed(name: str, what: Awaitable[object]) -> None:
            began = time.perf_counter()
            await what
            told[name] = (time.perf_counter() - began) * 1_000

        async with runtime.database.read() as conn:
            await timed("page", list_leads(conn, everything, limit=101))
            await timed("potential", worth.sums(conn, everything, "unit"))
            await timed("reasons", worth.reasons(conn, everything))
            await timed("coverage", coverage.persons(conn, None, "unit"))
            await timed("feedback", feedback.tally(conn, RowsWanted("business-licences")))
        return told


async def _counted(runtime: Runtime) -> dict[str, float]:
    async with runtime.database.read() as conn:
        found = await worth.sums(conn, Wanted(), "kind")
    return {"leads": sum(row.leads for row in found)}


class World:
    """The enrollment database and what has been told of so far."""

    def __init__(self, run: Run, url: str) -> None:
        self._placing, self._numbers = run.stage.placing, Numbers()
        self.heard = 0
        self._settings = Settings(
            database_url=url,
            bus_database_url=url,
            data_dir=run.stage.folder,
            judge_workers=0,
            data_keys=_KEYS,
            hash_keys=_KEYS,
        )

    def placed(self) -> AbstractContextManager[None]:
        """On the cores of Python."""
        return self._placing.on(self._placing.python)

    async def with_runtime(
        self, step: Callable[[Runtime], Awaitable[dict[str, float]]]
    ) -> dict[str, float]:
        """Run a step with sessions of its own."""
        runtime = build_runtime(SERVICE, self._settings)
        try:
            return await step(runtime)
        finally:
            await runtime.database.close()

    def batches(self, rows: int) -> list[FactBatch]:
        """Licences of so many new employers, as facts of one partition."""
        first = self._numbers.take(rows)
        received = [
            Received(at, _MESSAGE, _fact(number, record))
            for at, (number, record) in enumerate(
                enumerate(LICENCES.records(first, rows), first), first
            )
        ]
        return [
            FactBatch("registration-feed", 0, part[0].position, list(part))
            for part in parts(received, BATCH)
        ]


_MESSAGE: Final = Message("", "", "registration-feed", "", 1, "2008-06-10T00:00:00Z", None, b"")


def _fact(number: int, record: Record) -> EnterpriseRegistered:
    return EnterpriseRegistered(
        key=f"lic:{record['licence_no']}",
        subject=f"licence:{record['licence_no']}",
        revision=1,
        delivery_id="00000000-0000-7000-8000-000000000001",
        record_no=number,
        recorded_at=_AT,
        feed="business-licences",
        name=record["name"],
        unit=record["unit"],
        licence_no=record["licence_no"],
        reg_type=record["reg_type"],
        industry=record["industry"],
        licensed_on=record["licensed_on"],
        effective_on=record["event_on"],
        headcount=record["headcount"],
    )


@contextmanager
def world(run: Run) -> Iterator[Sequence[Alternative]]:
    """Enrollment's database alone, at head; no process beside the benchmark's own."""
    made = World(run, run.stage.fresh_databases()["enrollment"])
    rows = min(EMPLOYERS, run.size.rows)
    yield [Leads(name, made, rows) for name in ("facts", "tested", "read")]


READ: Final = ("page", "potential", "reasons", "coverage", "feedback")


def read(run: Run, samples: Samples) -> list[Figure]:
    rows = samples["facts"][0].rows
    most = rows * len(samples["facts"])
    return [
        Figure(
            f"facts of {rows:,} new employers: identity, leads, test", per_second(samples["facts"])
        ),
        Figure(f"leads of {rows:,} employers tested again", per_second(samples["tested"])),
        *(
            Figure(
                f"leads, {name}, up to {most:,} leads",
                milliseconds(values(samples["read"], name)),
            )
            for name in READ
        ),
    ]


def measures(run: Run) -> list[Measure]:
    return [Measure("leads", "leads", partial(world, run), partial(read, run), 2)]
