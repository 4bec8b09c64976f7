"""From the outbox to the bus.

One relay per service works at a time: the one that holds a session advisory lock on a direct
connection (never through a transaction pooler). The lock saves work; correctness does not hang
on it, see ``shared.outbox.take``. NOTIFY wakes it; a bounded wait stands in when a note is lost.

A turn is: mark what the last turn sent, take the next blocks with their positions (one
transaction), publish them. Dying anywhere in between is made good by the next turn, of whichever
relay: the same facts go out again under the same positions.

Before its first turn, and whenever its line was cut, a relay looks whether the bus names positions
that this outbox has not given: see ``shared.outbox_behind``.
"""

import asyncio
import contextlib
import time
from functools import partial

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from shared import outbox, outbox_behind
from shared.bus.contract import Bus, BusAway, Message
from shared.database import Database, DatabaseAway, is_retryable
from shared.metrics import OUTBOX_BEHIND, OUTBOX_FACTS, WORKER_WAITS
from shared.outbox import Block, Outbox
from shared.patience import Patience, pause
from shared.spans import SpanKind, spanning

LOCK = 0x72656C6179  # "relay"; advisory locks are per database, so per service
FACTS_PER_TURN = 20_000
PRUNE_SECONDS = 600.0

log = structlog.get_logger(__name__)

_Line = psycopg.AsyncConnection[tuple[object, ...]]


class Relay:
    """Publishes one producer's outbox. ``sent_facts`` counts since this object was made."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        source: Outbox,
        *,
        facts_per_turn: int = FACTS_PER_TURN,
        wake_seconds: float = 2.0,
        recheck_seconds: float = 5.0,
    ) -> None:
        """``wake_seconds``: how long to trust in NOTIFY before looking anyway, and how often to
        ask for the lock while another relay has it. ``recheck_seconds``: how often to look
        whether a bus that was ahead still is."""
        self.database = database
        self.bus = bus
        self.producer = source.producer
        self.topic = source.topic
        self.sent_facts = 0
        self.leading = False
        self._facts_per_turn = facts_per_turn
        self._wake_seconds = wake_seconds
        self._recheck_seconds = recheck_seconds
        self._prune_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until ``stop``. Database and bus away are waited out; other errors are raised."""
        patience = Patience()
        while not stop.is_set():
            try:
                async with self.database.direct() as line:
                    if await self._lead(line, stop):
                        await self._until_not_behind(line, stop, patience)
                        await self._relay(line, stop, patience)
            except (DatabaseAway, DBAPIError, psycopg.Error) as error:
                if not is_retryable(error):
                    raise
                await self._wait("database", error, patience, stop)
            finally:
                self.leading = False

    async def _lead(self, line: _Line, stop: asyncio.Event) -> bool:
        """Become the one relay; False when stopped first."""
        while not stop.is_set():
            cursor = await line.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))
            row = await cursor.fetchone()
            if row is not None and row[0]:
                await line.execute(f"LISTEN {outbox.CHANNEL}")
                self.leading = True
                log.info("relay-leads", topic=self.topic)
                return True
            await pause(stop, self._wake_seconds)
        return False

    async def _until_not_behind(self, line: _Line, stop: asyncio.Event, patience: Patience) -> None:
        """Return once the bus names no position that was not given here, or when stopped."""
        said: dict[int, int] = {}
        while not stop.is_set():
            await line.execute("SELECT 1")
            try:
                found = await self.bus.last_positions(self.topic, self.producer)
            except BusAway as error:
                await self._wait("bus", error, patience, stop)
                continue
            patience.restore()
            async with self.database.transaction() as conn:
                behind = await outbox_behind.note(conn, found)
            OUTBOX_BEHIND.labels(self.producer).set(len(behind))
            if not behind:
                return
            if behind != said:
                said = behind
                log.critical("outbox-behind-bus", topic=self.topic, bus_positions=behind)
            await pause(stop, self._recheck_seconds)

    async def _relay(self, line: _Line, stop: asyncio.Event, patience: Patience) -> None:
        sent: list[Block] = []
        while not stop.is_set():
            # A relay whose line is cut has lost the lock, and finds out here.
            await line.execute("SELECT 1")
            blocks = await self.take(sent)
            sent = []
            if not blocks:
                patience.restore()
                await self._prune()
                await self._wait_for_news(line, stop)
                continue
            try:
                await self.publish(blocks)
            except BusAway as error:
                await self._wait("bus", error, patience, stop)
            else:
                sent = blocks
                patience.restore()
        if sent:
            await self.take(sent, 0)

    async def take(self, sent: list[Block], max_facts: int | None = None) -> list[Block]:
        """Mark blocks sent and take the next ones. Raises DatabaseAway."""
        limit = self._facts_per_turn if max_facts is None else max_facts
        async with self.database.transaction() as conn:
            return await outbox.take(conn, [block.id for block in sent], limit)

    async def publish(self, blocks: list[Block]) -> None:
        """Send blocks in their order, batched per partition. Raises BusAway."""
        messages: dict[int, list[Message]] = {}
        with contextlib.ExitStack() as spans:
            for block in blocks:
                for partition, batch in block.messages(partial(self._span, spans, block)).items():
                    if partition in messages:
                        messages[partition] += batch
                    else:
                        messages[partition] = batch
            await self.bus.publish(self.topic, messages)
        facts = sum(block.fact_count for block in blocks)
        self.sent_facts += facts
        OUTBOX_FACTS.labels(self.producer).inc(facts)

    def _span(
        self, spans: contextlib.ExitStack, block: Block, traceparent: str | None
    ) -> str | None:
        """A span around the block's sending, of the trace it was written in; its receivers'
        parent. Without a collector what was written is handed on as it is."""
        sending = spanning(
            self.producer,
            f"publish {self.topic}",
            [traceparent],
            kind=SpanKind.PRODUCER,
            messaging__destination__name=self.topic,
            messaging__batch__message_count=block.fact_count,
            kuomian__block=block.id,
        )
        work = spans.enter_context(sending)
        return work.trace.traceparent if work.sent else traceparent

    async def turn(self) -> int:
        """Send everything that waits now, without a lock; returns how many facts were sent.

        For one-off use (republish from the command line, tests). Raises DatabaseAway, BusAway.
        """
        before = self.sent_facts
        blocks = await self.take([])
        while blocks:
            await self.publish(blocks)
            blocks = await self.take(blocks)
        return self.sent_facts - before

    async def _wait(
        self, what: str, error: Exception, patience: Patience, stop: asyncio.Event
    ) -> None:
        log.warning("relay-waits", topic=self.topic, away=what, error=str(error))
        WORKER_WAITS.labels(self.producer, "relay").inc()
        await patience.wait(stop)

    async def _prune(self) -> None:
        if time.monotonic() < self._prune_at:
            return
        async with self.database.transaction() as conn:
            pruned = await outbox.prune(conn)
        if not pruned:
            self._prune_at = time.monotonic() + PRUNE_SECONDS

    async def _wait_for_news(self, line: _Line, stop: asyncio.Event) -> None:
        news = asyncio.ensure_future(_notified(line, self._wake_seconds))
        stopped = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({news, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if news.done():
                news.result()
        finally:
            for task in (news, stopped):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, psycopg.Error):
                    await task


async def _notified(line: _Line, seconds: float) -> None:
    async for _ in line.notifies(timeout=seconds, stop_after=1):
        pass
