"""Tables of linking."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from enrollment.tables import metadata

identity_blocks = Table(
    "identity_blocks",
    metadata,
    Column("block", Text, primary_key=True),
    Column("employer_id", Text, primary_key=True),
    Index("identity_blocks_by_employer", "employer_id"),
)
"""Who may be whom: employers are compared with those that share a block. Worked out from names."""

identity_links = Table(
    "identity_links",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # The lower id first, so that a pair has one row for ever.
    Column("left_id", Text, nullable=False),
    Column("right_id", Text, nullable=False),
    Column("left_unit", Text, nullable=False),
    Column("right_unit", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("rule", Text, nullable=False),
    # 0 to 1000.
    Column("score", Integer, nullable=False),
    Column("evidence", JSONB, nullable=False),
    # What people had before them when they refused or parted the pair: asked again only when it
    # is no longer this.
    Column("judged_evidence", JSONB),
    # To be joined without asking; the matcher takes care of it.
    Column("automatic", Boolean, nullable=False, server_default=text("false")),
    # While linked or confirmed, and as it was when split: who became whom, by which keys.
    Column("survivor_id", Text),
    Column("absorbed_id", Text),
    Column("moved_keys", ARRAY(Text)),
    # Name and unit of the survivor before, should these keys part again.
    Column("survivor_was", JSONB),
    Column("revision", Integer, nullable=False),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("decided_at", DateTime(timezone=True)),
    Column("decided_by", Text),
    Column("reason", Text),
    UniqueConstraint("left_id", "right_id"),
    CheckConstraint("left_id < right_id", name="identity_links_in_order"),
    Index("identity_links_by_right", "right_id"),
    Index("identity_links_by_status", "status", "id"),
    Index(
        "identity_links_automatic",
        "id",
        postgresql_where=text("automatic AND status = 'suggested'"),
    ),
)
"""Pairs of employers that are, may be, or are known not to be one."""

identity_decisions = Table(
    "identity_decisions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # ``link:<id>``, ``conflict:<id>`` or ``person-name:<id>``.
    Column("about", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # ``system`` or the officer's subject.
    Column("decided_by", Text, nullable=False),
    Column("department", Text),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    # Employers and keys it moved.
    Column("effect", JSONB, nullable=False),
    Index("identity_decisions_by_about", "about", "id"),
)
"""Who decided what about whom, when and why: a row for each, none is ever changed."""

person_names = Table(
    "person_names",
    metadata,
    Column("person_key", Text, primary_key=True),
    # Keyed hashes of the two names, the one that was known before first.
    Column("name_before", Text, primary_key=True),
    Column("name_told", Text, primary_key=True),
    Column("id", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("person_id", Text, nullable=False),
    Column("unit", Text, nullable=False),
    # Identity number and name as they were known and as they were told, encrypted as in
    # ``persons``.
    Column("sealed_before", LargeBinary, nullable=False),
    Column("sealed_told", LargeBinary, nullable=False),
    Column("delivery_id", Uuid, nullable=False),
    Column("record_no", Integer, nullable=False),
    Column("found_at", DateTime(timezone=True), nullable=False),
    # ``open``, ``same`` person or ``different`` persons.
    Column("status", Text, nullable=False),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Index("person_names_by_status", "status", "id"),
)
"""One identity number told with two names: one person whose name was put right, or a wrong number
(F15)."""
