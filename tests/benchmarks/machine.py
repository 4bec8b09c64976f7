"""The machine the figures are of: cores, load, file system, and who runs where."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUSY = 0.5
"""A load average above this at the start is warned of: somebody else works here."""


@dataclass(frozen=True)
class Placing:
    """Which cores Python has (the service and, for the limits, the driver) and which all servers
    (PostgreSQL, Kafka, and the driver while a service works). Empty sets: the system decides."""

    python: frozenset[int] = frozenset()
    server: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Placing:
        """``auto``, ``off``, or ``0/1`` and ``0,1/2,3``: Python's cores / the servers' cores.

        Raises ValueError for anything else, and for cores this process may not use.
        """
        may = _may_use()
        if text == "off" or (text == "auto" and len(may) < 2):
            return cls()
        if text == "auto":
            first, *others = sorted(may)
            return cls(frozenset({first}), frozenset(others))
        python, _, server = text.partition("/")
        placing = cls(_cores(python), _cores(server))
        if not placing.python or not placing.server or (placing.python | placing.server) - may:
            raise ValueError(f"PIN={text}: auto, off, or cores as in 0/1, of {sorted(may)}")
        return placing

    @contextmanager
    def on(self, cores: frozenset[int]) -> Iterator[None]:
        """Run a block, and start the processes it starts, on these cores."""
        if not cores:
            yield
            return
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)

    def __str__(self) -> str:
        if not self.python:
            return "not pinned"
        return f"Python on {_listed(self.python)}, servers on {_listed(self.server)}"


def _cores(text: str) -> frozenset[int]:
    return frozenset(int(part) for part in text.split(",") if part.strip())


def _listed(cores: frozenset[int]) -> str:
    return "core " + ", ".join(map(str, sorted(cores)))


def _may_use() -> set[int]:
    """The cores this process may use; none to choose from where the system cannot pin."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def load_average() -> float:
    """Runnable processes over the last minute."""
    return os.getloadavg()[0]


def described(folder: Path) -> dict[str, str]:
    """What a reader has to know of the machine; ``folder`` is where the databases lie."""
    return {
        "machine": f"{os.cpu_count()} × {_processor()}, {_memory()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "file system": _file_system(folder),
        "commit": _commit(),
        "load at start": f"{load_average():.2f}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory() -> str:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{pages / 2**30:.0f} GiB"


def _file_system(folder: Path) -> str:
    done = subprocess.run(
        ["df", "--output=fstype", str(folder)], capture_output=True, text=True, check=False
    )
    return done.stdout.split()[-1] if done.returncode == 0 else "unknown"


def _commit() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = "+" if git("status", "--porcelain", "-uno") else ""
    return (git("rev-parse", "--short", "HEAD") or "unknown") + changed
