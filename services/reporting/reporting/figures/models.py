"""Tables of the ledger.

``journal`` is the log of record: applied facts as they came. Everything else here is a
projection of it that ``rebuild`` can make again. Quantities stand three to a row, one column per
measure of the account (``rules.MEASURES`` says which); NULL where the account has fewer.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from reporting.metadata import metadata


def _quantities(prefix: str = "") -> list[Column[int]]:
    return [Column(f"{prefix}q{slot}", BigInteger) for slot in (1, 2, 3)]


journal = Table(
    "journal",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("producer", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("first_position", BigInteger, nullable=False),
    Column("last_position", BigInteger, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("fact_count", Integer, nullable=False),
    # Messages with their positions: msgpack, zstd.
    Column("payload", LargeBinary, nullable=False),
)

unit_codes = Table(
    "unit_codes",
    metadata,
    Column("id", SmallInteger, Identity(always=True), primary_key=True),
    Column("code", Text, nullable=False, unique=True),
)

segment_sets = Table(
    "segment_sets",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("status", Text, nullable=False),
    Column("worker_class", Text, nullable=False),
    Column("ownership", Text, nullable=False),
    Column("trade", Text, nullable=False),
    Column("lead_kind", Text, nullable=False),
    UniqueConstraint("status", "worker_class", "ownership", "trade", "lead_kind"),
)

holdings = Table(
    "holdings",
    metadata,
    Column("account", SmallInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("unit", SmallInteger, nullable=False),
    Column("segment", Integer, nullable=False),
    *_quantities(),
    Column("effective_on", Date, nullable=False),
    # The latest effective day of any of the holder's entries: from it on this row is the
    # position, on an earlier day entries have to be looked at.
    Column("touched_on", Date, nullable=False),
    Column("revision", Integer, nullable=False),
    # The first revision of the run of corrections that this state ends, 0 where it begins with
    # the holder's first: entries of earlier revisions are of the states that stand under it.
    Column("stands_since", Integer, nullable=False, server_default="0"),
    # The position before this one, kept so that one upsert can say what it replaced.
    Column("prev_subject", Text),
    Column("prev_unit", SmallInteger),
    Column("prev_segment", Integer),
    *_quantities("prev_"),
    Column("prev_effective_on", Date),
    PrimaryKeyConstraint("account", "holder"),
    Index("holdings_members", "account", "unit", "subject"),
)

entries = Table(
    "entries",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("account", SmallInteger, nullable=False),
    Column("unit", SmallInteger, nullable=False),
    Column("segment", Integer, nullable=False),
    *_quantities(),
    Column("effective_on", Date, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    # Journal block, and place in it counted from 0.
    Column("block", BigInteger, nullable=False),
    Column("block_index", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("fact_type", SmallInteger, nullable=False),
    Column("fact_part", Text, nullable=False),
    Column("fact_revision", Integer, nullable=False),
    Column("delivery_id", Uuid),
    Column("record_no", Integer),
    Index("entries_figure", "account", "unit", "effective_on", "id"),
    Index("entries_subject", "account", "subject"),
)

rollups = Table(
    "rollups",
    metadata,
    Column("account", SmallInteger, nullable=False),
    Column("unit", SmallInteger, nullable=False),
    Column("segment", Integer, nullable=False),
    Column("effective_on", Date, nullable=False),
    # Local day of the journal's recorded_at.
    Column("recorded_on", Date, nullable=False),
    # Producer and partition, so that consumers never wait for each other's rows.
    Column("slot", SmallInteger, nullable=False),
    *_quantities(),
    PrimaryKeyConstraint("account", "unit", "segment", "effective_on", "recorded_on", "slot"),
)

day_totals = Table(
    "day_totals",
    metadata,
    Column("account", SmallInteger, nullable=False),
    Column("unit", SmallInteger, nullable=False),
    Column("effective_on", Date, nullable=False),
    *_quantities(),
    PrimaryKeyConstraint("account", "unit", "effective_on"),
)
"""What progress reads: at most units × days rows, however many facts there were."""
