"""The work behind a service's door: relay, consumers, deliveries, jobs, as supervised tasks.

Each role is a coroutine that runs until its ``stop`` event. A crash of one is logged, counted and
restarted with growing waits; the others go on. Stopping is graceful: every task ends at its next
safe point, and is cancelled when the grace period is over (being killed is safe too, it only
makes the next start repeat some work).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

import structlog

from shared.bus import Bus, BusAway
from shared.consumers import ConsumerReport, FactConsumer
from shared.database import DatabaseAway
from shared.events import topic_of
from shared.inbox import Inbox
from shared.metrics import WORKER_RESTARTS, WORKER_WAITS
from shared.patience import Patience, pause
from shared.relay import Relay
from shared.service import Job

if TYPE_CHECKING:
    from shared.runtime import Runtime

Role = Literal["relay", "consumers", "deliveries"]
ROLES: tuple[Role, ...] = ("relay", "consumers", "deliveries")
GRACE_SECONDS = 10.0

log = structlog.get_logger(__name__)

# Services in one process share a bus, which is then started by one of them at a time.
_connecting: WeakKeyDictionary[Bus, asyncio.Lock] = WeakKeyDictionary()


class Workers:
    """The running tasks of one service; ``consumers`` tells what its consumer is doing."""

    def __init__(self, runtime: "Runtime") -> None:
        self.runtime = runtime
        self.stop = asyncio.Event()
        self.consumers: ConsumerReport | None = None
        self.restarts: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, roles: Iterable[Role] = ROLES) -> None:
        """Start the roles that this service has any use for."""
        wanted = set(roles)
        tables = self.runtime.service.metadata.tables
        if "relay" in wanted and "outbox_blocks" in tables:
            self._supervise("relay", self._relay)
            for job in self.runtime.service.jobs:
                self._supervise(job.name, partial(run_job, self.runtime, job, self.stop))
        if "consumers" in wanted and self.runtime.service.subscriptions:
            self._supervise("consumers", self._consumers)
        if "deliveries" in wanted and self.runtime.service.feeds:
            self._supervise("deliveries", lambda: run_deliveries(self.runtime, self.stop))

    async def close(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Stop all tasks within the grace period, then cancel what still runs."""
        self.stop.set()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=grace_seconds)
        for task in late:
            log.warning("worker-cancelled", worker=task.get_name())
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def _supervise(self, role: str, work: Callable[[], Awaitable[None]]) -> None:
        name = f"{self.runtime.service.name}-{role}"
        self._tasks.append(asyncio.create_task(self._keep_alive(role, work), name=name))

    async def _keep_alive(self, role: str, work: Callable[[], Awaitable[None]]) -> None:
        patience = Patience(first=0.5, longest=30.0)
        loop = asyncio.get_running_loop()
        while not self.stop.is_set():
            started_at = loop.time()
            try:
                await work()
            except Exception:
                log.exception("worker-crashed", service=self.runtime.service.name, worker=role)
            else:
                if self.stop.is_set():
                    return
                log.error("worker-ended", service=self.runtime.service.name, worker=role)
            self.restarts[role] = self.restarts.get(role, 0) + 1
            WORKER_RESTARTS.labels(self.runtime.service.name, role).inc()
            if loop.time() - started_at > 60:
                patience.restore()
            await patience.wait(self.stop)

    async def _relay(self) -> None:
        if await connect(self.runtime, self.stop):
            await run_relay(self.runtime, self.stop)

    async def _consumers(self) -> None:
        if await connect(self.runtime, self.stop):
            consumer = fact_consumer(self.runtime)
            self.consumers = consumer.report
            await consumer.run(self.stop)


@asynccontextmanager
async def working(
    runtime: "Runtime", roles: Iterable[Role] = ROLES, grace_seconds: float = GRACE_SECONDS
) -> AsyncIterator[Workers]:
    """Run a service's workers beside the block, for an application's lifespan."""
    workers = Workers(runtime)
    workers.start(roles)
    try:
        yield workers
    finally:
        await workers.close(grace_seconds)


async def connect(runtime: "Runtime", stop: asyncio.Event) -> bool:
    """Connect to the bus and make the topics of this service and of those it listens to.

    Idempotent. Waits for as long as the bus is away; returns False when stopped first. Raises
    BusError when a topic has more partitions than TOPIC_PARTITIONS says.
    """
    service = runtime.service
    producers = {service.name, *(subscription.producer for subscription in service.subscriptions)}
    topics = {topic_of(producer): runtime.settings.topic_partitions for producer in producers}
    patience = Patience()
    while not stop.is_set():
        try:
            async with _connecting.setdefault(runtime.bus, asyncio.Lock()):
                await runtime.bus.start()
                await runtime.bus.ensure_topics(topics)
        except BusAway as error:
            log.warning("bus-away", service=service.name, error=str(error))
            WORKER_WAITS.labels(service.name, "bus").inc()
            await patience.wait(stop)
        else:
            return True
    return False


async def run_relay(runtime: "Runtime", stop: asyncio.Event) -> None:
    """Publish the service's outbox until ``stop``. The bus must be connected (``connect``)."""
    await Relay(runtime.database, runtime.bus, runtime.outbox).run(stop)


async def run_job(runtime: "Runtime", job: Job, stop: asyncio.Event) -> None:
    """Do a service's periodic work until ``stop``; the database away is waited out."""
    patience = Patience()
    while not stop.is_set():
        try:
            await job.run(runtime)
        except DatabaseAway as error:
            log.warning("job-waits", service=runtime.service.name, job=job.name, error=str(error))
            WORKER_WAITS.labels(runtime.service.name, job.name).inc()
            await patience.wait(stop)
        else:
            patience.restore()
            await pause(stop, job.every_seconds)


async def run_consumers(runtime: "Runtime", stop: asyncio.Event) -> None:
    """Consume the service's subscriptions until ``stop``. The bus must be connected."""
    await fact_consumer(runtime).run(stop)


async def run_deliveries(runtime: "Runtime", stop: asyncio.Event) -> None:
    """Judge and apply accepted deliveries until ``stop``."""
    from shared.deliveries.worker import run_deliveries as work_off  # noqa: PLC0415 - services without feeds need none of it

    await work_off(runtime, stop)


def fact_consumer(runtime: "Runtime") -> FactConsumer:
    """The consumer of a service: one member of the group named like it."""
    return FactConsumer(
        Inbox.of(runtime),
        runtime.bus,
        runtime.service.name,
        batch_messages=runtime.settings.batch_messages,
    )
