"""Commands that are to end: migrations, topics, health checks."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from kuomian.words import Failure

JOB_SECONDS: Final = 180.0
HEALTHY_SECONDS: Final = 60.0


class Jobs:
    """Runs commands, several at a time from several threads; ``stop`` ends those under way."""

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Return when it has ended well. Raises Failure with its last line."""
        code = self._code(name, command, environment, JOB_SECONDS)
        if code != 0:
            raise Failure(f"任务失败 · {name} failed ({code}): {self._last(name)}")

    def until_well(self, name: str, check: Sequence[str], environment: Mapping[str, str]) -> None:
        """Repeat a health check until it ends well. Raises Failure after a minute."""
        deadline = time.monotonic() + HEALTHY_SECONDS
        while self._code(f"{name}-health", check, environment, HEALTHY_SECONDS) != 0:
            if time.monotonic() > deadline:
                raise Failure(f"未能就绪 · {name} is not healthy: {self._last(f'{name}-health')}")
            time.sleep(0.2)

    def output(self, *command: str) -> str:
        """What it prints. Raises Failure."""
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"{command[-1]}: {' '.join(done.stderr.split())[-500:]}")
        return done.stdout

    def stop(self) -> None:
        """End what is running; nothing can be run afterwards."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)

    def _code(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], seconds: float
    ) -> int:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        with self._log(name).open("ab") as log, self._lock:
            if self._stopped:
                raise Failure("已中止 · given up")
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(environment),
                start_new_session=True,  # Ctrl-C is for whoever started it
            )
            self._running.add(process)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise Failure(f"任务超时 · {name} takes more than {seconds:g} s") from None
        finally:
            with self._lock:
                self._running.discard(process)

    def _log(self, name: str) -> Path:
        return self._log_dir / f"{name}.log"

    def _last(self, name: str) -> str:
        lines = self._log(name).read_text("utf-8", "replace").strip().splitlines()
        return f"{lines[-1][:500] if lines else ''} ({self._log(name)})"
