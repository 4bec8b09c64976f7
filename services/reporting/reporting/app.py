"""reporting, declared: it consumes every service's facts, receives what counties and departments
submit, and owns the page at ``/``."""

from __future__ import annotations

from reporting.figures.api import router as figures
from reporting.handlers import take_all_facts, take_facts
from reporting.models import metadata
from reporting.obligations.api import router as obligations
from reporting.obligations.chasing import tell
from reporting.overview.api import router as overview
from reporting.overview.api import sign_in
from reporting.progress.api import router as progress
from reporting.submissions.api import router as submissions
from reporting.submissions.feeds import FEEDS
from reporting.targets.api import router as targets
from reporting.trust.api import router as trust
from reporting.upload.api import router as upload
from shared.events.deliveries import ReportingDeliveryReceived
from shared.events.reporting import (
    ActivityLogged,
    DekadReported,
    MonthlyReported,
    ObligationOverdue,
    ObligationReminded,
)
from shared.service import Job, Service, Subscription, migrations_of

SERVICE = Service(
    name="reporting",
    title_zh="数据汇总与督导",
    title_en="Figures and reporting",
    metadata=metadata,
    migrations=migrations_of(__file__),
    feeds=FEEDS,
    routers=(
        figures,
        progress,
        targets,
        trust,
        obligations,
        submissions,
        overview,
        upload,
        sign_in,
    ),
    publishes=(
        ObligationReminded,
        ObligationOverdue,
        DekadReported,
        MonthlyReported,
        ActivityLogged,
        ReportingDeliveryReceived,
    ),
    jobs=(Job("chasing", 10.0, tell),),
    subscriptions=(
        Subscription("registration-feed", take_facts, take_all_facts),
        Subscription("tax-feed", take_facts, take_all_facts),
        Subscription("enrollment", take_facts, take_all_facts),
        # Its own, that its deliveries stand beside all others, in the journal as well.
        Subscription("reporting", take_facts, take_all_facts),
    ),
)
