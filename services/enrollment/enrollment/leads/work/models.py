"""Tables of the work on leads."""

from __future__ import annotations

from sqlalchemy import Column, Date, DateTime, Index, Integer, Table, Text, text

from enrollment.tables import metadata

lead_work = Table(
    "lead_work",
    metadata,
    Column("lead_id", Text, primary_key=True),
    # The number of the last entry in its log.
    Column("version", Integer, nullable=False),
    Column("stage", Text, nullable=False),
    Column("stage_on", Date),
    Column("home_unit", Text),
    Column("unit", Text),
    Column("officer", Text),
    Column("officer_name", Text),
    Column("contacted_on", Date),
    Column("last_contact_on", Date),
    Column("contact_count", Integer, nullable=False),
    Column("notified_on", Date),
    Column("promised_by", Date),
    Column("next_step", Text),
    Column("next_on", Date),
    Column("proposal_no", Integer),
    Column("decision_no", Integer),
    Index(
        "lead_work_by_officer", "officer", "lead_id", postgresql_where=text("officer IS NOT NULL")
    ),
    Index("lead_work_by_stage", "stage", "lead_id"),
)
"""How the work on a lead stands (``rules.State``); a lead nobody touched has no row."""

lead_entries = Table(
    "lead_entries",
    metadata,
    Column("lead_id", Text, primary_key=True),
    Column("no", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("on", Date, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("made_by", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("code", Text),
    Column("means", Text),
    Column("text", Text),
    Column("next_step", Text),
    Column("next_on", Date),
    Column("promised_by", Date),
    Column("unit", Text),
    Column("home_unit", Text),
    Column("officer", Text),
    Column("officer_name", Text),
    Column("corrects", Integer),
    Index("lead_entries_by_kind", "kind", "recorded_at", "lead_id", "no"),
)
"""The log of each lead (``rules.Entry``): it only grows."""

lead_notices = Table(
    "lead_notices",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("notified_on", Date),
)
"""When a department told an enterprise to enrol (O38, O50), by the newest state of the licence,
certificate or tax registration told of; empty where a correction took the notice back."""
