"""What each department says of an employer, where they contradict each other, what stood before.

The register's entries are filled in from here. What the feeds have told is not kept with its
names; it comes with ``kuomian republish`` (docs/operations.md).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sightings",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("legal_rep_key", sa.Text(), nullable=True),
        sa.Column("founded_on", sa.Date(), nullable=True),
        sa.Column("reg_type", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("household", sa.Boolean(), nullable=True),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("licence_no", sa.Text(), nullable=True),
        sa.Column("owner_key", sa.Text(), nullable=True),
        sa.Column("headcount", sa.Integer(), nullable=True),
        sa.Column("period", sa.Text(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("record_no", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("sightings_by_employer", "sightings", ["employer_id"])
    op.create_index(
        "sightings_of_nobody",
        "sightings",
        ["key"],
        postgresql_where=sa.text("employer_id IS NULL"),
    )
    op.create_index(
        "sightings_struck_off",
        "sightings",
        ["employer_id"],
        postgresql_where=sa.text("status = 'struck-off'"),
    )
    op.create_table(
        "record_conflicts",
        sa.Column("conflict_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("set_aside_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("conflict_id"),
    )
    op.create_index(
        "record_conflicts_by_employer", "record_conflicts", ["employer_id", "kind"], unique=True
    )
    op.create_index("record_conflicts_by_status", "record_conflicts", ["status", "conflict_id"])
    op.create_table(
        "record_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("record_no", sa.Integer(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("record_history_by_employer", "record_history", ["employer_id", "field", "id"])
    op.execute(
        """
        INSERT INTO sightings (subject, revision, employer_id, key, department, feed, status, name,
            unit, reg_type, industry, household, org_code, licence_no, owner_key, effective_on,
            recorded_at, delivery_id, record_no)
        SELECT 'register:' || agency_no, revision, employer_id,
            coalesce('oc:' || org_code, 'lic:' || licence_no, owner_key), 'agency', 'employers',
            CASE status WHEN 'ended' THEN 'struck-off' ELSE 'standing' END, name, unit, reg_type,
            industry, household, org_code, licence_no, owner_key, effective_on, recorded_at,
            delivery_id, record_no
        FROM register_employers
        """
    )


def downgrade() -> None:
    op.drop_table("record_history")
    op.drop_table("record_conflicts")
    op.drop_table("sightings")
