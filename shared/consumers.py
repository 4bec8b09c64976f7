"""The runner in front of an inbox: fetch, apply, then remember the offset.

A service is one consumer group of its own name. What was fetched is applied in one transaction,
or batch by batch where something needs a closer look; the next ones are fetched meanwhile. What
the bus remembers is only where to begin reading: once-only is the inbox's work.

When partitions move to another member the batches in hand are applied all the same: the marks
make that harmless (one of the two readers finds them had), while dropping them is not, since
partitions that stay here are not fetched again. Whatever was applied before its commit was
refused is fetched and dropped by the new reader.

A gap met for the first time is not believed: an offset remembered from a log that was deleted and
made anew leads into the middle of the new one. The partition is read again from its beginning;
what was had is dropped, what was missed comes in order. Only what is missing then as well is
recorded as a gap.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from shared.bus.contract import Batch, Bus, BusAway, Consumer, TopicPartition
from shared.inbox import Applied, GapSeen, Inbox, TooManyDeadLetters
from shared.inbox.receiving import is_the_messages_fault
from shared.inbox.together import apply_together
from shared.metrics import CONSUMER_STOPPED, INBOX_FACTS, WORKER_WAITS
from shared.patience import Patience, pause

PREFETCH_FROM = 500
"""A fetch of so many messages means there is a backlog: get the next one while applying."""

log = structlog.get_logger(__name__)


class ConsumerState(StrEnum):
    """What the runner is doing; ``stopped`` needs an operator, ``waiting`` only time."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    STOPPED = "stopped"
    ENDED = "ended"


@dataclass
class ConsumerReport:
    """The runner as seen from outside, since it was made."""

    state: ConsumerState = ConsumerState.STARTING
    reason: str = ""
    total: Applied = field(default_factory=Applied)
    batches: int = 0
    moved: int = 0
    """Commits refused because partitions had moved."""
    rewound: int = 0
    """Partitions read again from the beginning because of a gap."""

    def say(self, state: ConsumerState, reason: str = "") -> bool:
        """Set the state; returns whether it is news."""
        news = state != self.state
        self.state, self.reason = state, reason
        return news


