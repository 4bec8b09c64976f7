"""Tables of the register."""

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
    LargeBinary,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from enrollment.tables import metadata
from shared.deliveries.state import state_columns

PERSON_SEGMENT = ("unit", "status", "worker_class", "ownership", "trade")
EMPLOYER_SEGMENT = ("unit", "status", "household", "in_township", "ownership", "trade")
"""What the register is counted and listed by: every list of one segment is in the index's order,
see ``store.asof``."""

person_numbers = Sequence("person_numbers", metadata=metadata)


def _version_columns() -> list[Column[object]]:
    """Revision of the subject's fact, and the record that made the state."""
    return [
        Column("revision", Integer, nullable=False),
        Column("delivery_id", Uuid, nullable=False),
        Column("record_no", Integer, nullable=False),
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("effective_on", Date, nullable=False),
        # The list's day, when a list made the state: the same day told again is a correction.
        Column("as_at", Date),
    ]


register_employers = Table(
    "register_employers",
    metadata,
    Column("agency_no", Text, primary_key=True),
    Column("employer_id", Text, nullable=False, unique=True),
    *_version_columns(),
    Column("name", Text, nullable=False),
    Column("reg_type", Text, nullable=False),
    Column("industry", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("enrolled_on", Date, nullable=False),
    Column("status", Text, nullable=False),
    Column("org_code", Text),
    Column("licence_no", Text),
    Column("owner_key", Text),
    Column("household", Boolean, nullable=False),
    Column("in_township", Boolean, nullable=False),
    Column("ownership", Text, nullable=False),
    Column("trade", Text, nullable=False),
    # Persons with status active at this employer, kept in the transaction that moves them.
    Column("active_count", Integer, nullable=False, server_default=text("0")),
    # As in ``persons``.
    Column("entry", Text),
    Index("register_employers_by_segment", *EMPLOYER_SEGMENT, "employer_id"),
)

persons = Table(
    "persons",
    metadata,
    # Keyed hash of the 18-digit identity number.
    Column("person_key", Text, primary_key=True),
    Column("person_id", Text, nullable=False, unique=True),
    *_version_columns(),
    # Identity number and name, encrypted, bound to the key.
    Column("sealed", LargeBinary, nullable=False),
    Column("birth_on", Date, nullable=False),
    Column("sex", Text, nullable=False),
    Column("name_hash", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("worker_class", Text, nullable=False),
    Column("post", Text),
    Column("enrolled_on", Date, nullable=False),
    Column("agency_no", Text),
    Column("employer_id", Text),
    Column("ownership", Text, nullable=False),
    Column("trade", Text, nullable=False),
    # How the state came about: ``listed``, the action or the reason of an application (None: told
    # before this was kept).
    Column("entry", Text),
    # The day, so that those who came after one are found without the others.
    Index("persons_by_employer", "employer_id", "effective_on"),
    Index("persons_by_segment", *PERSON_SEGMENT, "person_id"),
)


def _spell_columns() -> list[Column[object]]:
    """When a state held (``to_on`` the first day it did no more) and from when until when the
    register said so. What holds without end, and is known so now, is the subject's own row."""
    return [
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("from_on", Date, nullable=False),
        Column("to_on", Date),
        Column("known_from", DateTime(timezone=True), nullable=False),
        Column("known_to", DateTime(timezone=True)),
        Column("status", Text, nullable=False),
        Column("entry", Text),
        Column("unit", Text, nullable=False),
        Column("ownership", Text, nullable=False),
        Column("trade", Text, nullable=False),
    ]


person_spells = Table(
    "person_spells",
    metadata,
    *_spell_columns(),
    Column("person_id", Text, nullable=False),
    Column("worker_class", Text, nullable=False),
    Column("employer_id", Text),
    Index("person_spells_by_person", "person_id"),
    Index("person_spells_by_segment", *PERSON_SEGMENT, "person_id"),
    Index("person_spells_by_employer", "employer_id", "person_id"),
)

employer_spells = Table(
    "employer_spells",
    metadata,
    *_spell_columns(),
    Column("employer_id", Text, nullable=False),
    Column("household", Boolean, nullable=False),
    Column("in_township", Boolean, nullable=False),
    Index("employer_spells_by_employer", "employer_id"),
    Index("employer_spells_by_segment", *EMPLOYER_SEGMENT, "employer_id"),
)

employer_applications = Table(
    "employer_applications",
    metadata,
    *state_columns(),
    Column("action", Text, nullable=False),
    Column("applied_on", Date, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("agency_no", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Index("employer_applications_by_agency_no", "agency_no"),
)

person_applications = Table(
    "person_applications",
    metadata,
    *state_columns(),
    Column("action", Text, nullable=False),
    Column("applied_on", Date, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("person_key", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("agency_no", Text),
    Column("reason", Text),
    # First day of the employment, where stated: what is employed and not enrolled (O4).
    Column("employed_from", Date),
    # Division code of the other city, of transfers only (O81).
    Column("other_place", Text),
    Index("person_applications_by_unit", "unit", "natural_key"),
    Index("person_applications_by_person", "person_key"),
)

person_accesses = Table(
    "person_accesses",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("read_at", DateTime(timezone=True), nullable=False),
    Index("person_accesses_by_person", "person_id", "read_at"),
)
"""Who read which person, and what for: every read, allowed or not found, leaves a row (F55)."""

officer_applications = Table(
    "officer_applications",
    metadata,
    Column("application_id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("feed", Text, nullable=False),
    Column("application_no", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("applied_on", Date, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("employed_from", Date),
    Column("agency_no", Text),
    # The whole record, encrypted, bound to the application.
    Column("sealed", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("maker", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("checker", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("reason", Text),
    Column("note", Text),
    # The delivery an approved application went into the register by.
    Column("delivery_id", Uuid),
    UniqueConstraint("feed", "application_no"),
    Index("officer_applications_by_unit", "unit", "application_id"),
)
"""What an officer applied for: nothing of it is in the register before another person approves."""

refusal_attempts = Table(
    "refusal_attempts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("application_id", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("officer", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("ground", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("attempted_at", DateTime(timezone=True), nullable=False),
)
"""Refusals on a ground the plan forbids (O82): none took effect, each is on record."""
