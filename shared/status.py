"""How a service stands: what waits, what is stuck, where each partition is. For operators, the
status page and the gauges; counts only, nothing personal."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import metrics, outbox, outbox_again
from shared.bus import BusError
from shared.events import topic_of
from shared.inbox import Inbox
from shared.runtime import Runtime


async def status_of(runtime: Runtime, conn: AsyncConnection) -> dict[str, Any]:
    """Outbox, inbox and deliveries as far as the service has them; some cheap statements.

    Raises DatabaseAway.
    """
    service, tables = runtime.service, runtime.service.metadata.tables
    found: dict[str, Any] = {
        "service": service.name,
        "clock": {"kind": runtime.clock.kind, "now": runtime.clock.now().isoformat()},
        "plan": runtime.plan.version,
    }
    if "outbox_blocks" in tables:
        found["outbox"] = msgspec.to_builtins(await outbox.status(conn))
        again = await outbox_again.republishing(conn)
        found["outbox"]["republishing"] = msgspec.to_builtins(again)
    if "inbox_marks" in tables:
        found["inbox"] = msgspec.to_builtins(await Inbox.of(runtime).status(conn))
    if "deliveries" in tables:
        found["deliveries"] = await deliveries_status(conn)
        found["deliveries"]["missing"] = await missing_periods(runtime, conn)
    return found


async def deliveries_status(conn: AsyncConnection) -> dict[str, Any]:
    """Deliveries not dealt with yet and records held, per feed."""
    unfinished = await conn.execute(_UNFINISHED)
    held = await conn.execute(_HELD)
    return {
        "unfinished": {
            row.feed: {
                "deliveries": row.deliveries,
                "oldest_received_at": row.oldest.isoformat(),
                "failure": row.failure,
            }
            for row in unfinished
        },
        "held": {row.feed: row.records for row in held},
    }


async def missing_periods(runtime: Runtime, conn: AsyncConnection) -> dict[str, int]:
    """Per feed that the plan expects: how many periods are past due and nothing was received.

    Counts what was accepted, judged or not; dry runs and refused deliveries are nothing.
    """
    now, planned = runtime.clock.now(), {feed.name for feed in runtime.plan.feeds}
    due = {
        feed.name: {str(due.period) for due in runtime.plan.due_for(feed.name, now)}
        for feed in runtime.service.feeds
        if feed.name in planned
    }
    for row in await conn.execute(_RECEIVED):
        due.get(row.feed, set()).discard(row.period)
    return {feed: len(periods) for feed, periods in due.items()}


async def lag_of(runtime: Runtime) -> dict[str, dict[int, int]] | None:
    """Messages on the bus not consumed yet, per producer and partition; None when the bus does
    not say within two seconds. Ask only where a consumer runs: the bus is connected there."""
    producers = {topic_of(s.producer): s.producer for s in runtime.service.subscriptions}
    try:
        async with asyncio.timeout(_LAG_SECONDS):
            lag = await runtime.bus.lag(runtime.service.name, list(producers))
    except (BusError, TimeoutError):
        return None
    found: dict[str, dict[int, int]] = {producer: {} for producer in producers.values()}
    for (topic, partition), count in sorted(lag.items()):
        found[producers[topic]][partition] = count
        place = (runtime.service.name, producers[topic], str(partition))
        metrics.CONSUMER_LAG.labels(*place).set(count)
    return found


def set_gauges(service: str, status: dict[str, Any]) -> None:
    """Show a status in the metrics."""
    if (sending := status.get("outbox")) is not None:
        metrics.OUTBOX_UNSENT.labels(service).set(sending["unsent_facts"])
        metrics.OUTBOX_BEHIND.labels(service).set(len(sending["behind"]))
        metrics.OUTBOX_AGE.labels(service).set(sending["oldest_unsent_seconds"] or 0)
    if (receiving := status.get("inbox")) is not None:
        metrics.DEAD_LETTERS_OPEN.labels(service).set(receiving["dead_letters_open"])
        metrics.CONSUMER_STOPPED.labels(service).set(receiving["stopped"])
        metrics.INBOX_GAPS.labels(service).set(len(receiving["gaps"]))
        for mark in receiving["marks"]:
            place = (service, mark["producer"], str(mark["partition"]))
            metrics.INBOX_POSITION.labels(*place).set(mark["position"])
    if (pushed := status.get("deliveries")) is not None:
        waiting = sum(feed["deliveries"] for feed in pushed["unfinished"].values())
        metrics.DELIVERIES_UNFINISHED.labels(service).set(waiting)
        for feed, records in pushed["held"].items():
            metrics.RECORDS_HELD.labels(service, feed).set(records)
        for feed, periods in pushed["missing"].items():
            metrics.FEED_PERIODS_MISSING.labels(service, feed).set(periods)


_LAG_SECONDS: Final = 2.0
_UNFINISHED: Final = text(
    "SELECT feed, count(*) AS deliveries, min(received_at) AS oldest, max(failure) AS failure"
    " FROM deliveries WHERE status IN ('accepted', 'judging') GROUP BY feed ORDER BY feed"
)
_RECEIVED: Final = text(
    "SELECT DISTINCT feed, period FROM deliveries WHERE NOT dry_run AND status <> 'rejected' "
    "AND withdrawn_at IS NULL"
)
_HELD: Final = text(
    "SELECT feed, count(*) FILTER (WHERE resolved_at IS NULL) AS records"
    " FROM held_records GROUP BY feed ORDER BY feed"
)
