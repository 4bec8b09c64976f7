"""The one MetaData of the service; each capability declares its tables on it in ``models``."""

from __future__ import annotations

from sqlalchemy import Column, MetaData, Table, Text

from shared.deliveries.models import delivery_tables
from shared.deliveries.state import state_columns
from shared.outbox import outbox_tables

metadata = MetaData()
delivery_tables(metadata)
outbox_tables(metadata)


def employer_columns() -> list[Column[object]]:
    """Whom a row is about and where: what every state table of the service has."""
    return [
        Column("employer_key", Text, nullable=False),
        Column("org_code", Text),
        Column("name", Text, nullable=False),
        Column("unit", Text, nullable=False),
    ]


def found_columns() -> list[Column[object]]:
    """Where it is and who stands for it: the representative masked, and as a keyed hash."""
    return [
        Column("address", Text),
        Column("legal_rep", Text),
        Column("legal_rep_key", Text),
    ]


def own_columns(table: Table) -> tuple[str, ...]:
    """What a feed's judge fills in: the table's columns without those of every state."""
    shared = {column.name for column in state_columns()}
    return tuple(column.name for column in table.columns if column.name not in shared)
