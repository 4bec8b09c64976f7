"""Reporting receives: the tables of deliveries, and dekad forms, monthly reports, activities."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "activities",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=True),
        sa.Column("persons_reached", sa.Integer(), nullable=True),
        sa.Column("questions", sa.Text(), nullable=True),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index("activities_held", "activities", ["held_on", "natural_key"], unique=False)
    op.create_table(
        "dekad_reports",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("households_planned", sa.Integer(), nullable=True),
        sa.Column("households_done", sa.Integer(), nullable=True),
        sa.Column("uninsured_employers", sa.Integer(), nullable=True),
        sa.Column("uninsured_persons", sa.Integer(), nullable=True),
        sa.Column("uninsured_enrolled", sa.Integer(), nullable=True),
        sa.Column("target_base", sa.Integer(), nullable=True),
        sa.Column("target_stretch", sa.Integer(), nullable=True),
        sa.Column("last_year_end", sa.Integer(), nullable=True),
        sa.Column("new_this_period", sa.Integer(), nullable=True),
        sa.Column("lost_this_period", sa.Integer(), nullable=True),
        sa.Column("insured_total", sa.Integer(), nullable=True),
        sa.Column("insured_active", sa.Integer(), nullable=True),
        sa.Column("active_nonpublic", sa.Integer(), nullable=True),
        sa.Column("active_selfemployed_households", sa.Integer(), nullable=True),
        sa.Column("active_flexible", sa.Integer(), nullable=True),
        sa.Column("active_migrant", sa.Integer(), nullable=True),
        sa.Column("should_pay", sa.Integer(), nullable=True),
        sa.Column("did_pay", sa.Integer(), nullable=True),
        sa.Column("yoy_persons", sa.Integer(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("fund_target_fen", sa.BigInteger(), nullable=True),
        sa.Column("fund_new_fen", sa.BigInteger(), nullable=True),
        sa.Column("fund_cum_fen", sa.BigInteger(), nullable=True),
        sa.Column("fund_arrears_collected_fen", sa.BigInteger(), nullable=True),
        sa.Column("fund_prelevied_fen", sa.BigInteger(), nullable=True),
        sa.Column("arrears_fen", sa.BigInteger(), nullable=True),
        sa.Column("census_rate", sa.Text(), nullable=True),
        sa.Column("done_base_pct", sa.Text(), nullable=True),
        sa.Column("done_stretch_pct", sa.Text(), nullable=True),
        sa.Column("pay_rate", sa.Text(), nullable=True),
        sa.Column("fund_pct", sa.Text(), nullable=True),
        sa.Column("time_pct", sa.Text(), nullable=True),
        sa.Column("remarks", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index(
        "dekad_reports_period", "dekad_reports", ["period", "natural_key"], unique=False
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
        "monthly_reports",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("overall", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("suggestions", sa.Text(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=True),
        sa.Column("problem_items", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("suggestion_items", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index(
        "monthly_reports_period", "monthly_reports", ["period", "natural_key"], unique=False
    )
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
    op.drop_table("superseded_versions")
    op.drop_table("record_problems")
    op.drop_table("monthly_reports")
    op.drop_table("held_records")
    op.drop_table("delivery_segments")
    op.drop_table("delivery_chunks")
    op.drop_table("deliveries")
    op.drop_table("dekad_reports")
    op.drop_table("activities")
