"""first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "arrears",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("employer_key", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("balance_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index("arrears_employer", "arrears", ["employer_key", "month"], unique=True)
    op.create_index("arrears_month", "arrears", ["month", "natural_key"], unique=False)
    op.create_table(
        "arrears_chain",
        sa.Column("employer_key", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("balance_fen", sa.BigInteger(), nullable=False),
        sa.Column("carried_fen", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("carried_unit", sa.Text(), nullable=True),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("employer_key", "month"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("units", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("nil", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("dry_run", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("chunk_count", sa.Integer(), nullable=False),
        sa.Column("next_chunk", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sent_count", sa.Integer(), nullable=False),
        sa.Column("applied_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("duplicate_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rejected_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("held_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "problem_counts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("receipt", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("receipt_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('accepted', 'judging', 'done', 'rejected')", name="deliveries_status"
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sender", "feed", "dry_run", "idempotency_key"),
        sa.UniqueConstraint("seq"),
    )
    op.create_index("deliveries_by_department", "deliveries", ["department", "seq"], unique=False)
    op.create_index("deliveries_by_feed", "deliveries", ["feed", "period", "seq"], unique=False)
    op.create_index(
        "deliveries_unfinished",
        "deliveries",
        ["feed", "seq"],
        unique=False,
        postgresql_where=sa.text("status IN ('accepted', 'judging')"),
    )
    op.create_table(
        "delivery_chunks",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("chunk_no", sa.Integer(), nullable=False),
        sa.Column("first_no", sa.Integer(), nullable=False),
        sa.Column("dispositions", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "chunk_no"),
    )
    op.create_table(
        "delivery_segments",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("first_record_no", sa.Integer(), nullable=False),
        sa.Column("record_count", sa.Integer(), nullable=False),
        sa.Column("head_bytes", sa.Integer(), nullable=False),
        sa.Column("tail_bytes", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "no"),
    )
    op.create_table(
        "employer_checks",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("employer_key", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("reg_type", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("household", sa.Boolean(), nullable=False),
        sa.Column("licence_no", sa.Text(), nullable=True),
        sa.Column("owner_key", sa.Text(), nullable=True),
        sa.Column("taxable_headcount", sa.Integer(), nullable=False),
        sa.Column("insured_headcount", sa.Integer(), nullable=False),
        sa.Column("due_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("arrears_fen", sa.BigInteger(), nullable=False),
        sa.Column("pre_levied_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_reg_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index(
        "employer_checks_employer", "employer_checks", ["employer_key", "period"], unique=False
    )
    op.create_index(
        "employer_checks_period", "employer_checks", ["period", "natural_key"], unique=False
    )
    op.create_table(
        "held_records",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("waiting_for", sa.Text(), nullable=False),
        sa.Column("due", sa.Boolean(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("delivery_id", "no"),
    )
    op.create_index(
        "held_records_due",
        "held_records",
        ["feed"],
        unique=False,
        postgresql_where=sa.text("due AND resolved_at IS NULL"),
    )
    op.create_index(
        "held_records_waiting",
        "held_records",
        ["waiting_for"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "outbox_blocks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("fact_count", sa.Integer(), nullable=False),
        sa.Column(
            "counts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="facts by partition",
        ),
        sa.Column("payload", sa.LargeBinary(), nullable=False, comment="zstd, msgpack"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "placed_no",
            sa.BigInteger(),
            nullable=True,
            comment="order of placing; null: no positions yet",
        ),
        sa.Column(
            "first_positions",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="by partition",
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("outbox_blocks_placed", "outbox_blocks", ["placed_no"], unique=True)
    op.create_index("outbox_blocks_sent", "outbox_blocks", ["sent_at"], unique=False)
    op.create_index(
        "outbox_blocks_unsent",
        "outbox_blocks",
        ["placed_no", "id"],
        unique=False,
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "outbox_heads",
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("next_position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partition"),
    )
    op.create_table(
        "receipts",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("employer_key", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("month_for", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("pooled_fen", sa.BigInteger(), nullable=False),
        sa.Column("individual_fen", sa.BigInteger(), nullable=False),
        sa.Column("arrears_pooled_fen", sa.BigInteger(), nullable=False),
        sa.Column("payer_count", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index("receipts_employer", "receipts", ["employer_key", "received_on"], unique=False)
    op.create_index("receipts_received", "receipts", ["received_on", "natural_key"], unique=False)
    op.create_table(
        "record_problems",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("disposition", sa.SmallInteger(), nullable=False),
        sa.Column("problems", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "no"),
    )
    op.create_table(
        "superseded_versions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("superseded_by_delivery", sa.Uuid(), nullable=False),
        sa.Column("superseded_by_no", sa.Integer(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "superseded_versions_key", "superseded_versions", ["feed", "natural_key"], unique=False
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup: these tables hold what was received")
