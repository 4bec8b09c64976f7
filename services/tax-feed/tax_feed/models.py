"""All tables of the service, on one MetaData: importing this declares them."""

from __future__ import annotations

from tax_feed.audits import models as audits
from tax_feed.clearing import models as clearing
from tax_feed.collection import models as collection
from tax_feed.headcounts import models as headcounts
from tax_feed.no_wage import models as no_wage
from tax_feed.prelevies import models as prelevies
from tax_feed.registrations import models as registrations
from tax_feed.tables import metadata

__all__ = [
    "audits",
    "clearing",
    "collection",
    "headcounts",
    "metadata",
    "no_wage",
    "prelevies",
    "registrations",
]
