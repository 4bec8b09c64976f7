"""The current state of each tax registration."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Table, Text

from shared.deliveries.state import state_columns
from tax_feed.tables import employer_columns, found_columns, metadata, own_columns

tax_registrations = Table(
    "tax_registrations",
    metadata,
    *state_columns(),
    *employer_columns(),
    Column("reg_type", Text, nullable=False),
    Column("industry", Text, nullable=False),
    Column("household", Boolean, nullable=False),
    Column("licence_no", Text),
    Column("owner_key", Text),
    Column("registered_on", Date, nullable=False),
    Column("notified_on", Date),
    Column("enrol_by", Date),
    Column("deregistered_on", Date),
    *found_columns(),
    Index("tax_registrations_registered", "registered_on", "natural_key"),
    Index("tax_registrations_employer", "employer_key"),
)

COLUMNS = own_columns(tax_registrations)
