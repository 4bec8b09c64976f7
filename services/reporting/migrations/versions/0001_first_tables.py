"""The ledger, what came in, and the shared inbox and outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "day_totals",
        sa.Column("account", sa.SmallInteger(), nullable=False),
        sa.Column("unit", sa.SmallInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("q1", sa.BigInteger(), nullable=True),
        sa.Column("q2", sa.BigInteger(), nullable=True),
        sa.Column("q3", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account", "unit", "effective_on"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("producer", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("fact_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("time", sa.Text(), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "dead_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_replays", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "dead_letters_open",
        "dead_letters",
        ["id"],
        unique=False,
        postgresql_where=sa.text("replayed_at IS NULL"),
    )
    op.create_index(
        "dead_letters_place", "dead_letters", ["producer", "partition", "position"], unique=True
    )
    op.create_table(
        "delivery_facts",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("producer", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("sent_count", sa.Integer(), nullable=False),
        sa.Column("applied_count", sa.Integer(), nullable=False),
        sa.Column("duplicate_count", sa.Integer(), nullable=False),
        sa.Column("rejected_count", sa.Integer(), nullable=False),
        sa.Column("held_count", sa.Integer(), nullable=False),
        sa.Column("nil", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id"),
    )
    op.create_index("delivery_facts_feed", "delivery_facts", ["feed", "period"], unique=False)
    op.create_table(
        "employer_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("employer_keys_employer", "employer_keys", ["employer_id"], unique=False)
    op.create_table(
        "employer_links",
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("employer_id"),
    )
    op.create_table(
        "entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.SmallInteger(), nullable=False),
        sa.Column("unit", sa.SmallInteger(), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("q1", sa.BigInteger(), nullable=True),
        sa.Column("q2", sa.BigInteger(), nullable=True),
        sa.Column("q3", sa.BigInteger(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("block_index", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("fact_type", sa.SmallInteger(), nullable=False),
        sa.Column("fact_part", sa.Text(), nullable=False),
        sa.Column("fact_revision", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("record_no", sa.Integer(), nullable=True),
    )
    op.create_index(
        "entries_figure", "entries", ["account", "unit", "effective_on", "id"], unique=False
    )
    op.create_index("entries_subject", "entries", ["account", "subject"], unique=False)
    op.create_table(
        "holdings",
        sa.Column("account", sa.SmallInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("unit", sa.SmallInteger(), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("q1", sa.BigInteger(), nullable=True),
        sa.Column("q2", sa.BigInteger(), nullable=True),
        sa.Column("q3", sa.BigInteger(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("touched_on", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("prev_subject", sa.Text(), nullable=True),
        sa.Column("prev_unit", sa.SmallInteger(), nullable=True),
        sa.Column("prev_segment", sa.Integer(), nullable=True),
        sa.Column("prev_q1", sa.BigInteger(), nullable=True),
        sa.Column("prev_q2", sa.BigInteger(), nullable=True),
        sa.Column("prev_q3", sa.BigInteger(), nullable=True),
        sa.Column("prev_effective_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("account", "holder"),
    )
    op.create_index("holdings_members", "holdings", ["account", "unit", "subject"], unique=False)
    op.create_table(
        "inbox_gaps",
        sa.Column("producer", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.Column(
            "found_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("producer", "partition", "first_position"),
    )
    op.create_table(
        "inbox_marks",
        sa.Column("producer", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("producer", "partition"),
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("producer", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("first_position", sa.BigInteger(), nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fact_count", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
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
        "rollups",
        sa.Column("account", sa.SmallInteger(), nullable=False),
        sa.Column("unit", sa.SmallInteger(), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("q1", sa.BigInteger(), nullable=True),
        sa.Column("q2", sa.BigInteger(), nullable=True),
        sa.Column("q3", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(
            "account", "unit", "segment", "effective_on", "recorded_on", "slot"
        ),
    )
    op.create_table(
        "segment_sets",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("worker_class", sa.Text(), nullable=False),
        sa.Column("ownership", sa.Text(), nullable=False),
        sa.Column("trade", sa.Text(), nullable=False),
        sa.Column("lead_kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("status", "worker_class", "ownership", "trade", "lead_kind"),
    )
    op.create_table(
        "unit_codes",
        sa.Column("id", sa.SmallInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )


def downgrade() -> None:
    op.drop_table("unit_codes")
    op.drop_table("segment_sets")
    op.drop_table("rollups")
    op.drop_table("outbox_heads")
    op.drop_index(
        "outbox_blocks_unsent",
        table_name="outbox_blocks",
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.drop_index("outbox_blocks_sent", table_name="outbox_blocks")
    op.drop_index("outbox_blocks_placed", table_name="outbox_blocks")
    op.drop_table("outbox_blocks")
    op.drop_table("journal")
    op.drop_table("inbox_marks")
    op.drop_table("inbox_gaps")
    op.drop_index("holdings_members", table_name="holdings")
    op.drop_table("holdings")
    op.drop_index("entries_subject", table_name="entries")
    op.drop_index("entries_figure", table_name="entries")
    op.drop_table("entries")
    op.drop_table("employer_links")
    op.drop_index("employer_keys_employer", table_name="employer_keys")
    op.drop_table("employer_keys")
    op.drop_index("delivery_facts_feed", table_name="delivery_facts")
    op.drop_table("delivery_facts")
    op.drop_index("dead_letters_place", table_name="dead_letters")
    op.drop_index(
        "dead_letters_open",
        table_name="dead_letters",
        postgresql_where=sa.text("replayed_at IS NULL"),
    )
    op.drop_table("dead_letters")
    op.drop_table("day_totals")
