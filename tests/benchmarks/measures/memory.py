"""Memory over the size of the body: the highest resident size of the door and of its judging
process, each started anew for every body."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.made import LICENCES, Numbers, bodies
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.pushing import NDJSON, Pusher
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    Measure,
    Sample,
    Samples,
    at_most,
    check_rows,
    values,
)
from tests.benchmarks.spread import Spread, ratios
from tests.benchmarks.stage import children_of

FLOOR, GOAL = 1.2, 1.05
MEGABYTE: Final = 1_000_000
PIECE: Final = 64 * 1024
RECORD_BYTES: Final = 314
ROUNDS: Final = 2


class Body:
    """One body of so many megabytes, streamed to a service of its own."""

    kind = NDJSON
    record_bytes = RECORD_BYTES

    def __init__(self, run: Run, databases: dict[str, str], numbers: Numbers, size: int) -> None:
        self.name = f"{size} MB"
        self._run, self._databases, self._numbers = run, databases, numbers
        self._records = size * MEGABYTE // self.record_bytes
        self._file = run.stage.folder / f"body-{size}"
        self._applied = 0

    def written(self, first: int, count: int) -> bytes:
        """Records number ``first`` and on, as the body has them."""
        return bodies(LICENCES.records(first, count), count)[0]

    def prepare(self, round_no: int) -> None:
        with self._file.open("wb") as out:
            left = self._records
            while left:
                part = min(left, 10_000)
                out.write(self.written(self._numbers.take(part), part))
                left -= part

    def run(self) -> Sample:
        stage = self._run.stage
        wanted = [(LICENCES.service, "api")]
        bus = stage.bus_settings("postgres", self._databases)
        with ExitStack() as stack:
            running = stack.enter_context(stage.services(wanted, self._databases, bus))
            [pid] = running.pids.values()
            pusher = Pusher(running.doors[LICENCES.service], stage.tokens, LICENCES)
            stack.callback(pusher.close)
            # The judging process comes with the first record.
            pusher.push(bodies(LICENCES.records(self._numbers.take(1), 1), 1)[0])
            idle = peak_bytes(pid)
            began = time.perf_counter()
            location = pusher.push(_pieces(self._file), wait=False, kind=self.kind)["location"]
            delivery = pusher.finished(location)
            seconds = time.perf_counter() - began
            self._applied = int(delivery["receipt"]["applied"])
            peak = peak_bytes(pid)
        return Sample(
            self._records, seconds, {"peak MB": peak / MEGABYTE, "idle MB": idle / MEGABYTE}
        )

    def check(self) -> None:
        self._file.unlink()
        check_rows(self.name, self._applied, self._records)


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as body:
        while piece := body.read(PIECE):
            yield piece


def peak_bytes(pid: int) -> int:
    """Sum of the highest resident sizes of a process and all below it (``VmHWM``)."""
    total = 0
    for one in (pid, *children_of(pid)):
        try:
            status = Path(f"/proc/{one}/status").read_text("utf-8")
        except OSError:
            continue
        found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        total += 1024 * int(found[0]) if found else 0
    return total


@contextmanager
def world(run: Run) -> Iterator[Sequence[Alternative]]:
    databases, numbers = run.stage.fresh_databases(), Numbers()
    yield [Body(run, databases, numbers, size) for size in run.size.body_megabytes]


def read(run: Run, samples: Samples) -> list[Figure]:
    small, large = (values(samples[f"{size} MB"], "peak MB") for size in run.size.body_megabytes)
    grown = Spread.of(ratios(large, small))
    idle = Spread.of(values(samples[f"{run.size.body_megabytes[0]} MB"], "idle MB"))
    sizes = " against ".join(f"{size} MB" for size in reversed(run.size.body_megabytes))
    return [
        Figure(
            f"peak memory of door and judging process, body of {sizes}",
            f"{grown.middle:.2f} × ({grown.low:.2f}–{grown.high:.2f}):"
            f" {Spread.of(large).middle:.0f} MB, {Spread.of(small).middle:.0f} MB;"
            f" idle {idle.middle:.0f} MB",
            f"{FLOOR} ×",
            f"{GOAL} ×",
            at_most(grown, FLOOR),
        )
    ]


def measures(run: Run) -> list[Measure]:
    return [
        Measure(
            "memory",
            "memory",
            partial(world, run),
            partial(read, run),
            max(1, min(ROUNDS, run.size.rounds - 1)),
        )
    ]
