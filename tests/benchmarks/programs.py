"""Other programs under measure: started on Python's cores, waited for, ended."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from tests.benchmarks.machine import Placing

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0


class DidNotStart(RuntimeError):
    """The program ended or never answered; the text is the last it said."""


@contextmanager
def program(
    command: Sequence[str],
    ready_at: str,
    log: Path,
    placing: Placing,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """The program's process id, once ``ready_at`` answers anything below 500."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out, placing.on(placing.python):
        process = subprocess.Popen(
            list(command), stdout=out, stderr=out, env=environment, start_new_session=True
        )
    try:
        _wait_until_ready(process, ready_at, log)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            if httpx.get(url, timeout=5, trust_env=False).status_code < 500:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise DidNotStart(log.read_text("utf-8", "replace")[-1000:])
