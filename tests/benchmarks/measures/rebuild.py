"""Rebuilding every projection from the journal, against COPY of the same entries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Final

import psycopg

from reporting.figures.rebuild import Rebuilt, rebuild
from shared.database import Database
from shared.plan import Plan
from tests.benchmarks.filling import filled
from tests.benchmarks.limits import copied, plain_table
from tests.benchmarks.made import parts
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    Measure,
    Miscounted,
    Sample,
    Samples,
    at_least,
    check_rows,
    per_second,
    share_of,
)

FLOOR, GOAL = 10, 30
BATCH: Final = 5_000
COLUMNS: Final = {
    "id": "int8", "account": "int2", "unit": "int2", "segment": "int4", "q1": "int8",
    "q2": "int8", "q3": "int8", "effective_on": "date", "recorded_at": "timestamptz",
    "block": "int8", "block_index": "int4", "subject": "text", "holder": "text",
    "fact_type": "int2", "fact_part": "text", "fact_revision": "int4", "delivery_id": "uuid",
    "record_no": "int4",
}  # fmt: skip


class CopyOfEntries:
    """The ledger's own entries into a plain table with a primary key, empty at first each time,
    as the projections are."""

    def __init__(self, url: str, run: Run, rows: Sequence[tuple[Any, ...]]) -> None:
        self.name = "copy"
        self._placing, self._rows = run.stage.placing, rows
        plain_table(url, "plain_entries", COLUMNS, "id")
        self._conn = psycopg.connect(url, autocommit=True)

    def prepare(self, round_no: int) -> None:
        self._conn.execute("TRUNCATE plain_entries")

    def run(self) -> Sample:
        with self._placing.on(self._placing.python):
            return copied(self._conn, "plain_entries", list(parts(self._rows, BATCH)))

    def check(self) -> None:
        found = self._conn.execute("SELECT count(*) FROM plain_entries").fetchone()
        check_rows(self.name, int(found[0]) if found else 0, len(self._rows))

    def close(self) -> None:
        """End the session."""
        self._conn.close()


class Rebuilding:
    """What ``kuomian rebuild`` does: both fingerprints included."""

    def __init__(self, url: str, run: Run, entries: int) -> None:
        self.name = "rebuild"
        self._url, self._placing, self._entries = url, run.stage.placing, entries
        self._rebuilt: Rebuilt | None = None

    def prepare(self, round_no: int) -> None:
        self._rebuilt = None

    def run(self) -> Sample:
        with self._placing.on(self._placing.python):
            began = time.perf_counter()
            self._rebuilt = asyncio.run(self._rebuild())
            return Sample(self._entries, time.perf_counter() - began)

    def check(self) -> None:
        if self._rebuilt is None or not self._rebuilt.identical:
            raise Miscounted(f"other figures after the rebuild: {self._rebuilt}")
        check_rows(self.name, len(entries_of(self._url)), self._entries)

    async def _rebuild(self) -> Rebuilt:
        database = Database(self._url, pool_size=2, name="rebuild")
        try:
            return await rebuild(database, Plan.default())
        finally:
            await database.close()


def entries_of(url: str) -> list[tuple[Any, ...]]:
    """All entries, as they are."""
    with psycopg.connect(url) as conn:
        return conn.execute(f"SELECT {', '.join(COLUMNS)} FROM entries".encode()).fetchall()


@contextmanager
def world(run: Run) -> Iterator[Sequence[Alternative]]:
    """A filled ledger; its service is up, and idle."""
    with ExitStack() as stack:
        whole = stack.enter_context(filled(run, "rebuild", run.size.entries))
        url = whole.postgres.url("reporting", "reporting")
        rows = entries_of(url)
        limit = CopyOfEntries(whole.postgres.create_database("bench", "bench"), run, rows)
        stack.callback(limit.close)
        yield [limit, Rebuilding(url, run, len(rows))]


def read(run: Run, samples: Samples) -> list[Figure]:
    share = share_of(samples["rebuild"], samples["copy"])
    return [
        Figure(
            f"rebuild of all projections, {samples['copy'][0].rows:,} entries",
            f"{share.middle:.1f} % of COPY ({share.low:.1f}–{share.high:.1f}):"
            f" {per_second(samples['rebuild'])}, COPY {per_second(samples['copy'])}",
            f"{FLOOR} %",
            f"{GOAL} %",
            at_least(share, FLOOR),
        )
    ]


def measures(run: Run) -> list[Measure]:
    return [Measure("rebuild", "rebuild", partial(world, run), partial(read, run))]
