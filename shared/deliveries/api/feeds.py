"""Routes that show the feeds of a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from shared.auth import CallerDep
from shared.deliveries.api.asking import FeedName, feed_of
from shared.deliveries.feed import Feed
from shared.deliveries.views import feed_details, feed_view
from shared.dependencies import RuntimeDep
from shared.service import Service


def add_feeds(router: APIRouter, service: Service, feeds: Mapping[str, Feed]) -> None:
    """``GET /feeds`` and ``GET /feeds/{feed}``."""

    @router.get("/feeds", tags=["feeds"], summary="报送项目 · feeds of this service")
    async def list_feeds(caller: CallerDep) -> dict[str, Any]:
        return {"items": [feed_view(service, feed, caller) for feed in feeds.values()]}

    @router.get(
        "/feeds/{feed}",
        tags=["feeds"],
        summary="报送项目的记录格式、时限和示例 · a feed's record, due rule and example",
    )
    async def get_feed(name: FeedName, caller: CallerDep, runtime: RuntimeDep) -> dict[str, Any]:
        feed = feed_of(feeds, name)
        return feed_details(service, feed, caller, runtime.plan, runtime.clock.now())
