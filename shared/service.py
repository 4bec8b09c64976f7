"""A service declared as data. ``shared.application.create_app`` makes it a FastAPI app;
``shared.workers`` runs its relay and consumers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import MetaData

from shared.crypto import SealedColumn
from shared.deliveries.feed import Feed
from shared.events import Fact

if TYPE_CHECKING:
    from fastapi import APIRouter
    from sqlalchemy.ext.asyncio import AsyncConnection

    from shared.inbox import FactBatch
    from shared.runtime import Runtime

Handler = Callable[["AsyncConnection", "Runtime", "FactBatch"], Awaitable[None]]
"""The effect of a batch of facts of one producer and partition, inside the transaction that
also moves the consumer's mark. Raises ``shared.inbox.BadMessage`` for a fact it cannot
understand; anything about the database being away is retried for ever, never dead-lettered."""


JointHandler = Callable[["AsyncConnection", "Runtime", "Sequence[FactBatch]"], Awaitable[None]]
"""The same effect of batches of several partitions at once, by producer and partition, in one
transaction: for handlers whose statements cost more than the facts. Called only where every batch
is in order; whatever it raises, nothing has happened, and the batches go one by one."""


@dataclass(frozen=True)
class Subscription:
    """One consumer group's interest in one producer's topic. ``joint``: the same function where
    batches of different producers may go together, too."""

    producer: str
    handler: Handler
    joint: JointHandler | None = None


@dataclass(frozen=True)
class Job:
    """Work done again and again, in the processes that relay.

    ``run`` must bear being repeated at any moment, killed at any point, and run by two processes
    at once. ``every_seconds`` are real ones, whatever a demo clock says; the first run is at start.
    """

    name: str
    every_seconds: float
    run: Callable[[Runtime], Awaitable[object]]


@dataclass(frozen=True)
class Service:
    """The declaration in a service's ``app.py``."""

    name: str
    """With hyphens: also the URL prefix, the topic prefix and the consumer group."""
    title_zh: str
    title_en: str
    metadata: MetaData
    """Own tables and the shared ones it uses (deliveries, outbox, inbox)."""
    migrations: Path
    feeds: tuple[Feed, ...] = ()
    routers: tuple[APIRouter, ...] = ()
    publishes: tuple[type[Fact], ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    jobs: tuple[Job, ...] = ()
    sealed: tuple[SealedColumn, ...] = ()
    """Columns it keeps encrypted, besides the raw bodies that every service with feeds has."""


def migrations_of(module_file: str) -> Path:
    """The migrations folder of the service whose ``app.py`` this is: beside the package in a
    checkout and an image, inside it in a wheel."""
    package = Path(module_file).resolve().parent
    beside = package.parent / "migrations"
    return beside if beside.is_dir() else package / "migrations"
