"""All measures, in the chapters they are run in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.benchmarks.measures import (
    accept,
    comparing,
    datasette,
    demo,
    end_to_end,
    growth,
    latency,
    leads,
    matching,
    memory,
    naive,
    rebuild,
    reports,
    tables,
)
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.rounds import Measure
from tests.benchmarks.statements import OPTIONS


@dataclass(frozen=True)
class Chapter:
    """Measures that are run and written together, and what their server is started with."""

    measures: Callable[[Run], list[Measure]]
    options: Mapping[str, str] = field(default_factory=dict)


def _daily(run: Run) -> list[Measure]:
    first = (accept, end_to_end, datasette, naive, latency)
    modules = (*first, reports, rebuild, memory, tables, comparing, leads, matching)
    return [measure for module in modules for measure in module.measures(run)]


CHAPTERS: Final = {
    "bench": Chapter(_daily),
    "demo": Chapter(demo.measures),
    "growth": Chapter(growth.measures, OPTIONS),
}
"""``make bench``, ``make bench DEMO=1``, ``make bench GROWTH=1``."""
