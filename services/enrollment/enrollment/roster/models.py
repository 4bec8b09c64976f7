"""Tables of the roster and the budget. ``version`` is what an officer's ETag stands for."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, DateTime, Identity, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from enrollment.tables import metadata


def _edited() -> list[Column[object]]:
    return [
        Column("version", Integer, nullable=False),
        Column("edited_at", DateTime(timezone=True), nullable=False),
        Column("edited_by", Text, nullable=False),
    ]


census_enumerators = Table(
    "census_enumerators",
    metadata,
    Column("unit", Text, primary_key=True),
    # As visits name them; each unit numbers for itself.
    Column("code", Text, primary_key=True),
    # None: the whole unit.
    Column("street", Text),
    Column("role", Text, nullable=False),
    Column("display_name", Text),
    Column("from_on", Date, nullable=False),
    Column("to_on", Date),
    *_edited(),
)

census_bodies = Table(
    "census_bodies",
    metadata,
    Column("department", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("duty", Text),
    Column("from_on", Date, nullable=False),
    Column("to_on", Date),
    *_edited(),
)

census_budgets = Table(
    "census_budgets",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("budget_fen", BigInteger, nullable=False),
    Column("spent_fen", BigInteger, nullable=False),
    Column("source", Text),
    *_edited(),
)

census_roster_changes = Table(
    "census_roster_changes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # ``enumerators``, ``bodies`` or ``budgets``.
    Column("kind", Text, nullable=False),
    # None: of the whole city.
    Column("unit", Text),
    Column("key", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("row", JSONB, nullable=False),
    Column("edited_at", DateTime(timezone=True), nullable=False),
    Column("edited_by", Text, nullable=False),
    Index("census_roster_changes_by_unit", "unit", "id"),
)
"""Every state of every row, as it was written: who set which sum when."""
