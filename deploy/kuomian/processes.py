"""Several processes of one installation on this machine, started and ended together.

What is started is said by ``Part``; each is ``kuomian`` itself with other arguments. All end with
whoever started them, however that one ends.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from kuomian.words import Failure

START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Part:
    """One process: ``kuomian`` with the words of ``command``, and the settings it is given."""

    name: str
    command: tuple[str, ...]
    port: int
    """Where it answers, as its command or its settings tell it."""
    ready: str
    """The path that answers 200 once it is ready."""
    environment: Mapping[str, str] = field(repr=False)  # holds secrets

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Processes:
    """A context manager: all parts ready inside, all gone after.

    ``environment`` is what they inherit (a search path and the like), below what each is given.
    """

    def __init__(
        self, parts: Iterable[Part], log_dir: Path, environment: Mapping[str, str]
    ) -> None:
        self.parts = {part.name: part for part in parts}
        self._log_dir = log_dir
        self._environment = environment
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            for name in self.parts:
                self.start(name)
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def add(self, part: Part) -> None:
        """One more part, not started yet."""
        self.parts[part.name] = part

    def start(self, name: str) -> None:
        """Start a part that does not run; it is not ready yet when this returns."""
        part = self.parts[name]
        self._log_dir.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "kuomian", *part.command, "--with-parent"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**self._environment, **part.environment},
                start_new_session=True,
            )

    def stop(self, *names: str) -> dict[str, int]:
        """End parts in order (SIGTERM), all at once; by default all. Those that take longer than
        ``STOP_SECONDS`` are killed. Returns name → exit code, negative for a signal."""
        ending = {name: self._running.pop(name) for name in names or tuple(self._running)}
        for process in ending.values():
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in ending.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close(process)
        return {name: process.returncode for name, process in ending.items()}

    def suspend(self, name: str) -> None:
        """SIGSTOP a part: it lives and does nothing, until ``resume``."""
        self._running[name].send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """SIGCONT a part."""
        self._running[name].send_signal(signal.SIGCONT)

    @property
    def running(self) -> frozenset[str]:
        """Names of the parts that were started and not ended by us."""
        return frozenset(self._running)

    def kill(self, name: str) -> None:
        """SIGKILL a part; ``start`` brings it back."""
        process = self._running.pop(name)
        process.kill()
        process.wait()
        _close(process)

    def check(self) -> None:
        """Raise Failure, with the last line of its log, for a part that ended by itself."""
        for name, process in list(self._running.items()):
            if process.poll() is not None:
                raise Failure(
                    f"进程已结束 · {name} ended ({process.returncode}): {self._last(name)}"
                )

    def wait_until_ready(self, *names: str) -> None:
        """Return when these parts, by default all that run, say they are. Raises Failure after
        ``START_SECONDS``, and when one has ended."""
        waiting = set(names or self._running)
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(timeout=5.0, trust_env=False) as client:
            while waiting:
                self.check()
                name = sorted(waiting)[0]
                if not waiting <= set(self._running):
                    raise Failure(f"已停止 · {', '.join(waiting - set(self._running))} is stopped")
                if time.monotonic() > deadline:
                    raise Failure(f"未能就绪 · {name} does not get ready: {self._last(name)}")
                waiting = {name for name in waiting if not _is_ready(client, self.parts[name])}
                time.sleep(0.1 if waiting else 0)

    def log(self, name: str) -> Path:
        """Where a part's output goes."""
        return self._log_dir / f"{name}.log"

    def _last(self, name: str) -> str:
        lines = self.log(name).read_text("utf-8", "replace").strip().splitlines()
        return f"{lines[-1][:500] if lines else ''} ({self.log(name)})"


class Doors(httpx.AsyncBaseTransport):
    """The way to services that stand at different addresses, by the first segment of the path:
    what an ingress does, on the caller's side."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = {name: httpx.URL(address) for name, address in addresses.items()}
        self._network = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        door = self._addresses[request.url.path.split("/", 2)[1]]
        request.url = request.url.copy_with(scheme=door.scheme, host=door.host, port=door.port)
        request.headers["Host"] = door.netloc.decode()
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        await self._network.aclose()


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _is_ready(client: httpx.Client, part: Part) -> bool:
    try:
        answer = client.get(f"{part.address}{part.ready}")
    except httpx.TransportError:
        return False
    return answer.status_code == 200
