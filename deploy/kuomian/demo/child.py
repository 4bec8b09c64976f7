"""The all-in-one as a child process, so that it and the driver have a core each.

The child ends with its parent, however that one ends: it reads the other end of a pipe.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from kuomian.services import NAMES
from kuomian.words import Failure

START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 60.0


class Child:
    """``kuomian serve all`` over a data folder. A context manager: ready inside, gone after."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = data_dir / "demo" / "server.log"
        self._command = [
            *(sys.executable, "-m", "kuomian", "serve", "all", "--demo", "--with-parent"),
            *("--data-dir", str(data_dir), "--port", str(port)),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # Ctrl-C reaches the driver only; it then stops the child in order.
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    @property
    def pid(self) -> int:
        """The child's process id."""
        assert self._process is not None  # noqa: S101 - inside the block
        return self._process.pid

    def check(self) -> None:
        """Raise Failure, with the last lines of its log, when the child has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise Failure(
                f"服务进程已结束 · the server ended ({self._process.returncode}): {self._last()}"
            )

    def wait(self) -> None:
        """Return when the child has ended by itself."""
        if self._process is not None:
            self._process.wait()

    def _wait_until_ready(self) -> None:
        waiting = set(NAMES)
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(base_url=self.url, timeout=5.0, trust_env=False) as client:
            while waiting:
                self.check()
                if time.monotonic() > deadline:
                    raise Failure(f"服务未能就绪 · not ready: {', '.join(waiting)} {self._last()}")
                waiting = {name for name in waiting if not _is_ready(client, name)}
                time.sleep(0.1 if waiting else 0)

    def _stop(self) -> None:
        process = self._process
        if process is None:
            return
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        process.stdin.close()
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _last(self) -> str:
        lines = self.log.read_text("utf-8", "replace").strip().splitlines()
        return f"{lines[-1][:500] if lines else ''} ({self.log})"


def _is_ready(client: httpx.Client, name: str) -> bool:
    try:
        return client.get(f"/{name}/health/ready").status_code == 200
    except httpx.TransportError:
        return False
