"""What the routes of deliveries ask alike: which feed, which delivery, seen by whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Path
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.auth import Caller
from shared.deliveries import store
from shared.deliveries.feed import Feed
from shared.deliveries.seeing import SEE_ALL, may_change, may_see
from shared.deliveries.store import DeliveryRow
from shared.problems import problem

FeedName = Annotated[str, Path(alias="feed", description="报送项目 · feed")]
DeliveryId = Annotated[UUID, Path(alias="id", description="报送编号 · delivery")]
RecordNo = Annotated[int, Path(ge=1, le=2**31 - 1, description="记录号 · record, from 1")]


def feed_of(feeds: Mapping[str, Feed], name: str) -> Feed:
    """The feed of the name. Raises the problem ``feed-unknown``."""
    if name not in feeds:
        raise problem("feed-unknown", feed=name[:60], known=", ".join(sorted(feeds)))
    return feeds[name]


async def visible(conn: AsyncConnection, caller: Caller, delivery_id: UUID) -> DeliveryRow:
    """The delivery, if there is one the caller may see; which of the two fails is not told."""
    row = await store.find_delivery(conn, delivery_id)
    if row is None or not may_see(caller, row):
        raise problem("delivery-unknown", delivery=delivery_id)
    return row


async def changeable(conn: AsyncConnection, caller: Caller, delivery_id: UUID) -> DeliveryRow:
    """The delivery, if the caller may see it and may also take it back or decide on its records.
    Raises ``delivery-unknown`` or ``forbidden``."""
    row = await visible(conn, caller, delivery_id)
    if not may_change(caller, row):
        allowed = ", ".join(sorted({row.department, "agency"}))
        raise problem("forbidden", department=caller.department, allowed=allowed)
    return row


def seen_department(caller: Caller) -> str | None:
    """The department whose deliveries the caller's lists are confined to; None for all."""
    return None if caller.units is None and caller.is_any(*SEE_ALL) else caller.department
