"""The current state of each pre-levy."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Table, Text

from shared.deliveries.state import state_columns
from tax_feed.tables import employer_columns, metadata, own_columns

pre_levies = Table(
    "pre_levies",
    metadata,
    *state_columns(),
    *employer_columns(),
    Column("month", Text, nullable=False),
    Column("levied_on", Date, nullable=False),
    Column("household", Boolean, nullable=False),
    Column("licence_no", Text),
    Column("owner_key", Text),
    Column("taxable_headcount", Integer, nullable=False),
    Column("insured_headcount", Integer, nullable=False),
    Column("base_fen", BigInteger, nullable=False),
    Column("pooled_fen", BigInteger, nullable=False),
    Column("individual_rate", Text, nullable=False, comment="exact decimal, 0.08"),
    Column("individual_due_fen", BigInteger, nullable=False),
    Column("enrolled_on", Date),
    Column("settled_on", Date),
    Column("individual_fen", BigInteger),
    Column("cancelled", Boolean, nullable=False),
    Index("pre_levies_month", "month", "natural_key"),
    Index("pre_levies_employer", "employer_key"),
)

COLUMNS = own_columns(pre_levies)
