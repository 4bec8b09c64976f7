"""The current state of each receipt and arrears stock, and the chain of arrears published."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Table, Text

from shared.deliveries.state import state_columns
from tax_feed.tables import employer_columns, metadata, own_columns

receipts = Table(
    "receipts",
    metadata,
    *state_columns(),
    *employer_columns(),
    Column("month_for", Text, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("pooled_fen", BigInteger, nullable=False),
    Column("individual_fen", BigInteger, nullable=False),
    Column("arrears_pooled_fen", BigInteger, nullable=False),
    Column("payer_count", Integer, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Index("receipts_received", "received_on", "natural_key"),
    Index("receipts_employer", "employer_key", "received_on"),
)

arrears = Table(
    "arrears",
    metadata,
    *state_columns(),
    *employer_columns(),
    Column("month", Text, nullable=False),
    Column("balance_fen", BigInteger, nullable=False),
    Index("arrears_month", "month", "natural_key"),
    Index("arrears_employer", "employer_key", "month", unique=True),
)

arrears_chain = Table(
    "arrears_chain",
    metadata,
    Column("employer_key", Text, primary_key=True),
    Column("month", Text, primary_key=True),
    Column("balance_fen", BigInteger, nullable=False),
    Column("carried_fen", BigInteger, nullable=False),
    Column("unit", Text, nullable=False),
    Column("carried_unit", Text),
    Column("org_code", Text),
    Column("revision", Integer, nullable=False),
)
"""What has been published of each employer and month: restated when an earlier month is."""

RECEIPT_COLUMNS = own_columns(receipts)
ARREARS_COLUMNS = own_columns(arrears)
