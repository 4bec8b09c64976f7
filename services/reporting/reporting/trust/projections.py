"""Deliveries and employer links, kept as their newest facts state them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.trust import store
from shared.events import Fact
from shared.events.deliveries import DeliveryReceived
from shared.events.enrollment import EmployerLinked, EmployerSplit

_TAKEN: Final = (DeliveryReceived, EmployerLinked, EmployerSplit)


async def apply(conn: AsyncConnection, facts: Sequence[Fact]) -> None:
    """Take what the facts say of deliveries and employers; older revisions are left out."""
    deliveries: dict[UUID, DeliveryReceived] = {}
    links: dict[str, EmployerLinked | EmployerSplit] = {}
    if not any(issubclass(kind, _TAKEN) for kind in set(map(type, facts))):
        return  # as nearly always
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
    first = {employer_id: fact for employer_id, fact in links.items() if fact.revision == 1}
    if first and await store.insert_links(conn, *_link_rows(first)):
        links = {employer_id: fact for employer_id, fact in links.items() if fact.revision > 1}
    if links:
        rows, keys = _link_rows(links)
        fresh = await store.upsert_links(conn, rows)
        await store.replace_employer_keys(
            conn, sorted(fresh), [(key, owner) for key, owner in keys if owner in fresh]
        )


def _link_rows(
    links: Mapping[str, EmployerLinked | EmployerSplit],
) -> tuple[list[store.LinkRow], list[store.KeyRow]]:
    """Links and keys in key order, each once."""
    rows = [(employer, fact.name, fact.unit, fact.revision) for employer, fact in links.items()]
    keys = {(key, employer) for employer, fact in links.items() for key in fact.employer_keys}
    return sorted(rows), sorted(keys)
