"""An officer's word on a held record: reject it, or have it judged again now."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.auth import Caller
from shared.database import notify
from shared.deliveries import store
from shared.deliveries.ending import end_held
from shared.deliveries.feed import Disposition, RowProblem
from shared.deliveries.linking import link_receipt
from shared.deliveries.processing import publish_delivery
from shared.deliveries.receipts import DISPOSITIONS, timestamp
from shared.deliveries.store import CHANNEL, linked
from shared.problems import problem
from shared.runtime import Runtime


async def resolve(
    conn: AsyncConnection,
    runtime: Runtime,
    delivery_id: UUID,
    no: int,
    action: Literal["reject", "release"],
    reason: str,
    caller: Caller,
) -> Disposition:
    """Decide, in the caller's transaction; returns the record's disposition after it.

    Rejecting moves the counts by one and, for a delivery that is done, makes a linked receipt and
    publishes the delivery anew. Releasing wakes the worker, which asks the same gate again. Either
    stays on record. Raises ``not-found`` and ``record-not-held``.
    """
    row = await store.find_delivery(conn, delivery_id)
    if row is None:
        raise problem("delivery-unknown", delivery=delivery_id)
    # As the worker does: the feed first, then the row.
    await linked.wait_for_feed(conn, row.feed)
    await linked.lock_delivery(conn, delivery_id)
    row = await store.find_delivery(conn, delivery_id)
    if row is None or row.dry_run or not 1 <= no <= row.sent_count:
        raise problem("not-found")
    if await linked.find_held(conn, delivery_id, no) is None:
        raise problem("record-not-held", no=no, disposition=await _ended(conn, delivery_id, no))
    now = row.not_before(runtime.clock.now())
    who = (caller.subject, caller.department)
    await linked.insert_resolution(conn, row, no, action, reason, *who, now)
    if action == "release":
        await linked.make_due(conn, delivery_id, no)
        await notify(conn, CHANNEL, row.feed)
        return Disposition.HELD
    found = RowProblem("record-refused", "", {"department": caller.department, "reason": reason})
    row = await end_held(conn, row, [no], found, now)
    if row.status == "done":
        details = {
            "resolution": {
                "no": no,
                "action": action,
                "reason": reason,
                "by": caller.subject,
                "department": caller.department,
                "resolved_at": timestamp(now),
            }
        }
        await link_receipt(conn, runtime, row, "resolved", now, details)
        row = await publish_delivery(conn, runtime, row, now)
    await store.save_progress(conn, row)
    return Disposition.REJECTED


async def _ended(conn: AsyncConnection, delivery_id: UUID, no: int) -> str:
    chunks = await store.chunks_from(conn, delivery_id, no, 1)
    if not chunks or no < chunks[0][0]:
        return "judging"
    first_no, packed = chunks[0]
    return DISPOSITIONS[packed[no - first_no]].value
