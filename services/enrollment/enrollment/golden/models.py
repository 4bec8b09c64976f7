"""Tables of the golden record."""

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
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from enrollment.tables import metadata

sightings = Table(
    "sightings",
    metadata,
    # Of its producer: ``licence:…``, ``tax-registration:…``, ``register:…``, ``census:…``.
    Column("subject", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    # Null while nobody is known by its numbers (a place of the census).
    Column("employer_id", Text),
    # The strongest number it carries: ``oc:…``, ``lic:…``, ``own:…``, ``rec:…``.
    Column("key", Text),
    Column("department", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("name", Text),
    Column("unit", Text, nullable=False),
    Column("address", Text),
    Column("legal_rep_key", Text),
    Column("founded_on", Date),
    Column("reg_type", Text),
    Column("industry", Text),
    Column("household", Boolean),
    Column("org_code", Text),
    Column("licence_no", Text),
    Column("owner_key", Text),
    Column("headcount", Integer),
    # Month of the headcount.
    Column("period", Text),
    Column("effective_on", Date, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("delivery_id", Uuid),
    Column("record_no", Integer),
    Index("sightings_by_employer", "employer_id"),
    Index("sightings_of_nobody", "key", postgresql_where=text("employer_id IS NULL")),
    Index("sightings_struck_off", "employer_id", postgresql_where=text("status = 'struck-off'")),
)
"""The latest state of everything a department tells of an employer, one row per subject. What was
taken back stays as ``withdrawn``, so that a state told before it changes nothing."""

record_conflicts = Table(
    "record_conflicts",
    metadata,
    Column("conflict_id", BigInteger, Identity(always=True), primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # Of the employer's golden record: who is to look at it.
    Column("unit", Text, nullable=False),
    # ``open``, ``set-aside`` by an officer, ``gone``: the departments agree by now.
    Column("status", Text, nullable=False),
    # What contradicts what, and a digest of it by which the same is known again.
    Column("evidence", JSONB, nullable=False),
    Column("digest", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("set_aside_at", DateTime(timezone=True)),
    Column("set_aside_by", Text),
    Column("reason", Text),
    Index("record_conflicts_by_employer", "employer_id", "kind", unique=True),
    Index("record_conflicts_by_status", "status", "conflict_id"),
)
"""One row per employer and kind of contradiction, for people to look at."""

record_history = Table(
    "record_history",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("delivery_id", Uuid),
    Column("record_no", Integer),
    Column("until", DateTime(timezone=True), nullable=False),
    Index("record_history_by_employer", "employer_id", "field", "id"),
)
"""Values of the golden record that another has taken the place of, with who had said them and
until when they stood."""
