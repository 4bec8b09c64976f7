"""The comparison of the census with the register, run by run, and the hash of the names found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("census_persons", sa.Column("name_hash", sa.Text(), nullable=True))
    _comparisons()
    _frames()


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


def downgrade() -> None:
    op.drop_table("census_frame_entries")
    op.drop_table("census_frames")
    for table in ("lines", "units"):
        op.drop_table(f"census_comparison_{table}")
    op.drop_table("census_comparisons")
    op.drop_column("census_persons", "name_hash")
