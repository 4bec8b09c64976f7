"""What a report and the way into a figure cost, at one and at ten times the entries."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

import httpx

from tests.benchmarks.filling import PAST_DEKAD, RECEIPT_PERIOD, THIS_DEKAD, filled
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    Measure,
    Miscounted,
    Sample,
    Samples,
    at_most,
    milliseconds,
    values,
)
from tests.benchmarks.spread import Spread, percentile, ratios
from tests.benchmarks.stage import Whole

TENFOLD: Final = 10
CITY: Final = "210500"
API: Final = "/reporting/v1"
REPORT_FLOOR, REPORT_GOAL = 10, 3
GROWTH_FLOOR, GROWTH_GOAL = 1.3, 1.1
MEMBERS_FLOOR, MEMBERS_GOAL = 20, 5

PATHS: Final[Mapping[str, str]] = {
    "progress of the city": f"{API}/progress?period={THIS_DEKAD}",
    "members, this dekad": f"{API}/figures/insured-total.{CITY}.{THIS_DEKAD}.this-dekad/members",
    "members, past dekad": f"{API}/figures/insured-total.{CITY}.{PAST_DEKAD}.this-dekad/members",
    "members, cumulative": f"{API}/figures/insured-total.{CITY}.{THIS_DEKAD}.cumulative/members",
    "members, pooled fund": f"{API}/figures/pooled-fund.{CITY}.{RECEIPT_PERIOD}.cumulative/members",
}
REPORT: Final = "progress of the city"


class Reading:
    """One address read again and again; the server's own time is in ``Server-Timing``."""

    def __init__(self, name: str, client: httpx.Client, path: str, reads: int) -> None:
        self.name = name
        self._client, self._path, self._reads = client, path, reads
        self._answer = ""

    def prepare(self, round_no: int) -> None:
        self._read()  # plans and pages are in memory: what is measured is the steady state

    def run(self) -> Sample:
        server: list[float] = []
        whole: list[float] = []
        began = time.perf_counter()
        for _ in range(self._reads):
            at = time.perf_counter()
            server.append(self._read())
            whole.append(1000 * (time.perf_counter() - at))
        figures = {
            "server": percentile(server, 0.5),
            "p99": percentile(server, 0.99),
            "whole": percentile(whole, 0.5),
        }
        return Sample(self._reads, time.perf_counter() - began, figures)

    def check(self) -> None:
        answer = self._answer
        # An empty list would be read fast.
        if '"items":[]' in answer or len(answer) < 500:
            raise Miscounted(f"{self.name}: {answer[:200]}")

    def _read(self) -> float:
        answer = self._client.get(self._path)
        answer.raise_for_status()
        self._answer = answer.text
        return float(answer.headers["Server-Timing"].partition("dur=")[2])


def _name(what: str, times: int) -> str:
    return f"{what} ×{times}"


@contextmanager
def world(run: Run) -> Iterator[Sequence[Alternative]]:
    """Two ledgers side by side, each behind an all-in-one that has nothing else to do."""
    with ExitStack() as stack:
        alternatives: list[Alternative] = []
        for times in (1, TENFOLD):
            whole: Whole = stack.enter_context(
                filled(run, f"ledger-{times}", run.size.entries * times)
            )
            run.watched({**run.pids, f"ledger-{times}": whole.pid})
            client = httpx.Client(
                base_url=whole.url,
                headers={"Authorization": f"Bearer {whole.tokens['auditor']}"},
                timeout=60,
                trust_env=False,
            )
            stack.callback(client.close)
            alternatives += [
                Reading(_name(what, times), client, path, run.size.reads)
                for what, path in PATHS.items()
            ]
        yield alternatives


def read(run: Run, samples: Samples) -> list[Figure]:
    figures = []
    entries = run.size.entries * TENFOLD
    for what in PATHS:
        once, tenfold = samples[_name(what, 1)], samples[_name(what, TENFOLD)]
        report = what == REPORT
        floor, goal = (REPORT_FLOOR, REPORT_GOAL) if report else (MEMBERS_FLOOR, MEMBERS_GOAL)
        server = Spread.of(values(tenfold, "server"))
        growth = Spread.of(ratios(values(tenfold, "server"), values(once, "server")))
        figures.append(
            Figure(
                f"{what}, {'' if report else 'first page, '}{entries:,} persons, server time",
                f"{milliseconds(values(tenfold, 'server'))}, p99"
                f" {milliseconds(values(tenfold, 'p99'))}, with the way there and back"
                f" {milliseconds(values(tenfold, 'whole'))}",
                f"{floor} ms",
                f"{goal} ms",
                at_most(server, floor),
            )
        )
        figures.append(
            Figure(
                f"{what}: at ten times the entries",
                f"{growth.middle:.2f} × ({growth.low:.2f}–{growth.high:.2f}) of"
                f" {milliseconds(values(once, 'server'))}",
                f"{GROWTH_FLOOR} ×" if report else "",
                f"{GROWTH_GOAL} ×" if report else "",
                at_most(growth, GROWTH_FLOOR) if report else None,
            )
        )
    return figures


def measures(run: Run) -> list[Measure]:
    return [Measure("reports", "report and members", partial(world, run), partial(read, run))]
