"""The current state of each check row, headcount and employer of the list of the unenrolled."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Table, Text

from shared.deliveries.state import state_columns
from tax_feed.tables import employer_columns, found_columns, metadata, own_columns

employer_checks = Table(
    "employer_checks",
    metadata,
    *state_columns(),
    *employer_columns(),
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


def _counted_columns() -> list[Column[object]]:
    return [
        Column("period", Text, nullable=False),
        Column("reg_type", Text),
        Column("industry", Text),
        Column("household", Boolean, nullable=False),
        Column("licence_no", Text),
        Column("owner_key", Text),
        Column("taxable_headcount", Integer, nullable=False),
        Column("insured_headcount", Integer, nullable=False),
    ]


unenrolled_employers = Table(
    "unenrolled_employers",
    metadata,
    *state_columns(),
    *employer_columns(),
    *_counted_columns(),
    Column("found_on", Date, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    *found_columns(),
    Index("unenrolled_employers_period", "period", "natural_key"),
    Index("unenrolled_employers_employer", "employer_key", "period"),
)

headcounts = Table(
    "headcounts",
    metadata,
    *state_columns(),
    *employer_columns(),
    *_counted_columns(),
    Index("headcounts_period", "period", "natural_key"),
    Index("headcounts_employer", "employer_key", "period"),
)

CHECK_COLUMNS = own_columns(employer_checks)
UNENROLLED_COLUMNS = own_columns(unenrolled_employers)
HEADCOUNT_COLUMNS = own_columns(headcounts)
