"""The whole demo as somebody who tries it has it: a made city loaded through the public API and
checked, then a second start. Not pinned; packages are installed already."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from kuomian.run import forget_data
from shared.ports import free_ports
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    Measure,
    Miscounted,
    Sample,
    Samples,
    at_most,
    values,
)
from tests.benchmarks.spread import Spread
from tests.benchmarks.stage import PYTHON

FIRST_GOAL, SECOND_GOAL = 120, 60
RECORDS_SAID: Final = " records"


class Starting:
    """One ``kuomian demo`` that stops after its summary; in a folder that is empty or loaded."""

    def __init__(self, name: str, folder: Path, scale: str, fresh: bool) -> None:
        self.name = name
        self._folder, self._scale, self._fresh = folder, scale, fresh
        self._said, self._code = "", -1

    def prepare(self, round_no: int) -> None:
        if self._fresh and self._folder.exists():
            forget_data(self._folder)

    def run(self) -> Sample:
        given = {
            "DATA_DIR": str(self._folder),
            "PORT": str(free_ports(1)[0]),
            "CITY_SCALE": self._scale,
            "ONCE": "1",
        }
        everywhere = frozenset(range(os.cpu_count() or 1))
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, everywhere)
        try:
            began = time.perf_counter()
            done = subprocess.run(
                [PYTHON, "-m", "kuomian", "demo"],
                env=os.environ | given,
                capture_output=True,
                text=True,
                check=False,
            )
            seconds = time.perf_counter() - began
        finally:
            os.sched_setaffinity(0, before)
        self._said, self._code = done.stdout + done.stderr, done.returncode
        return Sample(0, seconds, {"seconds": seconds})

    def check(self) -> None:
        if self._code != 0:
            raise Miscounted(f"{self.name}: exit code {self._code}: {self._said[-500:]}")


@contextmanager
def world(run: Run, scale: str) -> Iterator[Sequence[Alternative]]:
    folder = run.stage.folder / "demo"
    yield [
        Starting("first start", folder, scale, fresh=True),
        Starting("second start", folder, scale, fresh=False),
    ]


def read(scale: str, samples: Samples) -> list[Figure]:
    figures = []
    for name, goal in (("first start", FIRST_GOAL), ("second start", SECOND_GOAL)):
        spread = Spread.of(values(samples[name], "seconds"))
        figures.append(
            Figure(
                f"make demo ONCE=1 CITY_SCALE={scale}, {name}",
                f"{spread.middle:.0f} s ({spread.low:.0f}–{spread.high:.0f})",
                f"{goal} s",
                "",
                at_most(spread, goal) if scale == "1" else None,
            )
        )
    return figures


def measures(run: Run) -> list[Measure]:
    """One round: it is long. A twentieth of the city in a quick run."""
    scale = "1" if run.size.rows >= 50_000 else "0.05"
    return [Measure("demo", "demo", partial(world, run, scale), partial(read, scale), 1)]
