"""Tables of submissions: the current state of each form, report and activity."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Date, Index, Integer, Table, Text

from reporting.metadata import metadata
from reporting.submissions.rules import COUNTS, MONEY, PERCENTS
from shared.deliveries.models import delivery_tables
from shared.deliveries.state import state_columns

delivery_tables(metadata)


def _sender_columns() -> list[Column[object]]:
    """Who submitted it, and for which period."""
    return [
        Column("department", Text, nullable=False),
        Column("unit", Text),
        Column("period", Text, nullable=False),
    ]


dekad_reports = Table(
    "dekad_reports",
    metadata,
    *state_columns(),
    *_sender_columns(),
    Column("sent_on", Date),
    *(Column(name, Integer) for name in COUNTS),
    *(Column(f"{name}_fen", BigInteger) for name in MONEY),
    # As they were written; what we compute stands beside them and never in their place.
    *(Column(name, Text) for name in PERCENTS),
    Column("remarks", Text),
    Index("dekad_reports_period", "period", "natural_key"),
)

monthly_reports = Table(
    "monthly_reports",
    metadata,
    *state_columns(),
    *_sender_columns(),
    Column("sent_on", Date),
    Column("overall", Text, nullable=False),
    Column("problems", Text, nullable=False),
    Column("suggestions", Text, nullable=False),
    Column("measures", Text),
    Column("problem_items", ARRAY(Text), nullable=False),
    Column("suggestion_items", ARRAY(Text), nullable=False),
    Index("monthly_reports_period", "period", "natural_key"),
)

activities = Table(
    "activities",
    metadata,
    *state_columns(),
    *_sender_columns(),
    Column("duty", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("held_on", Date, nullable=False),
    Column("place", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("copies", Integer),
    Column("persons_reached", Integer),
    Column("questions", Text),
    Column("cancelled", Boolean, nullable=False),
    Index("activities_held", "held_on", "natural_key"),
)


def _own(table: Table) -> tuple[str, ...]:
    shared = {column.name for column in state_columns()}
    return tuple(column.name for column in table.columns if column.name not in shared)


DEKAD_COLUMNS = _own(dekad_reports)
MONTHLY_COLUMNS = _own(monthly_reports)
ACTIVITY_COLUMNS = _own(activities)
