"""The fault suite: what was broken where, how often, and that nothing was lost by it.

Each test tells the ``faults`` fixture what it did once the sums add up again and the figures equal
the truth; the table of all of them stands at the end of the run.
"""

import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import Any

import pytest

FAULT, STEP = "fault", "drill"
"""What tests say travels as properties of their reports, also from another worker process."""


@dataclass(frozen=True)
class Fault:
    """One kind of fault at one place, done ``times`` times, with what was seen to hold after it."""

    where: str
    what: str
    times: int
    held: str


class Faults:
    """Where a test reports what it did. Call it last: a fault that was lost by is a failed test."""

    def __init__(self, node: pytest.Item) -> None:
        self._said = node.user_properties

    def survived(self, where: str, what: str, *, times: int, held: str) -> None:
        """``where``: process or part; ``what``: the fault; ``held``: what was checked after it,
        in numbers (``"1,204 sent = 1,180 + 20 + 4 + 0; 33 figures equal"``)."""
        self._said.append((FAULT, astuple(Fault(where, what, times, held))))


@pytest.fixture
def faults(request: pytest.FixtureRequest) -> Faults:
    return Faults(request.node)


class Drill:
    """The log of a restore drill: every step with the seconds since it began."""

    def __init__(self, node: pytest.Item) -> None:
        self._said = node.user_properties
        self._began = time.monotonic()

    def say(self, step: str) -> None:
        self._said.append((STEP, f"{time.monotonic() - self._began:6.1f} s  {step}"))


@pytest.fixture
def drill(request: pytest.FixtureRequest) -> Drill:
    return Drill(request.node)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if steps := list(_said(terminalreporter, STEP, "passed", "failed")):
        terminalreporter.section("restore drill", sep="-")
        for line in steps:
            terminalreporter.write_line(line)
    table = [Fault(*fault) for fault in _said(terminalreporter, FAULT, "passed")]
    if not table:
        return
    terminalreporter.section("faults survived, nothing lost", sep="-")
    rows = sorted(table, key=lambda fault: (fault.where, fault.what))
    wide = [max(len(getattr(row, name)) for row in rows) for name in ("where", "what")]
    for row in rows:
        terminalreporter.write_line(
            f"{row.where:<{wide[0]}}  {row.what:<{wide[1]}}  {row.times:>3} ×  {row.held}"
        )


def _said(reporter: pytest.TerminalReporter, what: str, *outcomes: str) -> Iterator[Any]:
    for outcome in outcomes:
        for report in reporter.stats.get(outcome, []):
            if report.when == "call":
                yield from (value for name, value in report.user_properties if name == what)
