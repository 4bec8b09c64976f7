"""All tables of the service, on one MetaData: importing this declares them."""

from __future__ import annotations

from enrollment.census import models as census
from enrollment.complaints import models as complaints
from enrollment.identity import models as identity
from enrollment.inspections import models as inspections
from enrollment.leads import models as leads
from enrollment.leads.work import models as lead_work
from enrollment.register import models as register
from enrollment.tables import metadata

__all__ = [
    "census",
    "complaints",
    "identity",
    "inspections",
    "lead_work",
    "leads",
    "metadata",
    "register",
]
