"""Tables of what came in: deliveries as their services reported them, and which employer keys
enrollment has recognised. Both are projections of the journal."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, Table, Text, Uuid, text

from reporting.metadata import metadata

delivery_facts = Table(
    "delivery_facts",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    Column("producer", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("unit", Text),
    Column("period", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("clock", Text, nullable=False),
    Column("body_sha256", Text, nullable=False),
    Column("sent_count", Integer, nullable=False),
    Column("applied_count", Integer, nullable=False),
    Column("duplicate_count", Integer, nullable=False),
    Column("rejected_count", Integer, nullable=False),
    Column("held_count", Integer, nullable=False),
    Column("nil", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    # When its sender took it back; then it counts as if it had never come.
    Column("withdrawn_at", DateTime(timezone=True)),
    # The delivery its sender replaced it by, where that is how it was taken back.
    Column("superseded_by", Uuid),
    Index("delivery_facts_feed", "feed", "period"),
    Index(
        "delivery_facts_superseded",
        "superseded_by",
        postgresql_where=text("superseded_by IS NOT NULL"),
    ),
)

employer_keys = Table(
    "employer_keys",
    metadata,
    # A feed's key (``oc:``…, ``lic:``…, ``own:``…) enrollment knows the employer of.
    Column("key", Text, primary_key=True),
    Column("employer_id", Text, primary_key=True),
    Index("employer_keys_employer", "employer_id"),
)
"""What each employer's newest fact says. Facts of two employers come in any order: a key that moved
stands for both until the fact of the one that lost it has come."""


employer_links = Table(
    "employer_links",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("revision", Integer, nullable=False),
)
