"""What the producing services say of themselves: asked over HTTP, briefly, all at once.

Nobody being there to answer is an answer: unknown. Nothing here raises for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import httpx

from shared.settings import Settings

PRODUCERS: Final = ("registration-feed", "tax-feed", "enrollment")
TIMEOUT_SECONDS: Final = 1.5


class Sent(NamedTuple):
    """What a producer has given positions to, what it still has to send, and how much of that
    has no position yet."""

    heads: dict[int, int]
    unsent: int
    unplaced: int
    oldest_unsent_seconds: float | None
    behind_bus: bool = False


async def ask(
    settings: Settings, transport: httpx.AsyncBaseTransport | None = None
) -> dict[str, Sent | None]:
    """Each producer's own count; None for one that has no address or gives no usable answer.

    Calls carry the service token. ``transport`` is the way there, the network by default.
    """
    token = settings.service_token
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    async with httpx.AsyncClient(
        timeout=TIMEOUT_SECONDS, headers=headers, transport=transport
    ) as client:
        answers = await asyncio.gather(
            *(_ask(client, name, settings.service_urls.get(name)) for name in PRODUCERS)
        )
    return dict(zip(PRODUCERS, answers, strict=True))


async def _ask(client: httpx.AsyncClient, name: str, url: str | None) -> Sent | None:
    if url is None:
        return None
    try:
        answer = await client.get(f"{url.rstrip('/')}/{name}/v1/status")
        answer.raise_for_status()
        outbox = answer.json()["outbox"]
        return Sent(
            {int(partition): int(head) for partition, head in outbox["heads"].items()},
            int(outbox["unsent_facts"]),
            int(outbox["unplaced_facts"]),
            outbox["oldest_unsent_seconds"],
            bool(outbox.get("behind")),
        )
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
        return None


def behind(sent: Sent, marks: Iterable[tuple[int, int]]) -> Mapping[int, int]:
    """Facts given a position and not applied here, per partition; only partitions that lag."""
    applied = dict(marks)
    lag = {partition: head - applied.get(partition, 0) for partition, head in sent.heads.items()}
    return {partition: facts for partition, facts in sorted(lag.items()) if facts > 0}


def was_restored(sent: Sent, had: Iterable[tuple[int, int]]) -> bool:
    """Whether the producer was taken back to an earlier moment: its bus is ahead of it, or more
    stood here, before it was asked, than it has given positions to."""
    return sent.behind_bus or any(
        position > sent.heads.get(partition, 0) for partition, position in had
    )
