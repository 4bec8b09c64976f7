"""What a running service has at hand, built once at start and passed by hand, never global."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from shared.auth import Authority
from shared.bus import Bus
from shared.clock import Clock
from shared.crypto import Secrecy
from shared.database import Database
from shared.plan import Plan
from shared.settings import Settings
from shared.signing import Signer

if TYPE_CHECKING:
    from shared.deliveries.feed import Feed
    from shared.deliveries.spool import Spool
    from shared.deliveries.store import DeliveryRow, NewDelivery
    from shared.outbox import Outbox
    from shared.service import Service


class Told(asyncio.Event):
    """Set when it has come, with what there is to say of it."""

    news: object = None


class Awaited:
    """What tasks of this process wait for, told by other tasks of it.

    A hint that saves looking: whoever is told, or not told in time, looks for himself.
    """

    def __init__(self) -> None:
        self._waiting: defaultdict[Hashable, list[Told]] = defaultdict(list)

    @contextmanager
    def awaited(self, what: Hashable) -> Iterator[Told]:
        """An event set by ``tell``; nothing told since the block began is missed."""
        told = Told()
        self._waiting[what].append(told)
        try:
            yield told
        finally:
            self._waiting[what].remove(told)
            if not self._waiting[what]:
                del self._waiting[what]

    def tell(self, what: Hashable, news: object = None) -> None:
        """Set the events of all who wait for it, and give them the news."""
        for told in self._waiting.get(what, ()):
            told.news = news
            told.set()


class DealsAtOnce(Protocol):
    """What can deal with a delivery as it arrives (``shared.deliveries.worker``)."""

    async def at_once(self, feed: Feed, new: NewDelivery, spool: Spool) -> DeliveryRow | None: ...


@dataclass
class AtWork:
    """The worker on this process's deliveries, while there is one."""

    worker: DealsAtOnce | None = None


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
    at_work: AtWork = field(default_factory=AtWork)
