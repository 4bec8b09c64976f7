"""What a delivery that corrects others may name, and whether one may be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.auth import Caller
from shared.deliveries import store
from shared.deliveries.feed import Feed
from shared.deliveries.seeing import is_own, may_see
from shared.deliveries.store import DeliveryRow, NewDelivery
from shared.deliveries.store.linked import lock_delivery
from shared.deliveries.store.rows import sender_of
from shared.deliveries.store.withdrawals import find_counting, is_taken
from shared.problems import problem
from shared.runtime import Runtime

if TYPE_CHECKING:
    from shared.deliveries.accepting import Push


async def check_correcting(runtime: Runtime, feed: Feed, caller: Caller, push: Push) -> None:
    """Raise a Problem for a full list or a superseding that cannot be what the sender means."""
    if push.nil:
        await _check_nil(runtime, feed, caller, push)
    if push.confirm_removals is not None and push.mode != "replace":
        raise problem(
            "conflict",
            reason="confirm_removals 只用于 mode=replace · goes with mode=replace only",
        )
    if push.mode == "replace":
        if push.nil:
            raise problem(
                "conflict",
                reason="零报送不能作为全量名册 · a nil return cannot be a full list",
            )
        if feed.standing is None:
            raise problem("withdrawal-refused", reason=_unsupported(feed))
    if push.supersedes is None:
        return
    async with runtime.database.read() as conn:
        row = await store.find_delivery(conn, push.supersedes)
        if row is None or not may_see(caller, row):
            raise problem("delivery-unknown", delivery=push.supersedes)
        if row.feed != feed.name or not is_own(caller, row):
            raise problem(
                "conflict",
                reason=f"只能替换本部门同一项目的报送 · {row.feed} of {row.department} is not a "
                "delivery of this feed by this sender",
            )
        sender = sender_of(caller.department, caller.units)
        await _check_free(conn, feed.name, row.id, sender, push.idempotency_key or "")
        # A repetition of the push that superseded it finds it withdrawn by itself.
        if row.withdrawn_at is None:
            await check_withdrawable(conn, feed, row)


async def take_superseded(conn: AsyncConnection, new: NewDelivery) -> None:
    """Before the delivery is kept: hold what it supersedes until the transaction ends, so that no
    other takes it too. Raises a Problem when one has."""
    if new.supersedes is not None and not new.dry_run:
        await lock_delivery(conn, new.supersedes)
        await _check_free(conn, new.feed, new.supersedes, new.sender, new.idempotency_key)


async def _check_free(
    conn: AsyncConnection, feed: str, delivery_id: UUID, sender: str, key: str
) -> None:
    if await is_taken(conn, feed, delivery_id, sender, key):
        raise problem(
            "conflict",
            reason=f"报送 {delivery_id} 已撤回或正被另一报送替换 · delivery {delivery_id} is "
            "withdrawn, or being superseded by another, already",
        )


async def _check_nil(runtime: Runtime, feed: Feed, caller: Caller, push: Push) -> None:
    """A sender cannot say "nothing" where records of its own stand; a repetition may."""
    sender = sender_of(caller.department, caller.units)
    async with runtime.database.read() as conn:
        key = push.idempotency_key or ""
        if await store.find_by_key(conn, sender, feed.name, push.dry_run, key) is not None:
            return
        standing = await find_counting(conn, sender, feed.name, push.period)
    if standing is not None:
        raise problem(
            "conflict",
            reason=f"该期间已报送记录（{standing}），零报送前请先撤回 · delivery {standing} has "
            "records for this period: withdraw it first",
        )


async def check_withdrawable(conn: AsyncConnection, feed: Feed, row: DeliveryRow) -> None:
    """Raise a Problem when the delivery cannot be taken back as things stand."""
    if row.dry_run:
        raise problem("withdrawal-refused", reason="试报无效力 · a dry run has no effect")
    if row.status != "done":
        location = f"…/deliveries/{row.id}"
        raise problem("delivery-running", delivery=row.id, location=location)
    if feed.standing is None:
        raise problem("withdrawal-refused", reason=_unsupported(feed))
    if feed.standing.refuses is not None:
        refusal = await feed.standing.refuses(conn, row.id)
        if refusal is not None:
            raise problem("withdrawal-refused", reason=refusal)


def _unsupported(feed: Feed) -> str:
    return f"{feed.name} 的报送不能撤回 · deliveries of {feed.name} cannot be taken back"
