"""Tables of frozen frames. Rows are written once, with their version, and never changed."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Integer, Table, Text

from enrollment.tables import metadata

census_frames = Table(
    "census_frames",
    metadata,
    # Counted from 1 without gaps; the latest is what progress is counted against.
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("frozen_at", DateTime(timezone=True), nullable=False),
    Column("frozen_by", Text, nullable=False),
    Column("entry_count", Integer, nullable=False),
    # Over the entries in their order.
    Column("sha256", Text, nullable=False),
)

census_frame_entries = Table(
    "census_frame_entries",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    # Natural key in ``census_units``.
    Column("entry", Text, primary_key=True),
    Column("unit", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("community", Text),
    Column("kind", Text, nullable=False),
    Column("name", Text),
    Column("org_code", Text),
    Column("licence_no", Text),
    Index("census_frame_entries_by_unit", "version", "unit", "street"),
)
