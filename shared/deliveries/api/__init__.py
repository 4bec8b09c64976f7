"""The door of the receiving services: feeds, deliveries, receipts, records, corrections."""

from __future__ import annotations

from fastapi import APIRouter

from shared.deliveries.api.correcting import add_correcting
from shared.deliveries.api.deliveries import add_deliveries
from shared.deliveries.api.feeds import add_feeds
from shared.deliveries.api.holding import add_holding
from shared.deliveries.api.pushing import add_push
from shared.deliveries.api.records import add_records
from shared.deliveries.api.sums import add_sums
from shared.deliveries.tables.api import add_tables
from shared.service import Service


def deliveries_router(service: Service) -> APIRouter:
    """The routes of a receiving service, to be mounted below ``/{service}``."""
    router = APIRouter(prefix="/v1")
    feeds = {feed.name: feed for feed in service.feeds}
    add_feeds(router, service, feeds)
    add_push(router, service, feeds)
    add_deliveries(router, service, feeds)
    add_records(router, feeds)
    add_correcting(router, service, feeds)
    add_holding(router, feeds)
    add_sums(router)
    add_tables(router, feeds)
    return router
