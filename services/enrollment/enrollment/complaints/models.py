"""Tables of complaints."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from enrollment.tables import metadata
from shared.deliveries.state import state_columns

complaints = Table(
    "complaints",
    metadata,
    *state_columns(),
    Column("unit", Text, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("channel", Text, nullable=False),
    Column("ground", Text, nullable=False),
    Column("employer_name", Text, nullable=False),
    Column("org_code", Text),
    Column("licence_no", Text),
    Column("persons_affected", Integer),
    # What was written, and the informant's name and contact, encrypted, bound to the natural key.
    Column("sealed", LargeBinary, nullable=False),
    Column("void", Boolean, nullable=False),
    Index("complaints_by_unit", "unit", "received_on"),
)

complaint_accesses = Table(
    "complaint_accesses",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("complaint", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("read_at", DateTime(timezone=True), nullable=False),
    Index("complaint_accesses_by_complaint", "complaint", "read_at"),
)
"""Who read what was written and by whom, and what for."""
