"""Ports to listen on, for whoever starts servers on this machine."""

from __future__ import annotations

import random
import socket
from typing import Final

RANGE: Final = range(20_000, 32_000)
"""Below what the system gives to outgoing connections (from 32768 on with Linux, 49152 elsewhere):
one of those could be taken between being found free and being listened on."""


def free_ports(count: int) -> list[int]:
    """So many different ports of 127.0.0.1 that nobody listens on now.

    Drawn, so that several processes looking at once find different ones. Raises OSError where
    there are not so many.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(RANGE, len(RANGE)):
        if len(found) == count:
            return found
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    raise OSError(f"no {count} free TCP ports on 127.0.0.1")
