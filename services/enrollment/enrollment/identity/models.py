"""Tables of identity."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from enrollment.tables import metadata

employer_numbers = Sequence("employer_numbers", metadata=metadata)

employers = Table(
    "employers",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("household", Boolean, nullable=False),
    # Revision of its EmployerLinked fact.
    Column("link_revision", Integer, nullable=False),
    Column("minted_at", DateTime(timezone=True), nullable=False),
    # The employer this one was found to be; it has no keys then, and no leads.
    Column("merged_into", Text),
    # Of the release before ``match_queue``, which its processes write beside this one's; not used.
    Column("match_due", Boolean, nullable=False, server_default=text("true")),
    Index("employers_by_unit", "unit", "employer_id"),
    # What the name is searched by: its ``plain`` form, and the pairs of characters in that.
    Column("search_name", Text, nullable=False),
    Column("name_grams", ARRAY(Text), nullable=False),
    Index("employers_by_name", "name_grams", postgresql_using="gin"),
)
"""One row per employer, whoever told of it first. Its row lock guards what is decided about it."""

match_queue = Table(
    "match_queue",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column(
        "due_since",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("clock_timestamp()"),
    ),
    # Whether it was looked at before, by another name: what is kept of that goes.
    Column("again", Boolean, nullable=False),
)
"""Employers nobody has looked at yet: which others bear their names (``linking``). A table of its
own, since a mark on ``employers`` would write all of that one's indexes twice more."""

employer_keys = Table(
    "employer_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("linked_at", DateTime(timezone=True), nullable=False),
    Column("delivery_id", Uuid),
    Column("record_no", Integer),
    # The key it came with: what it was joined through, itself for the first of an employer.
    Column("via", Text),
    Index("employer_keys_by_employer", "employer_id"),
)

link_conflicts = Table(
    "link_conflicts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("key", Text, nullable=False),
    # Whose key it is and stays, until people decide (F13, F14).
    Column("owner_id", Text, nullable=False),
    # Whom the record was taken to be about.
    Column("employer_id", Text, nullable=False),
    Column("delivery_id", Uuid),
    Column("record_no", Integer),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("resolved_at", DateTime(timezone=True)),
    # ``keep``, ``move`` or ``merge``; who decided and why stands in ``identity_decisions``.
    Column("resolution", Text),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("key", "employer_id"),
    Index("link_conflicts_by_employer", "employer_id"),
    Index("link_conflicts_by_owner", "owner_id"),
)
"""Records that say two employers are one: kept for people, never merged silently."""
