"""How large a run is, and what it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.benchmarks.stage import Stage

TUNING: Final = (
    "JUDGE_WORKERS",
    "CHUNK_RECORDS",
    "BATCH_MESSAGES",
    "DATABASE_POOL_SIZE",
    "KAFKA_FETCH_MAX_WAIT_MS",
)
"""Settings of the services that may be set for a run; all others are the benchmark's."""


@dataclass(frozen=True)
class Size:
    """How much of everything: ``make bench`` or ``make bench QUICK=1``."""

    rounds: int
    rows: int
    """Records of a round of accept and end to end."""
    requests: tuple[int, ...]
    """Records in a request."""
    peers: tuple[int, ...]
    """The same against other programs."""
    naive_rows: int
    rate_per_second: int
    rate_seconds: int
    entries: int
    """Persons in the ledger; the larger of both worlds has ten times as many."""
    reads: int
    body_megabytes: tuple[int, int]


FULL: Final = Size(
    rounds=5,
    rows=50_000,
    requests=(1_000, 5_000, 50_000),
    peers=(1_000, 5_000),
    naive_rows=3_000,
    rate_per_second=20,
    rate_seconds=20,
    entries=65_000,
    reads=200,
    body_megabytes=(16, 160),
)
QUICK: Final = Size(
    rounds=2,
    rows=10_000,
    requests=(1_000, 5_000),
    peers=(1_000, 5_000),
    naive_rows=1_000,
    rate_per_second=20,
    rate_seconds=5,
    entries=2_000,
    reads=20,
    body_megabytes=(1, 10),
)


@dataclass
class Run:
    """One run over its stage. ``pids`` are the processes a profile is taken of."""

    stage: Stage
    size: Size
    pids: Mapping[str, int] = field(default_factory=dict)

    def watched(self, pids: Mapping[str, int]) -> None:
        """Processes of the world that was just started."""
        self.pids = dict(pids)
