"""Tables of the receiving side, the same in every service that has feeds.

Raw bodies are the log of record and are never changed or deleted: ``delivery_segments`` joined
in order give the sender's exact bytes (of a table, ``delivery_originals`` do). One segment is
one chunk, one transaction of the worker.
"""

from __future__ import annotations

from typing import Any

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
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

UNFINISHED = "status IN ('accepted', 'judging')"


def delivery_tables(metadata: MetaData) -> None:
    """Declare the tables of ``shared.deliveries`` on a service's metadata."""
    _deliveries(metadata)
    _segments(metadata)
    _chunks(metadata)
    _record_tables(metadata)
    _table_tables(metadata)
    _correcting_tables(metadata)


def state_columns() -> list[Column[Any]]:
    """The columns every state table kept by ``upsert_state`` begins with.

    ``delivery_id`` and ``record_no`` name the version that is current; its raw record can be
    read there.
    """
    return [
        Column("natural_key", Text, primary_key=True),
        Column("revision", Integer, nullable=False),
        Column("content_hash", LargeBinary, nullable=False),
        Column("delivery_id", Uuid, nullable=False),
        Column("record_no", Integer, nullable=False),
        Column("recorded_at", DateTime(timezone=True), nullable=False),
    ]


def _deliveries(metadata: MetaData) -> None:
    Table(
        "deliveries",
        metadata,
        Column("id", Uuid, primary_key=True),
        # Handed out under a lock held to the commit: the order of acceptance, service-wide.
        Column("seq", BigInteger, Identity(always=True), nullable=False, unique=True),
        Column("feed", Text, nullable=False),
        Column("department", Text, nullable=False),
        # Department and, for a unit-scoped sender, its units: the name space of its keys.
        Column("sender", Text, nullable=False),
        Column("units", JSONB),
        Column("idempotency_key", Text, nullable=False),
        Column("period", Text, nullable=False),
        Column("nil", Boolean, nullable=False, server_default=text("false")),
        Column("dry_run", Boolean, nullable=False, server_default=text("false")),
        Column("status", Text, nullable=False),
        Column("sha256", LargeBinary, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("content_type", Text, nullable=False),
        Column("reader", Text, nullable=False),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Column("clock", Text, nullable=False),
        Column("traceparent", Text),
        Column("chunk_count", Integer, nullable=False),
        Column("next_chunk", Integer, nullable=False, server_default=text("0")),
        Column("sent_count", Integer, nullable=False),
        Column("applied_count", Integer, nullable=False, server_default=text("0")),
        Column("duplicate_count", Integer, nullable=False, server_default=text("0")),
        Column("rejected_count", Integer, nullable=False, server_default=text("0")),
        Column("held_count", Integer, nullable=False, server_default=text("0")),
        Column("problem_counts", JSONB, nullable=False, server_default=text("'{}'")),
        # Revisions of its DeliveryReceived fact; 0 until done.
        Column("revision", Integer, nullable=False, server_default=text("0")),
        Column("receipt", JSONB),
        Column("receipt_sha256", LargeBinary),
        # Algorithm, key id and signature over the receipt's canonical bytes.
        Column("receipt_seal", JSONB),
        Column("completed_at", DateTime(timezone=True)),
        # Why the worker could not go on, as long as it cannot.
        Column("failure", Text),
        # Of a CSV or XLSX table: how it was understood (``tables.reading``).
        Column("reading", JSONB),
        # 'append', or 'replace' for a list that also ends what it does not name.
        Column("mode", Text, nullable=False, server_default=text("'append'")),
        # So many removals by a full list are meant; NULL: the setting's share is the limit.
        Column("confirm_removals", Integer),
        # The delivery whose records give way to this one's.
        Column("supersedes", Uuid),
        # From then on its records count no more.
        Column("withdrawn_at", DateTime(timezone=True)),
        UniqueConstraint("sender", "feed", "dry_run", "idempotency_key"),
        CheckConstraint(
            "status IN ('accepted', 'judging', 'done', 'rejected')", name="deliveries_status"
        ),
        Index("deliveries_unfinished", "feed", "seq", postgresql_where=text(UNFINISHED)),
        Index("deliveries_by_feed", "feed", "period", "seq"),
        Index("deliveries_by_department", "department", "seq"),
    )


def _segments(metadata: MetaData) -> None:
    Table(
        "delivery_segments",
        metadata,
        Column("delivery_id", Uuid, primary_key=True),
        Column("no", Integer, primary_key=True),
        Column("first_record_no", Integer, nullable=False),
        Column("record_count", Integer, nullable=False),
        # Bytes before the first and after the last record that belong to the framing.
        Column("head_bytes", Integer, nullable=False),
        Column("tail_bytes", Integer, nullable=False),
        # zstd, then sealed with the data key.
        Column("body", LargeBinary, nullable=False),
    )


def _chunks(metadata: MetaData) -> None:
    Table(
        "delivery_chunks",
        metadata,
        Column("delivery_id", Uuid, primary_key=True),
        Column("chunk_no", Integer, primary_key=True),
        Column("first_no", Integer, nullable=False),
        # One byte per record, see ``receipts.CODES``.
        Column("dispositions", LargeBinary, nullable=False),
    )


def _table_tables(metadata: MetaData) -> None:
    """What is kept of tables (CSV, XLSX) besides the records read from them."""
    Table(
        "delivery_originals",
        metadata,
        Column("delivery_id", Uuid, primary_key=True),
        Column("no", Integer, primary_key=True),
        # The sender's bytes, zstd, then sealed; the segments of a table are what was read.
        Column("body", LargeBinary, nullable=False),
    )
    Table(
        "delivery_notes",
        metadata,
        Column("delivery_id", Uuid, primary_key=True),
        # Of the segment.
        Column("no", Integer, primary_key=True),
        # Row numbers and repairs, MessagePack, zstd, then sealed.
        Column("body", LargeBinary, nullable=False),
    )
    Table(
        "feed_mappings",
        metadata,
        Column("feed", Text, primary_key=True),
        Column("department", Text, primary_key=True),
        Column("headings", JSONB, nullable=False),
        Column("saved_at", DateTime(timezone=True), nullable=False),
        Column("saved_by", Text, nullable=False),
    )


def _record_tables(metadata: MetaData) -> None:
    Table(
        "record_problems",
        metadata,
        Column("delivery_id", Uuid, primary_key=True),
        Column("no", Integer, primary_key=True),
        Column("disposition", SmallInteger, nullable=False),
        Column("problems", JSONB, nullable=False),
    )
    Table(
        "held_records",
        metadata,
        Column("delivery_id", Uuid, primary_key=True),
        Column("no", Integer, primary_key=True),
        Column("feed", Text, nullable=False),
        Column("waiting_for", Text, nullable=False),
        # To be judged again: its token came, or may have come while it was being held.
        Column("due", Boolean, nullable=False),
        Column("held_at", DateTime(timezone=True), nullable=False),
        Column("resolved_at", DateTime(timezone=True)),
        Index("held_records_waiting", "waiting_for", postgresql_where=text("resolved_at IS NULL")),
        Index("held_records_due", "feed", postgresql_where=text("due AND resolved_at IS NULL")),
    )
    Table(
        "superseded_versions",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("feed", Text, nullable=False),
        Column("natural_key", Text, nullable=False),
        # NULL: a version that came into its own too late ever to be current.
        Column("revision", Integer),
        Column("delivery_id", Uuid, nullable=False),
        Column("record_no", Integer, nullable=False),
        Column("content_hash", LargeBinary, nullable=False),
        Column("superseded_by_delivery", Uuid, nullable=False),
        Column("superseded_by_no", Integer, nullable=False),
        Column("superseded_at", DateTime(timezone=True), nullable=False),
        Index("superseded_versions_key", "feed", "natural_key"),
    )


def _correcting_tables(metadata: MetaData) -> None:
    """What is done about a delivery after its receipt: withdrawals, removals, resolutions."""
    Table(
        "linked_receipts",
        metadata,
        Column("delivery_id", Uuid, primary_key=True),
        Column("no", Integer, primary_key=True),
        Column("receipt", JSONB, nullable=False),
        Column("sha256", LargeBinary, nullable=False),
        Column("seal", JSONB),
    )
    Table(
        "withdrawals",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("feed", Text, nullable=False),
        # The delivery taken back; of a full list's removals, the list.
        Column("delivery_id", Uuid, nullable=False),
        Column("kind", Text, nullable=False),
        # The delivery that supersedes it.
        Column("superseded_by", Uuid),
        Column("reason", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("department", Text, nullable=False),
        Column("requested_at", DateTime(timezone=True), nullable=False),
        Column("status", Text, nullable=False),
        # How far the search for earlier versions has come: order of acceptance, segment.
        Column("seq", BigInteger, nullable=False, server_default=text("0")),
        Column("segment", Integer, nullable=False, server_default=text("0")),
        Column("refusal", Text),
        Column("completed_at", DateTime(timezone=True)),
        UniqueConstraint("delivery_id", "kind"),
        CheckConstraint("kind IN ('delivery', 'absence')", name="withdrawals_kind"),
        CheckConstraint(
            "status IN ('requested', 'searching', 'applying', 'done', 'refused')",
            name="withdrawals_status",
        ),
        Index(
            "withdrawals_unfinished",
            "feed",
            "id",
            postgresql_where=text("status IN ('requested', 'searching', 'applying')"),
        ),
    )
    Table(
        "withdrawal_keys",
        metadata,
        Column("withdrawal_id", BigInteger, primary_key=True),
        Column("natural_key", Text, primary_key=True),
        # The version that stands and is taken back.
        Column("from_delivery", Uuid, nullable=False),
        Column("from_no", Integer, nullable=False),
        # The latest version that remains; NULL: none found.
        Column("to_seq", BigInteger),
        Column("to_delivery", Uuid),
        Column("to_no", Integer),
        # Removed by a full list: a number of its own after the list's records.
        Column("absent_no", Integer),
        Column("outcome", Text),
        Index(
            "withdrawal_keys_open",
            "withdrawal_id",
            "to_delivery",
            "to_no",
            "natural_key",
            postgresql_where=text("outcome IS NULL"),
        ),
        Index(
            "withdrawal_keys_absent",
            "natural_key",
            postgresql_where=text("absent_no IS NOT NULL"),
        ),
    )
    # The keys a full list names, until what it does not name is removed.
    Table(
        "delivery_keys",
        metadata,
        Column("delivery_id", Uuid, primary_key=True),
        Column("natural_key", Text, primary_key=True),
    )
    Table(
        "record_resolutions",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("delivery_id", Uuid, nullable=False),
        Column("record_no", Integer, nullable=False),
        Column("action", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("department", Text, nullable=False),
        Column("resolved_at", DateTime(timezone=True), nullable=False),
        Index("record_resolutions_of", "delivery_id", "record_no"),
    )
