"""Waiting until every fact is applied: what "now the figures can be compared" means."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kuomian.client import Api, Refused, Unreachable
from kuomian.screen import Bar
from kuomian.services import all_services
from kuomian.words import Failure

FIRST_LOOK, LAST_LOOK = 0.05, 0.5
STUCK_SECONDS = 120.0


@dataclass(frozen=True)
class Flow:
    """How far all services are, from their ``status``."""

    published: int
    """Facts given a position, over all producers that reporting listens to."""
    applied: int
    """Of them, applied by reporting."""
    waiting: tuple[str, ...]
    """What is not finished, in words; empty when all is."""
    broken: tuple[str, ...]
    """Dead letters and gaps: what waiting will not mend."""


async def drained(api: Api, bar: Bar | None = None, seconds: float = STUCK_SECONDS) -> Flow:
    """Return when no delivery is unfinished and every fact is applied everywhere it is wanted.

    Twice in a row, for a fact applied may make another. Raises Failure when nothing has moved
    for ``seconds``, or something is broken.
    """
    look, quiet, last = FIRST_LOOK, 0, None
    loop = asyncio.get_running_loop()
    moved_at = loop.time()
    while True:
        flow = await flow_of(api)
        if flow is not None:
            if bar is not None:
                bar.at(flow.applied, flow.waiting[0] if flow.waiting else "")
            if flow.broken:
                raise Failure("; ".join(flow.broken))
            quiet = 0 if flow.waiting else quiet + 1
            if quiet == 2:
                return flow
            if flow != last:
                last, moved_at, look = flow, loop.time(), FIRST_LOOK
        if loop.time() - moved_at > seconds:
            raise Failure(f"没有进展 · nothing moves: {'; '.join(last.waiting if last else ())}")
        await asyncio.sleep(look)
        look = min(look * 1.3, LAST_LOOK)


async def flow_of(api: Api) -> Flow | None:
    """The flow now; None while a service is short of its database."""
    try:
        statuses = {
            service.name: await api.get(f"/{service.name}/v1/status") for service in all_services()
        }
        matching = await api.get("/enrollment/v1/identity/matching")
    except Unreachable:
        return None
    except Refused as error:
        if error.status == 503:
            return None
        raise
    flow = flow_from(statuses, _listens())
    if left := matching["due"] + matching["joining"]:
        said = f"enrollment: {left} 待比对 · employers to compare"
        return replace(flow, waiting=(*flow.waiting, said))
    return flow


def _listens() -> dict[str, tuple[str, ...]]:
    return {
        service.name: tuple(subscription.producer for subscription in service.subscriptions)
        for service in all_services()
    }


def flow_from(
    statuses: Mapping[str, Mapping[str, Any]], listens: Mapping[str, tuple[str, ...]]
) -> Flow:
    """The flow in the statuses of the services; pure."""
    waiting: list[str] = []
    broken: list[str] = []
    heads: dict[str, dict[int, int]] = {}
    for name, status in statuses.items():
        outbox = status.get("outbox", {})
        heads[name] = {int(p): head for p, head in outbox.get("heads", {}).items()}
        if unsent := outbox.get("unsent_facts"):
            waiting.append(f"{name}: {unsent} 待发 · facts to send")
        for feed, unfinished in status.get("deliveries", {}).get("unfinished", {}).items():
            waiting.append(f"{name} {feed}: {unfinished['deliveries']} 未处理 · deliveries")
    for name, status in statuses.items():
        inbox = status.get("inbox", {})
        if letters := inbox.get("dead_letters_open"):
            broken.append(f"{name}: {letters} 条死信 · dead letters")
        if gaps := inbox.get("gaps"):
            broken.append(f"{name}: {len(gaps)} 处缺口 · gaps")
        known = inbox.get("marks", [])
        marks = {(mark["producer"], int(mark["partition"])): mark["position"] for mark in known}
        for producer in listens.get(name, ()):
            behind = sum(
                head - marks.get((producer, partition), 0)
                for partition, head in heads.get(producer, {}).items()
            )
            if behind > 0:
                waiting.append(f"{name} ← {producer}: {behind} 待入账 · facts to apply")
    heard = listens.get("reporting", ())
    published = sum(sum(heads.get(producer, {}).values()) for producer in heard)
    marks_of_reporting = statuses.get("reporting", {}).get("inbox", {}).get("marks", [])
    applied = sum(m["position"] for m in marks_of_reporting if m["producer"] in heard)
    return Flow(published, applied, tuple(waiting), tuple(broken))
