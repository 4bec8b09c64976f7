"""Tables of leads."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
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
    # By which its record came to the employer, the strongest it carries; parting goes by it.
    Column("key", Text),
    # Persons contributions are paid for, where the tax office says so.
    Column("insured", Integer),
    Index("lead_events_by_subject", "subject"),
    # What became of a feed's records (F21).
    Index("lead_events_by_record", "feed", "delivery_id", "record_no"),
    # "Has this employer a headcount, or someone found there, at all": asked for every chunk of
    # persons.
    Index(
        "lead_events_headcounts",
        "employer_id",
        postgresql_where=text("period <> '' OR feed = 'census-persons'"),
    ),
)
"""All that bears on an employer's leads: states of the feeds' subjects, moves of the register."""

leads = Table(
    "leads",
    metadata,
    Column("lead_id", Text, primary_key=True),
    # Of whom: an employer, or a person by the keyed hash of the identity number.
    Column("employer_id", Text),
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
    Column("person_key", Text),
    # The local day it came to be known here, or known again after it was closed: work counts its
    # days from here, not from ``opened_on``, which may lie years back.
    Column("found_on", Date, nullable=False),
    CheckConstraint("num_nonnulls(employer_id, person_key) = 1", name="leads_of_one"),
    # Indexes ask for the day, not for the status: that moves while a lead stands, and would move
    # its row in all of them.
    CheckConstraint("(status = 'closed') = (closed_on IS NOT NULL)", name="leads_closed_on_a_day"),
    Index("leads_by_employer", "employer_id", "kind", "ordinal", unique=True),
    Index(
        "leads_one_open",
        "employer_id",
        "kind",
        unique=True,
        postgresql_where=text("employer_id IS NOT NULL AND closed_on IS NULL"),
    ),
    # Nearly all leads are of employers.
    Index(
        "leads_by_person",
        "person_key",
        "kind",
        "ordinal",
        unique=True,
        postgresql_where=text("person_key IS NOT NULL"),
    ),
    Index(
        "leads_one_open_person",
        "person_key",
        "kind",
        unique=True,
        postgresql_where=text("person_key IS NOT NULL AND closed_on IS NULL"),
    ),
    Index("leads_by_unit", "unit", "lead_id"),
    # Lists of work go by these, the oldest first; a lead is in one of them.
    Index(
        "leads_standing",
        "found_on",
        "lead_id",
        postgresql_where=text("closed_on IS NULL AND NOT void"),
    ),
    Index(
        "leads_closed",
        "found_on",
        "lead_id",
        postgresql_where=text("closed_on IS NOT NULL AND NOT void"),
    ),
)

person_events = Table(
    "person_events",
    metadata,
    Column("person_key", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("what", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("feed", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("delivery_id", Uuid),
    Column("record_no", Integer),
    Index("person_events_by_subject", "subject"),
    Index("person_events_by_record", "feed", "delivery_id", "record_no"),
)
"""All that bears on a person's leads. Of the register only the moves of persons that are, or were,
evidence: an interruption, or a move of someone another source has told of."""

evidence_traits = Table(
    "evidence_traits",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    # Persons the subject says are concerned; None where it does not say.
    Column("persons", Integer),
    Column("can_pay", Boolean),
    # Whether working age was established; None where the subject is about no person.
    Column("age_known", Boolean),
    Column("elsewhere", Boolean, nullable=False),
    # Segments the subject puts the employer in, where it says.
    Column("ownership", Text),
    Column("trade", Text),
)
"""What the newest state of a subject says of the worth of a lead, beside what the story needs."""

lead_worth = Table(
    "lead_worth",
    metadata,
    Column("lead_id", Text, primary_key=True),
    # ``effective``, ``not-effective`` or ``unclear``, with the codes of why: ``a,b``.
    Column("effect", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    # Persons it would bring in, by the best word there is (``basis``); None where nobody can tell.
    Column("persons", Integer),
    Column("basis", Text, nullable=False),
    Column("household", Boolean, nullable=False),
    Column("ownership", Text, nullable=False),
    Column("trade", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("assessed_at", DateTime(timezone=True), nullable=False),
)
"""The effectiveness test (F18) and potential (O24) of each lead as its evidence stands."""
