"""tax-feed, declared."""

from __future__ import annotations

from shared.events.deliveries import TaxFeedDeliveryReceived
from shared.events.tax_feed import (
    ArrearsRecorded,
    ArrearsSettled,
    BaseAudited,
    ClearingInstalmentSet,
    ContributionCollected,
    DeductionReviewed,
    HeadcountDeclared,
    NoWageCharged,
    PreLevied,
    PreLevySettled,
    TaxDeregistered,
    TaxRegistered,
    UnenrolledReported,
)
from shared.service import Service, migrations_of
from tax_feed import models
from tax_feed.audits.api import router as audits
from tax_feed.clearing.api import router as clearing
from tax_feed.collection.api import router as collection
from tax_feed.feeds import FEEDS
from tax_feed.headcounts.api import router as headcounts
from tax_feed.ledger.api import router as ledger
from tax_feed.no_wage.api import router as no_wage
from tax_feed.no_wage.models import SEALED
from tax_feed.prelevies.api import router as prelevies
from tax_feed.registrations.api import router as registrations

SERVICE = Service(
    name="tax-feed",
    title_zh="地税信息接收",
    title_en="Tax feed",
    metadata=models.metadata,
    migrations=migrations_of(__file__),
    feeds=FEEDS,
    routers=(
        registrations,
        headcounts,
        collection,
        clearing,
        audits,
        no_wage,
        prelevies,
        ledger,
    ),
    publishes=(
        ContributionCollected,
        ArrearsRecorded,
        ArrearsSettled,
        HeadcountDeclared,
        UnenrolledReported,
        TaxRegistered,
        TaxDeregistered,
        ClearingInstalmentSet,
        BaseAudited,
        NoWageCharged,
        DeductionReviewed,
        PreLevied,
        PreLevySettled,
        TaxFeedDeliveryReceived,
    ),
    sealed=(SEALED,),
)
