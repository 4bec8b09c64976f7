"""Tables of the office's own word on obligations, and of what was told to those who owe.

What came is not here: it is a projection of the journal (``trust.models.delivery_facts``).
"""

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
    Table,
    Text,
    text,
)

from reporting.metadata import metadata

obligation_marks = Table(
    "obligation_marks",
    metadata,
    # Never changed but to say that it was undone: any past moment can be asked about.
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("obligation", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("words", Text),
    Column("made_by", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("undone_by", Text),
    Column("undone_at", DateTime(timezone=True)),
    CheckConstraint("kind IN ('reason', 'excuse')", name="obligation_marks_kind"),
    Index(
        "obligation_marks_standing",
        "obligation",
        "kind",
        unique=True,
        postgresql_where=text("undone_at IS NULL"),
    ),
    Index("obligation_marks_obligation", "obligation", "id"),
)

obligation_notices = Table(
    "obligation_notices",
    metadata,
    Column("obligation", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("feed", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("unit", Text),
    Column("period", Text, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("level", Integer),
    Column("revision", Integer, nullable=False),
    Column("standing", Boolean, nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("kind IN ('reminder', 'overdue')", name="obligation_notices_kind"),
    Index("obligation_notices_told", "told_at", "obligation", "kind"),
)
