"""A delivery that is dealt with while its sender waits: kept, judged, applied and receipted in one
transaction, instead of kept in one and worked on in another.

Nothing is promised that the ordinary way does not promise. What stands in the way (other work on
the feed, a fault of ours, a sender's number that is known) rolls everything back, and the delivery
is kept and waits its turn (decision record 39).
"""

from __future__ import annotations

import asyncio
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import DatabaseAway, said_yes, sent_together
from shared.deliveries import processing, store
from shared.deliveries.apply import NotNew, describe_failure
from shared.deliveries.feed import Feed
from shared.deliveries.judge import JudgePool, Judging, StoredSegment
from shared.deliveries.spool import Spool
from shared.deliveries.store import DeliveryRow, NewDelivery
from shared.runtime import Runtime

_LOG = structlog.get_logger("deliveries")


def is_plain(new: NewDelivery, spool: Spool) -> bool:
    """Whether it is one chunk that only adds."""
    return (
        len(spool.entries) == 1
        and new.mode == "append"
        and new.supersedes is None
        and not new.dry_run
    )


def begin_judging(
    runtime: Runtime, feed: Feed, new: NewDelivery, spool: Spool, pool: JudgePool, *, all_new: bool
) -> tuple[DeliveryRow, Judging]:
    """The delivery as it would be kept, and its only segment being judged."""
    row = _row_of(new, spool)
    ((entry, sealed),) = spool.segments()
    segment = StoredSegment.of(entry, sealed)
    judging = processing.judging_of(
        runtime, feed, row, segment, pool, all_new=all_new, data=spool.only
    )
    return row, judging


async def dealt_with(
    runtime: Runtime,
    feed: Feed,
    new: NewDelivery,
    spool: Spool,
    row: DeliveryRow,
    judging: Judging,
) -> DeliveryRow | None:
    """The delivery done, as it was committed; None, with nothing kept, where it cannot be at once.
    Raises DatabaseAway and NotNew."""
    try:
        async with runtime.database.transaction() as conn:
            async with sent_together(conn):
                idle = await store.ask_for_idle_feed(conn, new)
                await store.insert_only_segment(conn, new, spool)
            if not await said_yes(idle):
                raise _HasToWait
            await judging.begin(conn)
            await store.insert_reading(conn, new, spool)
            save = partial(_keep_done, new=new, spool=spool)
            return await processing.process_chunk(conn, runtime, feed, row, judging, save)
    except _HasToWait:
        return None
    except (DatabaseAway, NotNew):
        raise
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return None  # not this task: the judging processes were let go meanwhile
    except Exception as error:  # whoever works on it in its turn meets it again, and says so there
        _LOG.warning("not dealt with at once", feed=feed.name, error=describe_failure(error))
        return None


class _HasToWait(Exception):
    """Something else is to be done on the feed first; rolls everything back."""


async def _keep_done(
    conn: AsyncConnection, row: DeliveryRow, *, new: NewDelivery, spool: Spool
) -> None:
    if not await store.insert_done(conn, new, spool, row):
        raise _HasToWait


def _row_of(new: NewDelivery, spool: Spool) -> DeliveryRow:
    """As it is kept when it has just been accepted; its ``seq`` is given at the very end."""
    return DeliveryRow(
        id=UUID(new.id),
        seq=0,
        feed=new.feed,
        department=new.department,
        sender=new.sender,
        units=None if new.units is None else sorted(new.units),
        idempotency_key=new.idempotency_key,
        period=new.period,
        nil=new.nil,
        dry_run=new.dry_run,
        status="accepted",
        sha256=spool.sha256,
        size=spool.size,
        content_type=new.content_type,
        reader=new.reader,
        received_at=new.received_at,
        clock=new.clock,
        traceparent=new.traceparent,
        chunk_count=len(spool.entries),
        next_chunk=0,
        sent_count=spool.record_count,
        applied_count=0,
        duplicate_count=0,
        rejected_count=0,
        held_count=0,
        problem_counts={},
        revision=0,
        receipt=None,
        receipt_sha256=None,
        completed_at=None,
        failure=None,
        receipt_seal=None,
        mode=new.mode,
        confirm_removals=new.confirm_removals,
        supersedes=new.supersedes,
        withdrawn_at=None,
        reading=new.reading,
    )
