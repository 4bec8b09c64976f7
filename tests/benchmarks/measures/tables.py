"""Tables: the same records as NDJSON, CSV and XLSX, and memory over the size of a CSV body."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

from registration_feed.feeds import BUSINESS_LICENCES
from shared.deliveries.tables.fields import field_specs
from shared.deliveries.tables.template import cell_of
from shared.plan import Plan
from tests.benchmarks.made import LICENCES, Numbers, Record, bodies
from tests.benchmarks.measures import memory
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.pushing import NDJSON, Pusher, warm
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    Measure,
    Sample,
    Samples,
    at_most,
    check_rows,
    per_second,
    share_of,
    values,
)
from tests.benchmarks.spread import Spread, ratios
from tests.tables.made import XLSX, csv_of, xlsx_of

CSV: Final = "text/csv"
FIELDS: Final = field_specs(BUSINESS_LICENCES, Plan.default())
FLOOR = 1.2


def rows_of(records: Sequence[Record]) -> list[list[str]]:
    """One row a record, columns as in the template."""
    return [[cell_of(one, record.get(one.name)) for one in FIELDS] for record in records]


HEADING: Final = [one.zh for one in FIELDS]


def written(kind: str, records: Sequence[Record]) -> bytes:
    """The records as one body."""
    if kind == NDJSON:
        return bodies(records, len(records))[0]
    rows = [HEADING, *rows_of(records)]
    return csv_of(rows, "gb18030") if kind == CSV else xlsx_of(rows)


class Form:
    """One delivery of the round's records in one form, waited for."""

    def __init__(self, name: str, kind: str, pusher: Pusher, numbers: Numbers, rows: int) -> None:
        self.name, self._kind = name, kind
        self._pusher, self._numbers, self._rows = pusher, numbers, rows
        self._body, self._applied = b"", 0

    def prepare(self, round_no: int) -> None:
        first = self._numbers.take(self._rows)
        self._body = written(self._kind, LICENCES.records(first, self._rows))

    def run(self) -> Sample:
        began = time.perf_counter()
        location = self._pusher.push(self._body, wait=False, kind=self._kind)["location"]
        delivery = self._pusher.finished(location)
        seconds = time.perf_counter() - began
        self._applied = int(delivery["receipt"]["applied"])
        return Sample(self._rows, seconds)

    def check(self) -> None:
        check_rows(self.name, self._applied, self._rows)


@contextmanager
def world(run: Run) -> Iterator[Sequence[Alternative]]:
    """registration-feed with its door and judging process."""
    stage = run.stage
    databases = stage.fresh_databases()
    bus = stage.bus_settings("postgres", databases)
    with ExitStack() as stack:
        running = stack.enter_context(stage.services([(LICENCES.service, "api")], databases, bus))
        run.watched(running.pids)
        pusher = Pusher(running.doors[LICENCES.service], stage.tokens, LICENCES)
        stack.callback(pusher.close)
        numbers = Numbers()
        warm(pusher, LICENCES, numbers)
        yield [
            Form(name, kind, pusher, numbers, run.size.rows)
            for name, kind in (("ndjson", NDJSON), ("csv", CSV), ("xlsx", XLSX))
        ]


def read(run: Run, samples: Samples) -> list[Figure]:
    return [
        Figure(
            f"table of {run.size.rows:,} records as {name.upper()}",
            f"{share.middle:.0f} % of NDJSON ({share.low:.0f}–{share.high:.0f}):"
            f" {per_second(samples[name])}, NDJSON {per_second(samples['ndjson'])}",
        )
        for name in ("csv", "xlsx")
        for share in [share_of(samples[name], samples["ndjson"])]
    ]


class CsvBody(memory.Body):
    """As the body of ``memory``, as CSV."""

    kind = CSV
    record_bytes = 155
    _started = False

    def prepare(self, round_no: int) -> None:
        self._started = False
        super().prepare(round_no)

    def written(self, first: int, count: int) -> bytes:
        rows = rows_of(LICENCES.records(first, count))
        rows = rows if self._started else [HEADING, *rows]
        self._started = True
        return csv_of(rows, "gb18030")


@contextmanager
def growing(run: Run) -> Iterator[Sequence[Alternative]]:
    databases, numbers = run.stage.fresh_databases(), Numbers()
    yield [CsvBody(run, databases, numbers, size) for size in run.size.body_megabytes]


def read_memory(run: Run, samples: Samples) -> list[Figure]:
    small, large = (values(samples[f"{size} MB"], "peak MB") for size in run.size.body_megabytes)
    grown = Spread.of(ratios(large, small))
    sizes = " against ".join(f"{size} MB" for size in reversed(run.size.body_megabytes))
    return [
        Figure(
            f"peak memory of door and judging process, CSV of {sizes}",
            f"{grown.middle:.2f} × ({grown.low:.2f}–{grown.high:.2f}):"
            f" {Spread.of(large).middle:.0f} MB, {Spread.of(small).middle:.0f} MB",
            f"{FLOOR} ×",
            "",
            at_most(grown, FLOOR),
        )
    ]


def measures(run: Run) -> list[Measure]:
    rounds = max(1, min(memory.ROUNDS, run.size.rounds - 1))
    return [
        Measure("tables", "tables", partial(world, run), partial(read, run)),
        Measure(
            "tables-memory",
            "memory over CSV",
            partial(growing, run),
            partial(read_memory, run),
            rounds,
        ),
    ]
