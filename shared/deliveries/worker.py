"""The worker behind the POST: deliveries of a feed one after another, a chunk per transaction.

- **Order.** Deliveries of one feed are applied in the order they were accepted; feeds go side by
  side. A feed is worked on by one worker at a time (a lock within the chunk's transaction), so
  any number of processes may run this.
- **Crash.** All progress is in the database. Whatever kills it, the next worker goes on after
  the last committed chunk.
- **Ahead.** While a chunk is applied, the next one is already being judged.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import psycopg
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import DatabaseAway, is_away, is_retryable
from shared.deliveries import at_once, processing, store, withdrawing
from shared.deliveries.apply import NotNew, describe_failure
from shared.deliveries.feed import Feed
from shared.deliveries.judge import JudgePool, Judging
from shared.deliveries.spool import Spool
from shared.deliveries.store import DeliveryRow, NewDelivery
from shared.deliveries.store import held as held_store
from shared.metrics import DELIVERIES, DELIVERY_RECORDS, DELIVERY_SECONDS, WORKER_WAITS
from shared.patience import Patience
from shared.runtime import Runtime
from shared.spans import Work, spanning

WAKE_SECONDS: Final = 2.0
"""How long to trust in NOTIFY before looking anyway."""

PREPARED_SECONDS: Final = 60.0
"""What was prepared longer ago, because something hindered it, is judged again: facts say when
they were recorded."""

IN_TURN_SECONDS: Final = 5.0
"""So long deliveries of a feed wait their turn after one could not be dealt with at once: whatever
was in its way may be again, and the work on it was in vain."""

_LOG = structlog.get_logger("deliveries")


async def run_deliveries(runtime: Runtime, stop: asyncio.Event) -> None:
    """Work on all feeds of the service until ``stop``; a chunk under way is finished first."""
    worker = DeliveryWorker(runtime)
    runtime.at_work.worker = worker
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.listen(stop))
            for feed in runtime.service.feeds:
                tasks.create_task(worker.work(feed, stop))
    finally:
        runtime.at_work.worker = None
        await worker.close()


@dataclass
class _Lane:
    """What one feed has going."""

    wake: asyncio.Event = field(default_factory=asyncio.Event)
    ahead: tuple[UUID, Judging] | None = None
    """The delivery and its next segment, judged before its turn."""
    all_new: bool = True
    """Whether the last chunk brought nothing but new keys: the next one is taken to do the
    same, and judged again should it not."""
    at_once: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the delivery that is being dealt with while its sender waits."""
    in_turn_until: float = 0.0
    """Others bring deliveries of the feed, too: until then (loop time) none is tried at once."""


