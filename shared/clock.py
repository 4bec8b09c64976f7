"""Where every "now" of the product comes from.

``RealClock`` everywhere but in the demo; ``DemoClock`` is set by the demo driver and ticks on;
``FixedClock`` stands still for tests. Token expiry is no business of these clocks: it always
uses real time.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from shared.periods import local_date

ClockKind: TypeAlias = Literal["real", "demo"]


class Clock(Protocol):
    """A source of "now". Receipts carry its ``kind``."""

    @property
    def kind(self) -> ClockKind: ...

    def now(self) -> datetime:
        """The moment, aware UTC."""
        ...

    def today(self) -> date:
        """The calendar day in Asia/Shanghai."""
        ...


class ClockError(ValueError):
    """A clock that cannot be set or whose kept state cannot be read."""


class RealClock:
    """The machine's clock."""

    kind: ClockKind = "real"

    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> date:
        return local_date(self.now())


class FixedClock:
    """Stands still until set or advanced; for tests."""

    def __init__(self, at: datetime, kind: ClockKind = "real") -> None:
        self.kind: ClockKind = kind
        self._at = _in_utc(at)

    def now(self) -> datetime:
        return self._at

    def today(self) -> date:
        return local_date(self._at)

    def set(self, at: datetime) -> None:
        """Stand at the moment from now on; ClockError for a naive one."""
        self._at = _in_utc(at)

    def advance(self, by: timedelta) -> None:
        """Move on by the span."""
        self._at += by


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A demo moment, the monotonic reading it belongs to, and the state file it was read from."""

    at: datetime
    monotonic: float
    file: tuple[int, int] | None


class DemoClock:
    """Set to a moment, ticks on from there with real elapsed time, survives restarts.

    The moment set and the real time of setting are kept in a small JSON file, replaced
    atomically. A restarted process goes on from them, so that time spent stopped counts and the
    clock never runs back by itself. Processes sharing the file follow a setting made in any of
    them. Without a file the clock starts at ``start`` (the real time by default), which is kept.
    ClockError when the file cannot be understood.
    """

    kind: ClockKind = "demo"

    def __init__(self, path: Path, start: datetime | None = None) -> None:
        self._path = path
        if _which(path) is not None:
            self._anchor = self._read()
        else:
            self._anchor = self._keep(start if start is not None else datetime.now(UTC))

    def now(self) -> datetime:
        file = _which(self._path)
        if file is not None and file != self._anchor.file:
            self._anchor = self._read()
        anchor = self._anchor
        return anchor.at + timedelta(seconds=time.monotonic() - anchor.monotonic)

    def today(self) -> date:
        return local_date(self.now())

    def set(self, at: datetime) -> None:
        """Go on from the moment, earlier or later; kept before it returns."""
        self._anchor = self._keep(at)

    def _keep(self, at: datetime) -> _Anchor:
        at = _in_utc(at)
        state = {"at": at.isoformat(), "set_at": datetime.now(UTC).isoformat()}
        file = _write_atomically(self._path, json.dumps(state))
        return _Anchor(at, time.monotonic(), file)

    def _read(self) -> _Anchor:
        # Before reading: should it be replaced meanwhile, the next look finds another file.
        file = _which(self._path)
        try:
            state = json.loads(self._path.read_text("utf-8"))
            at = _in_utc(datetime.fromisoformat(state["at"]))
            set_at = _in_utc(datetime.fromisoformat(state["set_at"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ClockError(
                f"the demo clock's state in {self._path.name} cannot be read; "
                "remove it to start anew"
            ) from error
        # A machine clock set back must not turn the demo's time back before what was set.
        elapsed = max(datetime.now(UTC) - set_at, timedelta(0))
        return _Anchor(at + elapsed, time.monotonic(), file)


def _in_utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ClockError("a moment must carry its time zone")
    return at.astimezone(UTC)


def _which(path: Path) -> tuple[int, int] | None:
    """Which file lies there: a replaced one has another inode or time. None if there is none."""
    try:
        return _identity(path.stat())
    except FileNotFoundError:
        return None


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_ino, stat.st_mtime_ns


def _write_atomically(path: Path, text: str) -> tuple[int, int]:
    """Replace the file and say which it is now; a reader sees the old or the new one whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            written = _identity(os.fstat(file.fileno()))
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return written
