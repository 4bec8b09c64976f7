"""The fault suite: what was broken where, how often, and that nothing was lost by it.

Each test tells the ``faults`` fixture what it did once the sums add up again and the figures equal
the truth; the table of all of them stands at the end of the run.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Fault:
    """One kind of fault at one place, done ``times`` times, with what was seen to hold after it."""

    where: str
    what: str
    times: int
    held: str


_TABLE: list[Fault] = []


class Faults:
    """Where a test reports what it did. Call it last: a fault that was lost by is a failed test."""

    def survived(self, where: str, what: str, *, times: int, held: str) -> None:
        """``where``: process or part; ``what``: the fault; ``held``: what was checked after it,
        in numbers (``"1,204 sent = 1,180 + 20 + 4 + 0; 33 figures equal"``)."""
        _TABLE.append(Fault(where, what, times, held))


@pytest.fixture
def faults() -> Iterator[Faults]:
    yield Faults()


_DRILL: list[str] = []


class Drill:
    """The log of a restore drill: every step with the seconds since it began."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, step: str) -> None:
        _DRILL.append(f"{time.monotonic() - self._began:6.1f} s  {step}")


@pytest.fixture
def drill() -> Drill:
    return Drill()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _DRILL:
        terminalreporter.section("restore drill", sep="-")
        for line in _DRILL:
            terminalreporter.write_line(line)
    if not _TABLE:
        return
    terminalreporter.section("faults survived, nothing lost", sep="-")
    rows = sorted(_TABLE, key=lambda fault: (fault.where, fault.what))
    wide = [max(len(getattr(row, name)) for row in rows) for name in ("where", "what")]
    for row in rows:
        terminalreporter.write_line(
            f"{row.where:<{wide[0]}}  {row.what:<{wide[1]}}  {row.times:>3} ×  {row.held}"
        )
