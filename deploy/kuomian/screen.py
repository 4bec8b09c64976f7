"""Progress for people: a bar on a terminal, now and then a plain line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINE_SECONDS = 5.0
"""How often a plain line is written."""

Counted = Literal["bytes", "records", "facts"]


class Bar(Protocol):
    """Progress of one piece of work."""

    def at(self, done: int, note: str = "") -> None:
        """So much is done now; ``note`` says what is being done."""

    def of(self, done: int, total: int) -> None:
        """So much of so much is done: for work whose size is learnt on the way."""


@contextmanager
def bar(title: str, total: int, counted: Counted) -> Iterator[Bar]:
    """Show progress towards ``total`` on standard error while the block lasts."""
    if sys.stderr.isatty():
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            DownloadColumn() if counted == "bytes" else MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        from rich.console import Console  # noqa: PLC0415

        with Progress(*columns, console=Console(stderr=True), expand=True) as progress:
            shown = _Rich(progress, title, total)
            yield shown
    else:
        lines = _Lines(title, total, counted)
        yield lines
        lines.end()


class _Rich:
    def __init__(self, progress: Progress, title: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=max(1, total), note="")

    def at(self, done: int, note: str = "") -> None:
        self._progress.update(self._task, completed=done, note=note)

    def of(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=max(1, total))


class _Lines:
    def __init__(self, title: str, total: int, counted: Counted) -> None:
        self._title, self._total, self._counted = title, total, counted
        self._began = self._said = time.monotonic()
        self._done = 0

    def at(self, done: int, note: str = "") -> None:
        self._done = done
        if time.monotonic() - self._said >= LINE_SECONDS:
            self._said = time.monotonic()
            self._say(note)

    def of(self, done: int, total: int) -> None:
        self._total = total
        left = (total - done) * (time.monotonic() - self._began) / max(1, done)
        self.at(done, f"约剩 {left:.0f} 秒 · s left" if 0 < done < total else "")

    def end(self) -> None:
        self._say(f"{time.monotonic() - self._began:.1f} s")

    def _say(self, note: str) -> None:
        share = self._done * 100 // max(1, self._total)
        print(
            f"{self._title}: {self._done:,}/{self._total:,} {self._counted} ({share} %) {note}",
            file=sys.stderr,
            flush=True,
        )
