"""The census compared with the register, against the plain SQL join of the same tables: the join
writes key, person and status into a plain table with a primary key, and nothing else. A tenth of
the census is insured, a twentieth carries no number, some were entered twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Final

import psycopg

from enrollment.app import SERVICE
from enrollment.comparing.projections import run_comparison
from shared.application import build_runtime
from shared.clock import FixedClock
from shared.runtime import Runtime
from shared.settings import Settings
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    Measure,
    Sample,
    Samples,
    at_most,
    check_rows,
    per_second,
    rates,
)
from tests.benchmarks.spread import Spread, ratios

FLOOR, GOAL = 6, 2.5
AS_OF: Final = date(2008, 7, 31)

_PERSONS: Final = """
INSERT INTO persons (person_key, person_id, revision, delivery_id, record_no, recorded_at,
    effective_on, sealed, birth_on, sex, name_hash, unit, status, worker_class, enrolled_on,
    ownership, trade)
SELECT 'v1-' || substr(md5(n::text), 1, 26), 'P' || lpad(n::text, 9, '0'), 1,
    '00000000-0000-7000-8000-000000000001', n, '2008-06-01', '2008-04-30',
    decode(repeat(md5(n::text), 4), 'hex'), date '1950-01-01' + n %% 15000,
    CASE WHEN n %% 2 = 0 THEN 'F' ELSE 'M' END, 'v1-' || substr(md5('n' || n), 1, 26), '210502',
    'active', 'employee', date '1998-07-01', 'private', 'none'
FROM generate_series(1, %(persons)s) AS n
"""
_CENSUS: Final = """
INSERT INTO census_persons (natural_key, revision, content_hash, delivery_id, record_no,
    recorded_at, unit, entry_no, street, found_on, person_key, sealed, sex, birth_on, post,
    worker_class, reason, can_pay, age_finding, eligible, void, name_hash)
SELECT '210502.PR-' || lpad(n::text, 7, '0'), 1, decode(md5(n::text), 'hex'),
    '00000000-0000-7000-8000-000000000002', n, '2008-06-01', '210502',
    'PR-' || lpad(n::text, 7, '0'), 'street ' || n %% 20, date '2008-05-01' + n %% 90,
    CASE WHEN n %% 20 > 0 THEN 'v1-' || substr(md5((n %% 99991 * 7 + offset_no)::text), 1, 26) END,
    decode(repeat(md5(n::text), 4), 'hex'), CASE WHEN n %% 2 = 0 THEN 'F' ELSE 'M' END,
    date '1960-01-01' + n %% 9000, 'worker', 'employee', 'employer-did-not', n %% 3 > 0,
    'of-working-age', true, false, 'v1-' || substr(md5('n' || n %% 99991 * 7 + offset_no), 1, 26)
FROM generate_series(1, %(found)s) AS n, (SELECT %(persons)s - %(found)s * 7 / 10 AS offset_no) AS o
"""


class PlainJoin:
    """The limit: one LEFT JOIN on the key, what it gives kept."""

    name = "join"

    def __init__(self, url: str, found: int) -> None:
        self._conn = psycopg.connect(url, autocommit=True)
        self._found = found

    def prepare(self, round_no: int) -> None:
        self._conn.execute(
            "DROP TABLE IF EXISTS plain_lines; CREATE TABLE plain_lines "
            "(entry text PRIMARY KEY, person_id text, status text)"
        )

    def run(self) -> Sample:
        began = time.perf_counter()
        self._conn.execute(
            "INSERT INTO plain_lines SELECT c.natural_key, p.person_id, p.status "
            "FROM census_persons AS c LEFT JOIN persons AS p USING (person_key)"
        )
        return Sample(self._found, time.perf_counter() - began)

    def check(self) -> None:
        counted = self._conn.execute("SELECT count(*) FROM plain_lines").fetchone()
        check_rows(self.name, int(counted[0]) if counted else 0, self._found)

    def close(self) -> None:
        """End the session."""
        self._conn.close()


class Comparing:
    """What ``POST /census/comparisons`` does: lines, counts, digest, seal and facts, committed."""

    name = "comparison"

    def __init__(self, settings: Settings, found: int) -> None:
        self._settings, self._found = settings, found
        self._counted = 0

    def prepare(self, round_no: int) -> None:
        self._counted = 0

    def run(self) -> Sample:
        seconds, self._counted = asyncio.run(self._compare())
        return Sample(self._found, seconds)

    def check(self) -> None:
        check_rows(self.name, self._counted, self._found)

    async def _compare(self) -> tuple[float, int]:
        clock = FixedClock(datetime(2008, 7, 31, 4, tzinfo=UTC))
        runtime: Runtime = build_runtime(SERVICE, self._settings, clock=clock)
        try:
            began = time.perf_counter()
            async with runtime.database.transaction() as conn:
                run = await run_comparison(conn, runtime, unit=None, as_of=AS_OF, by="bench")
            return time.perf_counter() - began, run.document["lines"]["count"]
        finally:
            await runtime.database.close()


@contextmanager
def world(run: Run) -> Iterator[Sequence[Alternative]]:
    """enrollment's database with the tables filled; nothing else runs."""
    persons, found = run.size.entries * 10, run.size.entries * 10 // 6
    url = run.stage.fresh_databases()["enrollment"]
    with psycopg.connect(url, autocommit=True) as conn:
        told = {"persons": persons, "found": found}
        conn.execute(_PERSONS, told)
        conn.execute(_CENSUS, told)
        conn.execute("VACUUM ANALYZE persons")
        conn.execute("VACUUM ANALYZE census_persons")
    settings = Settings(
        database_url=url,
        bus_database_url=url,
        data_dir=Path(run.stage.folder),
        data_keys=run.stage.keys["DATA_KEYS"],
        hash_keys=run.stage.keys["HASH_KEYS"],
    )
    with ExitStack() as stack:
        limit = PlainJoin(url, found)
        stack.callback(limit.close)
        yield [limit, Comparing(settings, found)]


def read(run: Run, samples: Samples) -> list[Figure]:
    slower = Spread.of(ratios(rates(samples["join"]), rates(samples["comparison"])))
    found = samples["join"][0].rows
    return [
        Figure(
            f"{found:,} persons found compared with {run.size.entries * 10:,} insured, sealed",
            f"{slower.middle:.2f} × the plain join's time ({slower.low:.2f}–{slower.high:.2f}):"
            f" {per_second(samples['comparison'])}, join {per_second(samples['join'])}",
            f"{FLOOR} ×",
            f"{GOAL} ×",
            at_most(slower, FLOOR),
        )
    ]


def measures(run: Run) -> list[Measure]:
    return [
        Measure("comparing", "census against register", partial(world, run), partial(read, run))
    ]
