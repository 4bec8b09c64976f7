"""What a measure is, and how its rounds are run.

A *measure* has a world (servers and services, started once) and *alternatives* to run in it, the
limit among them. Every round runs every alternative once, each time beginning with another one,
on rows nobody has seen before; each says how many rows it dealt with in how many seconds, and
then proves that they are there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from tests.benchmarks.spread import Spread, ratios, rotated


class Miscounted(AssertionError):
    """Rows are not where an alternative says it put them: its time means nothing."""


@dataclass(frozen=True)
class Sample:
    """One run: rows dealt with, in how many seconds of the wall clock.

    ``values`` are what is measured beside it, by name (milliseconds, bytes).
    """

    rows: int
    seconds: float
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


class Alternative(Protocol):
    """One way of doing the work. Methods are called in this order, once a round."""

    @property
    def name(self) -> str:
        """Unique within the measure."""
        ...

    def prepare(self, round_no: int) -> None:
        """Make the round's rows; not timed."""
        ...

    def run(self) -> Sample:
        """Do the work; times itself."""
        ...

    def check(self) -> None:
        """Raise Miscounted unless exactly the round's rows are where they belong; not timed."""
        ...


Samples: TypeAlias = Mapping[str, Sequence[Sample]]
"""By alternative, one for each round."""


@dataclass(frozen=True)
class Figure:
    """One row of the table."""

    what: str
    value: str
    floor: str = ""
    goal: str = ""
    met: bool | None = None
    """Whether the floor is reached; None where there is none."""
    command: str = ""


@dataclass(frozen=True)
class Measure:
    """One measure: how to start it, and what its samples say."""

    name: str
    title: str
    world: Callable[[], AbstractContextManager[Sequence[Alternative]]]
    read: Callable[[Samples], list[Figure]]
    rounds: int | None = None
    """Fewer than the run's where a round is long and steady."""


class LeftOut(Exception):
    """The measure cannot be taken on this machine; the text says why."""


def check_rows(what: str, found: int, wanted: int) -> None:
    """Raise Miscounted unless the counts agree."""
    if found != wanted:
        raise Miscounted(f"{what}: {found:,} rows, {wanted:,} were sent")


def run_rounds(
    alternatives: Sequence[Alternative],
    rounds: int,
    say: Callable[[str], None],
    around: Callable[[Alternative], AbstractContextManager[None]],
) -> dict[str, list[Sample]]:
    """Run all rounds, in an order that rotates. ``around`` is entered for the timed part only."""
    samples: dict[str, list[Sample]] = {one.name: [] for one in alternatives}
    for round_no in range(rounds):
        for one in rotated(alternatives, round_no):
            one.prepare(round_no)
            with around(one):
                sample = one.run()
            one.check()
            samples[one.name].append(sample)
            say(f"    {round_no + 1}/{rounds} {one.name}: {told(sample)}")
    return samples


def told(sample: Sample) -> str:
    """A sample in words."""
    parts = [f"{sample.rate:,.0f}/s"] if sample.rows else []
    parts += [f"{name} {value:,.2f}" for name, value in sample.values.items()]
    return "  ".join([*parts, f"({sample.rows:,} in {sample.seconds:.2f} s)"])


def rates(samples: Sequence[Sample]) -> list[float]:
    """Rows a second, round by round."""
    return [sample.rate for sample in samples]


def values(samples: Sequence[Sample], name: str) -> list[float]:
    """One of the values, round by round."""
    return [sample.values[name] for sample in samples]


def per_second(samples: Sequence[Sample]) -> str:
    """``9,876/s (9,500–10,100)``."""
    spread = Spread.of(rates(samples))
    return f"{spread.middle:,.0f}/s ({spread.low:,.0f}–{spread.high:,.0f})"


def milliseconds(values_of_rounds: Sequence[float]) -> str:
    """``3.2 ms (3.0–3.4)``."""
    spread = Spread.of(values_of_rounds)
    return f"{spread.middle:,.1f} ms ({spread.low:,.1f}–{spread.high:,.1f})"


def share_of(samples: Sequence[Sample], limit: Sequence[Sample]) -> Spread:
    """Rate over the limit's rate in the same round, in per cent."""
    return Spread.of([100 * ratio for ratio in ratios(rates(samples), rates(limit))])


def times(samples: Sequence[Sample], other: Sequence[Sample]) -> Spread:
    """How many times the other's rate, round by round."""
    return Spread.of(ratios(rates(samples), rates(other)))


def at_least(spread: Spread, floor: float) -> bool:
    """Whether the median reaches a floor that is a least value."""
    return spread.middle >= floor


def at_most(spread: Spread, floor: float) -> bool:
    """Whether the median keeps below a floor that is a most value."""
    return spread.middle <= floor


def as_json(samples: Samples) -> dict[str, Any]:
    """Samples as the record of a run keeps them."""
    document: dict[str, Any] = json.loads(
        json.dumps(
            {
                name: [
                    {"rows": one.rows, "seconds": one.seconds, "values": dict(one.values)}
                    for one in runs
                ]
                for name, runs in samples.items()
            }
        )
    )
    return document
