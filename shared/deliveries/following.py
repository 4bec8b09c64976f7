"""What a delivery sets going by being done: the one it supersedes is taken back, and so is what
a full list does not name. Noted in the transaction of its receipt; done by ``withdrawing``."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.deliveries.feed import Feed
from shared.deliveries.judge import Judged
from shared.deliveries.store import DeliveryRow, full_lists, withdrawals
from shared.runtime import Runtime


class Removals(msgspec.Struct, frozen=True):
    """What a full list does not name."""

    found_count: int
    """Keys in its scope that it does not name."""
    scope_count: int
    """Keys that stood in its scope: of this sender, and of this period unless the feed is one
    that stands for all."""
    confirmed: bool
    """Whether they are removed; otherwise nothing is, see ``confirm_removals``."""

    def as_dict(self) -> dict[str, Any]:
        return msgspec.structs.asdict(self)


def superseded_by(row: DeliveryRow) -> UUID | None:
    """The delivery that gives way to this one, as its counts stand: none does to one of whose
    records not a single one is applied or a duplicate. A nil return has none to refuse."""
    if row.sent_count and not row.applied_count + row.duplicate_count:
        return None
    return row.supersedes


async def note_named(conn: AsyncConnection, row: DeliveryRow, judged: Judged) -> None:
    """Remember the keys a chunk names, where what is not named matters."""
    if row.mode == "replace" or (row.dry_run and row.supersedes is not None):
        await full_lists.note_keys(conn, row.id, {key for _, key, _, _ in judged.rows})


async def find_removals(
    conn: AsyncConnection, runtime: Runtime, feed: Feed, row: DeliveryRow
) -> Removals | None:
    """What the list, wholly applied, does not name; None for a delivery that only adds."""
    if row.mode != "replace" or feed.standing is None:
        return None
    found, scope = await full_lists.count_unnamed(conn, row, feed.standing)
    if row.confirm_removals is not None:
        return Removals(found, scope, found <= row.confirm_removals)
    return Removals(found, scope, found <= scope * runtime.settings.max_removal_share)


async def begin_withdrawals(
    conn: AsyncConnection, row: DeliveryRow, removals: Removals | None, now: datetime
) -> None:
    """Note what is to be taken back because of this delivery."""
    superseded = superseded_by(row)
    if superseded is not None:
        known = await withdrawals.find_withdrawal(conn, superseded)
        if known is not None:
            await withdrawals.forget_refused(conn, known.id)
        await withdrawals.insert_withdrawal(
            conn,
            feed=row.feed,
            delivery_id=superseded,
            kind="delivery",
            superseded_by=row.id,
            reason="",
            subject="",
            department=row.department,
            requested_at=now,
        )
    if removals is not None and not removals.confirmed:
        await full_lists.forget_keys(conn, row.id)
    if removals is not None and removals.confirmed:
        await withdrawals.insert_withdrawal(
            conn,
            feed=row.feed,
            delivery_id=row.id,
            kind="absence",
            superseded_by=None,
            reason="",
            subject="",
            department=row.department,
            requested_at=now,
        )
