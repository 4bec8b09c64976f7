"""An HTTP server that stops in order: no new requests, running ones finished, then the rest.

uvicorn raises the signal that stopped it once more when it is done, which would end the process
before workers and PostgreSQL were stopped; so signals are taken here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from shared.pace import collect_seldom

DRAIN_SECONDS = 10
"""How long running requests may take to finish; open event streams are cut off then."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(host: str, port: int) -> socket.socket:
    """A socket of the address, port 0 for a free one. OSError when it is taken; done before
    anything is started, so that this is known at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or asyncio does not see that it is TCP and leaves Nagle's algorithm on:
    # every answer on a kept connection then waits some 40 ms for the caller's acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    bound.set_inheritable(False)
    return bound


async def serve(
    app: Any,
    bound: socket.socket,
    *,
    on_stop: Callable[[], None] = lambda: None,
    with_parent: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM; with ``with_parent`` also until standard input ends, which
    it does when the process at its other end dies in whatever way. ``on_stop`` is called before
    running requests are drained."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = _Server(config)
    collect_seldom()

    def stop() -> None:
        on_stop()
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), _stop_at_end, loop, stop)
    try:
        await server.serve(sockets=[bound])
    finally:
        # Signals stay taken: a second Ctrl-C must not cut the orderly end short.
        if with_parent:
            loop.remove_reader(sys.stdin.fileno())


def _stop_at_end(loop: asyncio.AbstractEventLoop, stop: Any) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        loop.remove_reader(sys.stdin.fileno())
        stop()
