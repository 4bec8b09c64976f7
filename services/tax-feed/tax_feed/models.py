"""Tables of tax-feed: the current state of each check row, receipt and arrears stock."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, MetaData, Table, Text

from shared.deliveries.models import delivery_tables
from shared.deliveries.state import state_columns
from shared.outbox import outbox_tables

metadata = MetaData()
delivery_tables(metadata)
outbox_tables(metadata)


def _employer_columns() -> list[Column[object]]:
    return [
        Column("employer_key", Text, nullable=False),
        Column("org_code", Text),
        Column("name", Text, nullable=False),
        Column("unit", Text, nullable=False),
    ]


employer_checks = Table(
    "employer_checks",
    metadata,
    *state_columns(),
    *_employer_columns(),
    Column("period", Text, nullable=False),
    Column("reg_type", Text, nullable=False),
    Column("industry", Text, nullable=False),
    Column("household", Boolean, nullable=False),
    Column("licence_no", Text),
    Column("owner_key", Text),
    Column("taxable_headcount", Integer, nullable=False),
    Column("insured_headcount", Integer, nullable=False),
    Column("due_fen", BigInteger, nullable=False),
    Column("paid_fen", BigInteger, nullable=False),
    Column("arrears_fen", BigInteger, nullable=False),
    Column("pre_levied_fen", BigInteger, nullable=False),
    Column("tax_reg_on", Date),
    Index("employer_checks_period", "period", "natural_key"),
    Index("employer_checks_employer", "employer_key", "period"),
)

receipts = Table(
    "receipts",
    metadata,
    *state_columns(),
    *_employer_columns(),
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
    *_employer_columns(),
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


def _own(table: Table) -> tuple[str, ...]:
    shared = {column.name for column in state_columns()}
    return tuple(column.name for column in table.columns if column.name not in shared)


CHECK_COLUMNS = _own(employer_checks)
RECEIPT_COLUMNS = _own(receipts)
ARREARS_COLUMNS = _own(arrears)
