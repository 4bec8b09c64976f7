"""tax-feed, declared."""

from __future__ import annotations

from shared.events.deliveries import TaxFeedDeliveryReceived
from shared.events.tax_feed import (
    ArrearsRecorded,
    ArrearsSettled,
    ContributionCollected,
    HeadcountDeclared,
    UnenrolledReported,
)
from shared.service import Service, migrations_of
from tax_feed import models
from tax_feed.api import router
from tax_feed.feeds import FEEDS

SERVICE = Service(
    name="tax-feed",
    title_zh="地税信息接收",
    title_en="Tax feed",
    metadata=models.metadata,
    migrations=migrations_of(__file__),
    feeds=FEEDS,
    routers=(router,),
    publishes=(
        ContributionCollected,
        ArrearsRecorded,
        ArrearsSettled,
        HeadcountDeclared,
        UnenrolledReported,
        TaxFeedDeliveryReceived,
    ),
)
