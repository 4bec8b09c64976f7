"""registration-feed, declared."""

from __future__ import annotations

from registration_feed import models
from registration_feed.api import router
from registration_feed.feeds import FEEDS
from shared.events.deliveries import RegistrationFeedDeliveryReceived
from shared.events.registration_feed import (
    EnterpriseChanged,
    EnterpriseDeregistered,
    EnterpriseRegistered,
)
from shared.service import Service, migrations_of

SERVICE = Service(
    name="registration-feed",
    title_zh="登记信息接收",
    title_en="Registration feed",
    metadata=models.metadata,
    migrations=migrations_of(__file__),
    feeds=FEEDS,
    routers=(router,),
    publishes=(
        EnterpriseRegistered,
        EnterpriseChanged,
        EnterpriseDeregistered,
        RegistrationFeedDeliveryReceived,
    ),
)
