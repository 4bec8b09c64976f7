"""The one MetaData of the service; each capability declares its tables on it in ``models``."""

from __future__ import annotations

from sqlalchemy import MetaData

from shared.deliveries.models import delivery_tables
from shared.inbox import inbox_tables
from shared.outbox import outbox_tables

metadata = MetaData()
delivery_tables(metadata)
outbox_tables(metadata)
inbox_tables(metadata)
