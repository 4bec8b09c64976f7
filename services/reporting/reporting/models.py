"""Every table of reporting's database on one MetaData: its own and the shared ones."""

from __future__ import annotations

from reporting.figures import models as figures
from reporting.metadata import metadata
from reporting.obligations import models as obligations
from reporting.submissions import models as submissions
from reporting.trust import models as trust
from shared.inbox import inbox_tables
from shared.outbox import outbox_tables

inbox_tables(metadata)
outbox_tables(metadata)

__all__ = ["figures", "metadata", "obligations", "submissions", "trust"]
