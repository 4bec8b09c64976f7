"""The current state of each person and month without wage, and what of it was published."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text

from shared.crypto import SealedColumn
from shared.deliveries.state import state_columns
from tax_feed.tables import employer_columns, metadata, own_columns

no_wage_persons = Table(
    "no_wage_persons",
    metadata,
    *state_columns(),
    *employer_columns(),
    Column("person_key", Text, nullable=False, comment="keyed hash of the identity number"),
    Column("sealed", LargeBinary, nullable=False, comment="identity number and name, encrypted"),
    Column("month", Text, nullable=False),
    Column("base_fen", BigInteger, nullable=False),
    Column("individual_rate", Text, nullable=False, comment="exact decimal, 0.08"),
    Column("individual_fen", BigInteger, nullable=False),
    Column("employer_rate", Text, nullable=False, comment="exact decimal, 0.20"),
    Column("employer_fen", BigInteger, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Index("no_wage_persons_month", "month", "natural_key"),
    Index("no_wage_persons_employer", "employer_key", "month"),
)

no_wage_totals = Table(
    "no_wage_totals",
    metadata,
    Column("employer_key", Text, primary_key=True),
    Column("month", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("org_code", Text),
    Column("person_count", Integer, nullable=False),
    Column("base_fen", BigInteger, nullable=False),
    Column("individual_fen", BigInteger, nullable=False),
    Column("employer_fen", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
)
"""What has been published of each employer, month and unit: sums, nobody by name."""

COLUMNS = own_columns(no_wage_persons)


def place_of(natural_key: str) -> bytes:
    """What binds a sealed identity to its row."""
    return b"no-wage:" + natural_key.encode()


SEALED = SealedColumn("no_wage_persons", "sealed", ("natural_key",), place_of)
