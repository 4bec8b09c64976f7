"""All tables of the service, on one MetaData: importing this declares them."""

from __future__ import annotations

from enrollment.census import models as census
from enrollment.comparing import models as comparing
from enrollment.complaints import models as complaints
from enrollment.frames import models as frames
from enrollment.golden import models as golden
from enrollment.identity import models as identity
from enrollment.inspections import models as inspections
from enrollment.leads import models as leads
from enrollment.leads.work import models as lead_work
from enrollment.linking import models as linking
from enrollment.register import models as register
from enrollment.roster import models as roster
from enrollment.tables import metadata

__all__ = [
    "census",
    "comparing",
    "complaints",
    "frames",
    "golden",
    "identity",
    "inspections",
    "lead_work",
    "leads",
    "linking",
    "metadata",
    "register",
    "roster",
]
