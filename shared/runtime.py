"""What a running service has at hand, built once at start and passed by hand, never global."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.auth import Authority
from shared.bus import Bus
from shared.clock import Clock
from shared.crypto import Secrecy
from shared.database import Database
from shared.plan import Plan
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.outbox import Outbox
    from shared.service import Service


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
