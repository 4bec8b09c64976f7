"""The current state of each instalment of each clearing plan."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Table, Text

from shared.deliveries.state import state_columns
from tax_feed.tables import employer_columns, metadata, own_columns

clearing_instalments = Table(
    "clearing_instalments",
    metadata,
    *state_columns(),
    *employer_columns(),
    Column("plan_no", Text, nullable=False),
    Column("instalment_no", Integer, nullable=False),
    Column("agreed_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Index("clearing_instalments_plan", "plan_no", "instalment_no"),
    Index("clearing_instalments_employer", "employer_key", "agreed_on"),
)

COLUMNS = own_columns(clearing_instalments)