class FactConsumer:
    """One member of a service's consumer group."""

    def __init__(
        self,
        inbox: Inbox,
        bus: Bus,
        group: str,
        *,
        batch_messages: int = 5000,
        fetch_seconds: float = 0.5,
        recheck_seconds: float = 2.0,
    ) -> None:
        """``fetch_seconds`` bounds how long a stop may go unnoticed; ``recheck_seconds`` is how
        often a stopped consumer looks whether its dead letters were dealt with."""
        self.inbox = inbox
        self.bus = bus
        self.group = group
        self.report = ConsumerReport()
        self._batch_messages = batch_messages
        self._fetch_seconds = fetch_seconds
        self._recheck_seconds = recheck_seconds
        self._uncommitted: dict[TopicPartition, int] = {}
        self._rewound: dict[TopicPartition, int] = {}
        """For which missing position a partition was last read again: never twice for one."""

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until ``stop``. Raises only what is neither a moment's nor a message's fault."""
        consumer = self.bus.consumer(self.group, self.inbox.topics)
        ahead: asyncio.Task[list[Batch]] | None = None
        try:
            batches = await self._start(consumer, stop)
            while not stop.is_set():
                if sum(len(batch.messages) for batch in batches) >= PREFETCH_FROM:
                    ahead = asyncio.create_task(consumer.fetch(self._batch_messages, 0))
                gaps: dict[TopicPartition, int] = {}
                together = await self._apply_together(batches)
                for batch in batches:
                    place = (batch.topic, batch.partition)
                    if place in gaps:
                        continue
                    try:
                        if not together and not await self._apply(batch, stop):
                            return
                    except GapSeen as gap:
                        gaps[place] = gap.position
                    else:
                        self._uncommitted[place] = batch.next_offset
                # A consumer is used by one task at a time: the fetch ahead ends before the rest.
                batches = await self._fetched(ahead) if ahead else []
                ahead = None
                batches = [one for one in batches if (one.topic, one.partition) not in gaps]
                for place, missing in gaps.items():
                    await self._rewind(consumer, place, missing, stop)
                await self._commit(consumer)
                if not batches:
                    batches = await self._fetch(consumer, stop)
        finally:
            if ahead is not None:
                ahead.cancel()
                with contextlib.suppress(asyncio.CancelledError, BusAway):
                    await ahead
            with contextlib.suppress(BusAway):
                await self._commit(consumer)
            await consumer.close()
            self.report.say(ConsumerState.ENDED)

    async def _start(self, consumer: Consumer, stop: asyncio.Event) -> list[Batch]:
        patience = Patience()
        while not stop.is_set():
            try:
                await consumer.start()
                break
            except BusAway as error:
                await self._wait("bus", error, patience, stop)
        return []

    async def _fetch(self, consumer: Consumer, stop: asyncio.Event) -> list[Batch]:
        # Short waits: a fetch waits by itself, and one topic may be gone while others have news.
        patience = Patience(longest=2.0)
        while not stop.is_set():
            try:
                batches = await consumer.fetch(self._batch_messages, self._fetch_seconds)
            except BusAway as error:
                await self._wait("bus", error, patience, stop)
            else:
                self._running()
                return batches
        return []

    async def _fetched(self, ahead: asyncio.Task[list[Batch]]) -> list[Batch]:
        try:
            return await ahead
        except BusAway:
            return []  # the next fetch waits it out

    async def _apply_together(self, batches: list[Batch]) -> bool:
        """Apply all in one transaction where that is plain; False when they have to go one by
        one, which also waits out what is away."""
        if len(batches) < 2:
            return False
        try:
            done = await apply_together(self.inbox, batches)
        except Exception as error:
            if is_the_messages_fault(error):
                raise
            return False
        for batch, applied in zip(batches, done or (), strict=False):
            self._count(batch, applied)
        if done is not None:
            self._running()
        return done is not None

    async def _apply(self, batch: Batch, stop: asyncio.Event) -> bool:
        """Apply until it is done, however long it takes; False when stopped first.

        Raises GapSeen, with nothing applied, for a gap the partition was not yet read again for.
        """
        patience = Patience()
        over_gaps = False
        while not stop.is_set():
            try:
                done = await self.inbox.apply(batch, over_gaps=over_gaps)
            except GapSeen as gap:
                if self._rewound.get((batch.topic, batch.partition)) != gap.position:
                    raise
                over_gaps = True
            except TooManyDeadLetters as error:
                if self.report.say(ConsumerState.STOPPED, str(error)):
                    log.critical("consumer-stopped", group=self.group, reason=str(error))
                    CONSUMER_STOPPED.labels(self.group).set(1)
                await pause(stop, self._recheck_seconds)
            except Exception as error:
                if is_the_messages_fault(error):
                    raise
                await self._wait("database", error, patience, stop)
            else:
                self._count(batch, done)
                if not done.left:
                    self._running()
                    return True
        return False

    async def _rewind(
        self, consumer: Consumer, place: TopicPartition, missing: int, stop: asyncio.Event
    ) -> None:
        """Read a partition again from its beginning, unless it has moved to another member."""
        patience = Patience()
        while not stop.is_set():
            try:
                held = await consumer.rewind(place)
            except BusAway as error:
                await self._wait("bus", error, patience, stop)
                continue
            self._uncommitted.pop(place, None)
            if held:
                self._rewound[place] = missing
                # Whoever gets the partition meanwhile has to begin there as well: only who read
                # from the beginning may say that something is missing.
                self._uncommitted[place] = 0
                self.report.rewound += 1
                topic, partition = place
                log.warning(
                    "consumer-reads-again",
                    group=self.group,
                    topic=topic,
                    partition=partition,
                    missing=missing,
                )
            return

    async def _commit(self, consumer: Consumer) -> None:
        """Tell the bus where to go on; when it is away the next commit covers this one."""
        if not self._uncommitted:
            return
        try:
            if not await consumer.commit(self._uncommitted):
                self.report.moved += 1
                # What comes back may begin anywhere.
                self._rewound = {}
                log.info("consumer-partitions-moved", group=self.group)
        except BusAway as error:
            log.warning("consumer-commit-postponed", group=self.group, error=str(error))
        else:
            self._uncommitted = {}

    async def _wait(
        self, what: str, error: Exception, patience: Patience, stop: asyncio.Event
    ) -> None:
        reason = f"{what} away: {type(error).__name__}: {error}"[:500]
        self.report.say(ConsumerState.WAITING, reason)
        log.warning("consumer-waits", group=self.group, reason=reason)
        WORKER_WAITS.labels(self.group, "consumers").inc()
        await patience.wait(stop)

    def _running(self) -> None:
        if self.report.say(ConsumerState.RUNNING):
            CONSUMER_STOPPED.labels(self.group).set(0)
            log.info("consumer-runs", group=self.group)

    def _count(self, batch: Batch, done: Applied) -> None:
        total = self.report.total
        total.applied += done.applied
        total.dropped += done.dropped
        total.dead += done.dead
        total.missing += done.missing
        self.report.batches += 1
        producer = batch.topic.removesuffix(".events")
        for outcome in ("applied", "dropped", "dead"):
            INBOX_FACTS.labels(self.group, producer, outcome).inc(getattr(done, outcome))
        if done.dead or done.missing:
            log.error(
                "consumer-batch-incomplete",
                group=self.group,
                topic=batch.topic,
                partition=batch.partition,
                dead=done.dead,
                missing=done.missing,
            )
