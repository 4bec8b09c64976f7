"""Tables of the comparison. Rows are written once, with their run, and never changed."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, DateTime, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from enrollment.tables import metadata

census_comparisons = Table(
    "census_comparisons",
    metadata,
    # Counted from 1 without gaps.
    Column("run_no", Integer, primary_key=True, autoincrement=False),
    # None: all units.
    Column("unit", Text),
    Column("as_of", Date, nullable=False),
    Column("compared_at", DateTime(timezone=True), nullable=False),
    Column("compared_by", Text, nullable=False),
    Column("plan_version", Text, nullable=False),
    # The canonical bytes of all the run says, and their SHA-256.
    Column("document", LargeBinary, nullable=False),
    Column("sha256", Text, nullable=False),
)

census_comparison_units = Table(
    "census_comparison_units",
    metadata,
    Column("run_no", Integer, primary_key=True, autoincrement=False),
    Column("unit", Text, primary_key=True),
    # Of the unit's fact: how many runs have told of it.
    Column("revision", Integer, nullable=False),
    Column("counts", JSONB, nullable=False),
    Index("census_comparison_units_by_unit", "unit", "run_no"),
)

census_comparison_lines = Table(
    "census_comparison_lines",
    metadata,
    Column("run_no", Integer, primary_key=True, autoincrement=False),
    # Natural key of the census entry.
    Column("entry", Text, primary_key=True),
    Column("entry_revision", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("found_on", Date, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("cause", Text, nullable=False),
    # ``number`` or ``name``, where someone in the register was met with.
    Column("matched_by", Text),
    Column("person_id", Text),
    Column("insured_from", Date),
    Column("insured_unit", Text),
    Column("insured_status", Text),
    # Of someone entered again: the entry that counts.
    Column("same_as", Text),
    # As the entry had it when compared.
    Column("person_key", Text),
    Column("sex", Text, nullable=False),
    Column("worker_class", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("can_pay", Boolean, nullable=False),
    Column("eligible", Boolean),
    # New, of working age and able to pay: whom the campaign can win.
    Column("potential", Boolean, nullable=False),
)
