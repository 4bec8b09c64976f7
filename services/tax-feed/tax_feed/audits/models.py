"""The current state of each audited base and each month reviewed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Table, Text

from shared.deliveries.state import state_columns
from tax_feed.tables import employer_columns, metadata, own_columns

base_audits = Table(
    "base_audits",
    metadata,
    *state_columns(),
    *employer_columns(),
    Column("audited_on", Date, nullable=False),
    Column("from_month", Text, nullable=False),
    Column("to_month", Text, nullable=False),
    Column("declared_base_fen", BigInteger, nullable=False),
    Column("audited_base_fen", BigInteger, nullable=False),
    Column("rate", Text, nullable=False, comment="exact decimal, 0.20"),
    Column("pooled_due_fen", BigInteger, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Index("base_audits_audited", "audited_on", "natural_key"),
    Index("base_audits_employer", "employer_key"),
)

deduction_reviews = Table(
    "deduction_reviews",
    metadata,
    *state_columns(),
    *employer_columns(),
    Column("review_no", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("reviewed_on", Date, nullable=False),
    Column("taxable_headcount", Integer, nullable=False),
    Column("contributing_headcount", Integer, nullable=False),
    Column("approved_headcount", Integer, nullable=False),
    Column("accrued_fen", BigInteger, nullable=False),
    Column("paid_fen", BigInteger, nullable=False),
    Column("not_deductible_fen", BigInteger, nullable=False),
    Index("deduction_reviews_month", "month", "natural_key"),
    Index("deduction_reviews_review", "review_no", "month"),
    Index("deduction_reviews_employer", "employer_key"),
)

AUDIT_COLUMNS = own_columns(base_audits)
REVIEW_COLUMNS = own_columns(deduction_reviews)
