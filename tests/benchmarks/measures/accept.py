"""Accept: a POST answered, its records judged, stored and receipted, their facts in the outbox."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from tests.benchmarks.limits import CopyOfPrepared
from tests.benchmarks.made import LICENCES, PERSONS, Made, Numbers, bodies
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.pushing import Meter, Pusher, applied_in, warm
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    Measure,
    Sample,
    Samples,
    at_least,
    check_rows,
    per_second,
    share_of,
)

FLOOR, GOAL = 20, 45


class Accepting:
    """Requests of one size, one after another, each waiting for its receipt."""

    def __init__(
        self, name: str, pusher: Pusher, meters: Meters, made: Made, rows: int, size: int
    ) -> None:
        self.name = name
        self._pusher, self._meters, self._made = pusher, meters, made
        self._rows, self._size = rows, size
        self._bodies: list[bytes] = []
        self._applied = 0

    def prepare(self, round_no: int) -> None:
        first = self._meters.numbers.take(self._rows)
        self._bodies = bodies(self._made.records(first, self._rows), self._size)

    def run(self) -> Sample:
        began = time.perf_counter()
        receipts = self._pusher.push_all(self._bodies)
        seconds = time.perf_counter() - began
        self._applied = applied_in(receipts)
        return Sample(self._rows, seconds)

    def check(self) -> None:
        check_rows(f"{self.name}: receipts", self._applied, self._rows)
        self._meters.grown(self.name, self._rows, len(self._bodies))


class Meters:
    """Rows and facts in the service's own database, and the numbers used up so far."""

    def __init__(self, url: str, table: str, numbers: Numbers) -> None:
        self.numbers = numbers
        self._rows = Meter(url, f"SELECT count(*) FROM {table}")
        self._facts = Meter(url, "SELECT sum(fact_count) FROM outbox_blocks")
        self._had = (self._rows.read(), self._facts.read())

    def grown(self, name: str, rows: int, deliveries: int) -> None:
        """Raise Miscounted unless rows and facts are those of before and the round's: a fact for
        each record and one for each delivery."""
        before, self._had = self._had, (self._rows.read(), self._facts.read())
        check_rows(f"{name}: table", self._had[0] - before[0], rows)
        check_rows(f"{name}: outbox", self._had[1] - before[1], rows + deliveries)

    def close(self) -> None:
        """End the sessions."""
        self._rows.close()
        self._facts.close()


@contextmanager
def world(run: Run, made: Made, table: str) -> Iterator[Sequence[Alternative]]:
    """The service with its door and judging processes; no relay, so that facts stay put."""
    stage = run.stage
    databases = stage.fresh_databases()
    plain = stage.fresh_database("bench")
    bus = stage.bus_settings("postgres", databases)
    with ExitStack() as stack:
        running = stack.enter_context(stage.services([(made.service, "api")], databases, bus))
        run.watched(running.pids)
        pusher = Pusher(running.doors[made.service], stage.tokens, made)
        stack.callback(pusher.close)
        numbers = Numbers()
        warm(pusher, made, numbers)
        meters = Meters(databases[made.service], table, numbers)
        stack.callback(meters.close)
        alternatives: list[Alternative] = []
        for size in run.size.requests:
            rows = max(run.size.rows, size)
            limit = CopyOfPrepared(plain, made, Numbers(), size, stage.placing, f"copy {size}")
            stack.callback(limit.close)
            alternatives += [
                limit,
                Accepting(f"accept {size}", pusher, meters, made, rows, size),
            ]
        yield alternatives


def read(run: Run, made: Made, samples: Samples) -> list[Figure]:
    """One row per size of request; the floor is for each."""
    figures = []
    for size in run.size.requests:
        share = share_of(samples[f"accept {size}"], samples[f"copy {size}"])
        figures.append(
            Figure(
                f"accept {made.feed}, {size:,} a request",
                f"{share.middle:.1f} % of COPY ({share.low:.1f}–{share.high:.1f}):"
                f" {per_second(samples[f'accept {size}'])},"
                f" COPY {per_second(samples[f'copy {size}'])}",
                f"{FLOOR} %",
                f"{GOAL} %",
                at_least(share, FLOOR),
            )
        )
    return figures


def measures(run: Run) -> list[Measure]:
    """Licences, the simplest feed, and persons, the one that encrypts."""
    return [
        Measure(
            name,
            f"accept: {made.feed}",
            partial(world, run, made, table),
            partial(read, run, made),
        )
        for name, made, table in (
            ("accept", LICENCES, "business_licences"),
            ("accept-persons", PERSONS, "persons"),
        )
    ]
