"""Deliveries and employer links, kept as their newest facts state them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.trust import store
from shared.events import Fact
from shared.events.deliveries import DeliveryReceived
from shared.events.enrollment import EmployerLinked, EmployerSplit


async def apply(conn: AsyncConnection, facts: Iterable[Fact]) -> None:
    """Take what the facts say of deliveries and employers; older revisions are left out."""
    deliveries: dict[UUID, DeliveryReceived] = {}
    links: dict[str, EmployerLinked | EmployerSplit] = {}
    for fact in facts:
        if isinstance(fact, DeliveryReceived) and fact.delivery_id is not None:
            _keep_newest(deliveries, UUID(fact.delivery_id), fact)
        elif isinstance(fact, EmployerLinked | EmployerSplit):
            _keep_newest(links, fact.employer_id, fact)
    if deliveries:
        await store.upsert_deliveries(
            conn, [_delivery_row(key, deliveries[key]) for key in sorted(deliveries)]
        )
    if links:
        await _apply_links(conn, links)


def _keep_newest(kept: dict[Any, Any], key: Any, fact: Fact) -> None:
    before = kept.get(key)
    if before is None or before.revision < fact.revision:
        kept[key] = fact


def _delivery_row(delivery_id: UUID, fact: DeliveryReceived) -> dict[str, Any]:
    return {
        "delivery_id": delivery_id,
        "producer": fact.producer,
        "feed": fact.feed,
        "department": fact.department,
        "unit": fact.unit,
        "period": fact.period,
        "mode": fact.mode,
        "received_at": fact.received_at,
        "clock": fact.clock,
        "body_sha256": fact.body_sha256,
        "sent_count": fact.sent_count,
        "applied_count": fact.applied_count,
        "duplicate_count": fact.duplicate_count,
        "rejected_count": fact.rejected_count,
        "held_count": fact.held_count,
        "nil": fact.nil,
        "revision": fact.revision,
        "withdrawn_at": _withdrawn_at(fact),
        "superseded_by": None if fact.superseded_by is None else UUID(fact.superseded_by),
    }


def _withdrawn_at(fact: DeliveryReceived) -> datetime | None:
    """A producer that cannot take deliveries back says nothing of it."""
    if getattr(fact, "withdrawn", False):
        return fact.recorded_at
    found: datetime | None = getattr(fact, "withdrawn_at", None)
    return found


async def _apply_links(
    conn: AsyncConnection, links: Mapping[str, EmployerLinked | EmployerSplit]
) -> None:
    rows = [
        (employer_id, fact.name, fact.unit, fact.revision)
        for employer_id, fact in sorted(links.items())
    ]
    fresh = await store.upsert_links(conn, rows)
    keys = [
        (key, employer_id)
        for employer_id, fact in links.items()
        if employer_id in fresh
        for key in fact.employer_keys
    ]
    await store.replace_employer_keys(conn, sorted(fresh), sorted(keys))
