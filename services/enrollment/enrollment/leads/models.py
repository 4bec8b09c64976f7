"""Tables of leads."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)

from enrollment.tables import metadata

lead_events = Table(
    "lead_events",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("what", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("feed", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("taxable", Integer, nullable=False),
    Column("delivery_id", Uuid),
    Column("record_no", Integer),
    Index("lead_events_by_subject", "subject"),
    # "Has this employer a headcount at all": asked for every chunk of persons.
    Index("lead_events_headcounts", "employer_id", postgresql_where=text("period <> ''")),
)
"""All that bears on an employer's leads: states of the feeds' subjects, moves of the register."""

leads = Table(
    "leads",
    metadata,
    Column("lead_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("gap", Integer, nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("closed_on", Date),
    Column("outcome", Text),
    # Feeds whose records are attached, in the order they were recorded: ``a,b`` (F17).
    Column("sources", Text, nullable=False),
    # The states attached, ``subject#revision`` a line: each is a row of ``lead_events``.
    Column("records", Text, nullable=False),
    # It turned out never to have been one.
    Column("void", Boolean, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    # The local day it came to be known here, or known again after it was closed: work counts its
    # days from here, not from ``opened_on``, which may lie years back.
    Column("found_on", Date, nullable=False),
    Index("leads_by_employer", "employer_id", "kind", "ordinal", unique=True),
    Index(
        "leads_one_open",
        "employer_id",
        "kind",
        unique=True,
        postgresql_where=text("status <> 'closed'"),
    ),
    Index("leads_by_unit", "unit", "lead_id"),
    # Lists of work go by these, the oldest first; a lead is in one of them.
    Index(
        "leads_standing",
        "found_on",
        "lead_id",
        postgresql_where=text("status <> 'closed' AND NOT void"),
    ),
    Index(
        "leads_closed",
        "found_on",
        "lead_id",
        postgresql_where=text("status = 'closed' AND NOT void"),
    ),
)
