"""What the demo remembers of a load, so that a further start goes on, or serves at once.

``demo/city.json`` says which city is being or was loaded and, once it is, what is true of it;
``demo/pushed.jsonl`` has one line per push that has its answer, ``demo/done.jsonl`` one per deed of
an officer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from kuomian.city import City, Planned
from kuomian.data_dir import write_private


@dataclass(frozen=True)
class Answer:
    """What became of one push."""

    push: str
    """``push_id`` of the planned delivery."""
    service: str
    feed: str
    kind: str
    sent: int
    counts: dict[str, int]
    expected: dict[str, int]
    problems: dict[str, int] = field(default_factory=dict)
    delivery: str = ""
    receipt: str = ""
    """SHA-256 of the receipt, to tell whether another push was given the same."""
    refused: str = ""
    """Problem code of a delivery refused whole."""
    plants: str = ""
    """The kind of mess that all its records are."""
    began: float = 0.0
    ended: float = 0.0
    """Seconds since the load began, by the driver's clock."""

    @property
    def as_expected(self) -> bool:
        """Whether the receipt says what the city expects of this push."""
        if self.kind == "cut":
            return self.refused == "body-truncated"
        return not self.refused and self.counts == self.expected


@dataclass(frozen=True)
class Done:
    """What became of an officer's deed."""

    name: str
    expected: str
    """Problem code it must be refused with; empty where it must be let through."""
    refused: str


@dataclass
class Loaded:
    """Which city, and once loaded everything the summary needs besides the figures."""

    seed: int
    scale: float
    plan: str
    done: bool = False
    described: str = ""
    closing_at: str = ""
    truth: dict[str, dict[str, int]] = field(default_factory=dict)
    """Measure → unit → value at the closing cut-off."""
    truth_on: str = ""
    planted: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    """From the first push until every fact was applied, over all starts."""

    def same_city(self, other: Loaded) -> bool:
        return (self.seed, self.scale, self.plan) == (other.seed, other.scale, other.plan)


def push_id(planned: Planned) -> str:
    """Names a push within a city: ``again`` and ``cut`` share their key with another."""
    return f"{planned.service}/{planned.feed}/{planned.role}/{planned.key}/{planned.kind}"


def expected_counts(planned: Planned) -> dict[str, int]:
    """The four counts the receipt should show."""
    return {
        "applied": planned.applied,
        **{name: planned.expect.get(name, 0) for name in ("duplicate", "rejected", "held")},
    }


class Memory:
    """The files below ``DATA_DIR/demo``."""

    def __init__(self, data_dir: Path) -> None:
        self._city = data_dir / "demo" / "city.json"
        self._pushed = data_dir / "demo" / "pushed.jsonl"
        self._deeds = data_dir / "demo" / "done.jsonl"

    def find(self) -> Loaded | None:
        """The city loaded, or being loaded, in this folder; None for a new folder."""
        try:
            return Loaded(**json.loads(self._city.read_text("utf-8")))
        except FileNotFoundError:
            return None

    def keep(self, loaded: Loaded) -> None:
        """Remember the city."""
        write_private(self._city, json.dumps(asdict(loaded), ensure_ascii=False, indent=1))

    def add(self, answer: Answer) -> None:
        """Remember an answered push."""
        _append(self._pushed, answer)

    def note(self, done: Done) -> None:
        """Remember a deed."""
        _append(self._deeds, done)

    def answers(self) -> dict[str, Answer]:
        """The answered pushes, by ``push_id``; a line cut off by a kill is left out."""
        return {answer.push: answer for answer in _lines(self._pushed, Answer)}

    def done(self) -> dict[str, Done]:
        """The deeds done or refused, by name; a line cut off by a kill is left out."""
        return {done.name: done for done in _lines(self._deeds, Done)}


def _append(path: Path, one: Answer | Done) -> None:
    with path.open("a", encoding="utf-8") as file:
        # The line break comes first: a line cut off by a kill must not spoil the next one.
        file.write("\n" + json.dumps(asdict(one)))


Line = TypeVar("Line", Answer, Done)


def _lines(path: Path, kind: type[Line]) -> Iterator[Line]:
    if not path.exists():
        return
    for line in path.read_text("utf-8").splitlines():
        try:
            yield kind(**json.loads(line))
        except (ValueError, TypeError):
            continue


def closing_truth(city: City, measures: tuple[str, ...], units: list[str], on: Any) -> Any:
    """Measure → unit → true value on the day."""
    return {
        measure: {unit: city.truth.at(measure, unit, on) for unit in units} for measure in measures
    }
