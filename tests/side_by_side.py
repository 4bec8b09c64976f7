"""All tests in two pytest processes at once: ``python -m tests.side_by_side [pytest options]``.

Tests of whole systems (``tests/e2e``, ``tests/faults``) mostly wait for processes they started, the
others mostly compute. Side by side they take two thirds of the time they take one after the other.
Each process has its own PostgreSQL and broker; nothing is shared but the cache of Kafka's jars, and
fetching that is safe. Every line says which of the two it is from; the last adds both up.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parent
SYSTEMS: Final = (str(TESTS / "e2e"), str(TESTS / "faults"))
GROUPS: Final = {
    "systems": SYSTEMS,
    "pieces": (str(TESTS), *(f"--ignore={folder}" for folder in SYSTEMS)),
}
_SUMMARY: Final = re.compile(r"^=+ (?P<counts>.*) in [0-9.]+s\b.*=+$")
_COUNT: Final = re.compile(r"(\d+) (\w+)")
_NOTHING_COLLECTED: Final = 5
PLENTY: Final = 16 * 1024**3
"""Bytes of available memory from which on temporary folders lie there: all tests at once take 12
GiB, 7 of them in files."""

Counts = Counter[str]


def counts_of(line: str) -> Counts | None:
    """What a closing line of pytest counts, by outcome; None for any other line."""
    found = _SUMMARY.match(line.strip())
    if found is None:
        return None
    return Counter({name: int(number) for number, name in _COUNT.findall(found["counts"])})


class Group(threading.Thread):
    """One pytest process; its lines are passed on as they come."""

    def __init__(self, name: str, arguments: list[str]) -> None:
        super().__init__(name=name)
        self.counts: Counts = Counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-o", f"cache_dir=.pytest_cache/{name}", *arguments],
            cwd=TESTS.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def run(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            _say(f"{self.name} | {line.rstrip()}")
            self.counts = counts_of(line) or self.counts
        self.process.wait()


@contextmanager
def in_memory(shared: Path = Path("/dev/shm")) -> Iterator[None]:
    """Temporary folders in memory while the block lasts, where the machine has plenty: the tests
    make and drop hundreds of small databases, and what they wait for most is the disk."""
    try:
        found = os.statvfs(shared)
        free = min(found.f_bavail * found.f_frsize, _available())
        usable = not found.f_flag & os.ST_NOEXEC and os.access(shared, os.W_OK)
    except (OSError, ValueError):
        free, usable = 0, False
    if not usable or free < PLENTY or "TMPDIR" in os.environ:
        yield
        return
    # Open to all as /tmp is: as root the databases run under another user.
    folder = Path(tempfile.mkdtemp(prefix="kuomian-tests-", dir=shared))
    folder.chmod(0o1777)
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        del os.environ["TMPDIR"]
        shutil.rmtree(folder, ignore_errors=True)


def _available() -> int:
    """Bytes of memory that can be had without swapping, 0 where the system does not say."""
    lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    told = (line.split() for line in lines if line.startswith("MemAvailable:"))
    return next((int(words[1]) * 1024 for words in told), 0)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(options: list[str]) -> int:
    """Run both groups; 0 only when both passed and ran something."""
    with in_memory():
        return _both(options)


def _both(options: list[str]) -> int:
    began = time.monotonic()
    groups = [Group(name, [*where, *options]) for name, where in GROUPS.items()]
    for group in groups:
        group.start()
    try:
        for group in groups:
            group.join()
    except KeyboardInterrupt:
        # The terminal has interrupted both processes too: they put away what they started.
        for group in groups:
            group.join()
    codes = [group.process.returncode for group in groups]
    total: Counts = sum((group.counts for group in groups), Counter())
    told = ", ".join(f"{number} {name}" for name, number in sorted(total.items()))
    _say(f"==== {told or 'no tests ran'} in {time.monotonic() - began:.2f}s ====")
    # With -k one of the two may well have nothing to do.
    ran = [code for code in codes if code != _NOTHING_COLLECTED]
    return max(map(abs, ran)) if ran else _NOTHING_COLLECTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