class DeliveryWorker:
    """Works on the feeds of one service; holds nothing that cannot be lost."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._pool = JudgePool(runtime.plan, runtime.secrecy, runtime.settings.judge_workers)
        self._lanes = {feed.name: _Lane() for feed in runtime.service.feeds}

    async def close(self) -> None:
        """Drop what is being judged ahead and let the judging processes go."""
        for lane in self._lanes.values():
            if lane.ahead is not None:
                lane.ahead[1].cancel()
                lane.ahead = None
        await self._pool.close()

    async def listen(self, stop: asyncio.Event) -> None:
        """Wake the feed named by each notification; the database being away is waited out."""
        patience = Patience()
        while not stop.is_set():
            try:
                async with self.runtime.database.direct() as line:
                    await line.execute(f"LISTEN {store.CHANNEL}")
                    for lane in self._lanes.values():
                        lane.wake.set()
                    patience.restore()
                    while not stop.is_set():
                        async for note in line.notifies(timeout=WAKE_SECONDS, stop_after=1):
                            if note.payload in self._lanes:
                                self._lanes[note.payload].wake.set()
            except (DatabaseAway, psycopg.Error) as error:
                if not is_away(error):
                    raise
                await patience.wait(stop)

    async def work(self, feed: Feed, stop: asyncio.Event) -> None:
        """Work on one feed until ``stop``.

        What hinders it is waited out: the database away, or a fault of ours, which is then noted
        on the delivery for operators to see. Nothing is skipped.
        """
        lane, patience = self._lanes[feed.name], Patience(longest=30.0)
        while not stop.is_set():
            lane.wake.clear()
            try:
                more = await self.step(feed)
            except Exception as error:
                await self._hindered(feed, error)
                await patience.wait(stop)
                continue
            patience.restore()
            if not more:
                await _either(lane.wake, stop, WAKE_SECONDS)

    async def at_once(self, feed: Feed, new: NewDelivery, spool: Spool) -> DeliveryRow | None:
        """Deal with a delivery that has just arrived; None, with nothing kept, where it has to wait
        its turn. Raises DatabaseAway."""
        lane, now = self._lanes[feed.name], asyncio.get_running_loop().time
        if not at_once.is_plain(new, spool):
            return None
        # Two senders in turns: were one kept while the other is dealt with, the work on the other
        # would be in vain.
        async with lane.at_once:
            if now() < lane.in_turn_until:
                return None
            row, judging = at_once.begin_judging(
                self.runtime, feed, new, spool, self._pool, all_new=lane.all_new
            )
            after = None
            try:
                with self._span("apply", row) as work:
                    after = await at_once.dealt_with(self.runtime, feed, new, spool, row, judging)
                    if after is not None:
                        _note(work, row, after)
            except NotNew:
                lane.all_new = False
            finally:  # its sender's time may be over
                judging.cancel()
                if after is None:
                    lane.in_turn_until = now() + IN_TURN_SECONDS
                    lane.wake.set()
        if after is None:
            return None
        lane.all_new = judging.all_new
        if after.held_count:  # they are due at once
            lane.wake.set()
        self._count(row, after)
        return after

    async def drain(self) -> None:
        """Work until nothing is left to do on any feed; errors are raised."""
        while True:
            done = [await self.step(feed) for feed in self.runtime.service.feeds]
            if not any(done):
                return

    async def step(self, feed: Feed) -> bool:
        """One unit of work in one transaction: held records judged again when some are due, else
        a chunk of a withdrawal, else of the next delivery. False when there is nothing
        to do, or another worker has the feed."""
        database = self.runtime.database
        async with database.read() as conn:
            again, taking_back, waiting = await held_store.work_on(conn, feed.name)
        if again:
            async with database.transaction() as conn:
                await held_store.settle(conn)
            return await self._judge_again(feed)
        if taking_back and await self._take_back(feed):
            return True
        return waiting and await self._advance(feed)

    async def _take_back(self, feed: Feed) -> bool:
        """A chunk of a withdrawal, which goes before what was accepted since: the order makes no
        difference to what stands in the end."""
        async with self.runtime.database.transaction() as conn:
            if not await store.lock_feed(conn, feed.name):
                return False
            return await withdrawing.step(conn, self.runtime, feed, self._pool)

    async def _judge_again(self, feed: Feed) -> bool:
        async with self.runtime.database.transaction() as conn:
            if not await store.lock_feed(conn, feed.name):
                return False
            row = await held_store.due_delivery(conn, feed.name)
            if row is not None:
                with self._span("judge again", row) as work:
                    after = await processing.judge_again(conn, self.runtime, feed, row, self._pool)
                    _note(work, row, after)
        return True

    async def _advance(self, feed: Feed) -> bool:
        try:
            return await self._advance_once(feed)
        except NotNew:
            self._lanes[feed.name].all_new = False
            return True

    async def _advance_once(self, feed: Feed) -> bool:
        async with self.runtime.database.transaction() as conn:
            if not await store.lock_feed(conn, feed.name):
                return False
            row = await store.next_delivery(conn, feed.name)
            if row is None:
                return False
            with self._span("apply", row) as work:
                after = await self._process(conn, feed, row)
                _note(work, row, after)
        if after.status == "done":
            self.runtime.finished.tell(after.id, after)
        self._count(row, after)
        return True

    def _span(self, what: str, row: DeliveryRow) -> AbstractContextManager[Work]:
        """One span per unit of work, of the trace of the request that brought the delivery."""
        return spanning(
            self.runtime.service.name,
            f"{what} {row.feed}",
            [row.traceparent],
            kuomian__delivery=str(row.id),
            kuomian__feed=row.feed,
            kuomian__chunk=row.next_chunk,
        )

    async def _process(self, conn: AsyncConnection, feed: Feed, row: DeliveryRow) -> DeliveryRow:
        if row.dry_run:
            return await processing.dry_run(conn, self.runtime, feed, row, self._pool)
        if row.next_chunk == row.chunk_count:  # nothing was sent: a nil return
            row = await processing.finish(conn, self.runtime, feed, row)
            await store.save_progress(conn, row)
            return row
        lane = self._lanes[feed.name]
        judging = await self._judging(conn, feed, row, row.next_chunk)
        if row.next_chunk + 1 < row.chunk_count:
            # Judged after this one, by the same processes: they are never without work.
            lane.ahead = (row.id, await self._judging(conn, feed, row, row.next_chunk + 1))
        try:
            row = await processing.process_chunk(conn, self.runtime, feed, row, judging)
        except BaseException:
            judging.cancel()
            raise
        lane.all_new = judging.all_new
        return row

    async def _judging(
        self, conn: AsyncConnection, feed: Feed, row: DeliveryRow, no: int
    ) -> Judging:
        """The judging of a segment: begun before, or begun now."""
        lane = self._lanes[feed.name]
        ahead, lane.ahead = lane.ahead, None
        if ahead is not None:
            delivery_id, judging = ahead
            if delivery_id == row.id and judging.segment.no == no and self._is_of_now(judging):
                return judging
            judging.cancel()
        segment = await store.find_segment(conn, row.id, no)
        if segment is None:
            raise LookupError(f"segment {no} of delivery {row.id} is missing")
        judging = processing.judging_of(
            self.runtime, feed, row, segment, self._pool, all_new=lane.all_new
        )
        await judging.begin(conn)
        return judging

    def _is_of_now(self, judging: Judging) -> bool:
        """Whether what it prepared says of it that it is recorded about now."""
        if judging.preparing is None:
            return True
        age = self.runtime.clock.now() - judging.preparing.recorded_at
        return abs(age.total_seconds()) < PREPARED_SECONDS

    def _count(self, before: DeliveryRow, after: DeliveryRow) -> None:
        service, feed = self.runtime.service.name, after.feed
        if not after.dry_run:
            for disposition, count in (after.counts - before.counts).as_dict().items():
                DELIVERY_RECORDS.labels(service, feed, disposition).inc(max(count, 0))
        if after.status == "done":
            DELIVERIES.labels(service, feed, "done").inc()
            took = (self.runtime.clock.now() - after.received_at).total_seconds()
            DELIVERY_SECONDS.labels(service, feed).observe(max(took, 0.0))

    async def _hindered(self, feed: Feed, error: Exception) -> None:
        WORKER_WAITS.labels(self.runtime.service.name, "deliveries").inc()
        failure = describe_failure(error)
        if is_retryable(error):
            _LOG.warning("deliveries wait", feed=feed.name, error=failure)
            return
        _LOG.exception("delivery cannot go on", feed=feed.name, error=failure)
        with contextlib.suppress(DatabaseAway):
            async with self.runtime.database.transaction() as conn:
                await store.note_failure(conn, feed.name, failure)


def _note(work: Work, before: DeliveryRow, after: DeliveryRow) -> None:
    """On the span: how many records ended how in this unit of work."""
    counts = (after.counts - before.counts).as_dict()
    work.note(**{f"kuomian__{disposition}": count for disposition, count in counts.items()})


async def _either(wake: asyncio.Event, stop: asyncio.Event, seconds: float) -> None:
    """Return when one of the events is set, or the time is over."""
    waits = [asyncio.ensure_future(event.wait()) for event in (wake, stop)]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
