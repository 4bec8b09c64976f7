"""What a running service has at hand, built once at start and passed by hand, never global."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.auth import Authority
from shared.bus import Bus
from shared.clock import Clock
from shared.crypto import Secrecy
from shared.database import Database
from shared.plan import Plan
from shared.settings import Settings
from shared.signing import Signer

if TYPE_CHECKING:
    from shared.outbox import Outbox
    from shared.service import Service


class Awaited:
    """What tasks of this process wait for, told by other tasks of it.

    A hint that saves looking: whoever is told, or not told in time, looks for himself.
    """

    def __init__(self) -> None:
        self._events: defaultdict[Hashable, list[asyncio.Event]] = defaultdict(list)

    @contextmanager
    def awaited(self, what: Hashable) -> Iterator[asyncio.Event]:
        """An event set by ``tell``; nothing told since the block began is missed."""
        event = asyncio.Event()
        self._events[what].append(event)
        try:
            yield event
        finally:
            self._events[what].remove(event)
            if not self._events[what]:
                del self._events[what]

    def tell(self, what: Hashable) -> None:
        """Set the events of all who wait for it."""
        for event in self._events.get(what, ()):
            event.set()


@dataclass(frozen=True)
class Runtime:
    """Everything with a life of its own that a service's code may use."""

    service: Service
    settings: Settings
    clock: Clock
    database: Database
    bus: Bus
    outbox: Outbox
    authority: Authority
    secrecy: Secrecy
    plan: Plan
    signer: Signer | None = None
    """Signs receipts; None where no key is configured."""
    finished: Awaited = field(default_factory=Awaited)
    """Deliveries, by id, as workers of this process finish them."""
