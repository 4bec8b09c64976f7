"""reporting, declared: it consumes every service's facts and owns the page at ``/``."""

from __future__ import annotations

from reporting.figures.api import router as figures
from reporting.handlers import take_all_facts, take_facts
from reporting.models import metadata
from reporting.overview.api import router as overview
from reporting.overview.api import sign_in
from reporting.progress.api import router as progress
from reporting.targets.api import router as targets
from reporting.trust.api import router as trust
from reporting.upload.api import router as upload
from shared.service import Service, Subscription, migrations_of

SERVICE = Service(
    name="reporting",
    title_zh="数据汇总与督导",
    title_en="Figures and reporting",
    metadata=metadata,
    migrations=migrations_of(__file__),
    routers=(figures, progress, targets, trust, overview, upload, sign_in),
    subscriptions=(
        Subscription("registration-feed", take_facts, take_all_facts),
        Subscription("tax-feed", take_facts, take_all_facts),
        Subscription("enrollment", take_facts, take_all_facts),
    ),
)
