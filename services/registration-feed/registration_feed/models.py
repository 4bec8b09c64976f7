"""Tables of registration-feed: the current state of each licence and certificate."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, MetaData, Table, Text

from shared.deliveries.models import delivery_tables
from shared.deliveries.state import state_columns
from shared.outbox import outbox_tables

metadata = MetaData()
delivery_tables(metadata)
outbox_tables(metadata)


def _enterprise_columns() -> list[Column[object]]:
    return [
        Column("employer_key", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("unit", Text, nullable=False),
        Column("org_code", Text),
        Column("licence_no", Text),
        Column("owner_key", Text),
        Column("reg_type", Text),
        Column("industry", Text),
        Column("household", Boolean, nullable=False),
        Column("licensed_on", Date, nullable=False),
        Column("event", Text, nullable=False),
        Column("event_on", Date, nullable=False),
        Column("commitment_letter", Boolean, nullable=False),
        Column("notified_on", Date),
        Column("headcount", Integer),
        Column("address", Text),
        # The legal representative: first character and stars, and the keyed hash of the name.
        Column("legal_rep", Text),
        Column("legal_rep_key", Text),
    ]


COLUMNS = tuple(column.name for column in _enterprise_columns())
"""What an intake row carries, for both feeds alike."""

business_licences = Table(
    "business_licences",
    metadata,
    *state_columns(),
    *_enterprise_columns(),
    Index("business_licences_employer", "employer_key"),
    Index("business_licences_unit", "unit", "natural_key"),
)

organisation_codes = Table(
    "organisation_codes",
    metadata,
    *state_columns(),
    *_enterprise_columns(),
    Index("organisation_codes_employer", "employer_key"),
    Index("organisation_codes_unit", "unit", "natural_key"),
)
