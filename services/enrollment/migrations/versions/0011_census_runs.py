"""The census's frozen frames, its roster and budget, and its comparison with the register."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("census_persons", sa.Column("name_hash", sa.Text(), nullable=True))
    op.add_column("census_units", sa.Column("visit_delivery_id", sa.Text(), nullable=True))
    op.create_index("census_units_by_visit", "census_units", ["visit_delivery_id"])
    _comparisons()
    _frames()
    _roster()


def _comparisons() -> None:
    op.create_table(
        "census_comparisons",
        sa.Column("run_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("compared_by", sa.Text(), nullable=False),
        sa.Column("plan_version", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_no"),
    )
    op.create_table(
        "census_comparison_units",
        sa.Column("run_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("run_no", "unit"),
    )
    op.create_index(
        "census_comparison_units_by_unit", "census_comparison_units", ["unit", "run_no"]
    )
    op.create_table(
        "census_comparison_lines",
        sa.Column("run_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("entry_revision", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("matched_by", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("insured_from", sa.Date(), nullable=True),
        sa.Column("insured_unit", sa.Text(), nullable=True),
        sa.Column("insured_status", sa.Text(), nullable=True),
        sa.Column("same_as", sa.Text(), nullable=True),
        sa.Column("person_key", sa.Text(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("worker_class", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("can_pay", sa.Boolean(), nullable=False),
        sa.Column("eligible", sa.Boolean(), nullable=True),
        sa.Column("potential", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("run_no", "entry"),
    )


def _frames() -> None:
    op.create_table(
        "census_frames",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_by", sa.Text(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "census_frame_entries",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("community", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("licence_no", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("version", "entry"),
    )
    op.create_index(
        "census_frame_entries_by_unit", "census_frame_entries", ["version", "unit", "street"]
    )


def _edited() -> list[sa.Column]:
    return [
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_by", sa.Text(), nullable=False),
    ]


def _roster() -> None:
    op.create_table(
        "census_enumerators",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        *_edited(),
        sa.PrimaryKeyConstraint("unit", "code"),
    )
    op.create_table(
        "census_bodies",
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("duty", sa.Text(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        *_edited(),
        sa.PrimaryKeyConstraint("department"),
    )
    op.create_table(
        "census_budgets",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("budget_fen", sa.BigInteger(), nullable=False),
        sa.Column("spent_fen", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        *_edited(),
        sa.PrimaryKeyConstraint("unit"),
    )
    op.create_table(
        "census_roster_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        *_edited(),
        sa.Column("row", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("census_roster_changes_by_unit", "census_roster_changes", ["unit", "id"])


def downgrade() -> None:
    for table in ("roster_changes", "budgets", "bodies", "enumerators"):
        op.drop_table(f"census_{table}")
    op.drop_table("census_frame_entries")
    op.drop_table("census_frames")
    for table in ("lines", "units"):
        op.drop_table(f"census_comparison_{table}")
    op.drop_table("census_comparisons")
    op.drop_index("census_units_by_visit", "census_units")
    op.drop_column("census_units", "visit_delivery_id")
    op.drop_column("census_persons", "name_hash")
