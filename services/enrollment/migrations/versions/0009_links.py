"""Links between employers beyond their numbers: found, decided, undone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("employers", sa.Column("merged_into", sa.Text(), nullable=True))
    op.add_column(
        "employers",
        sa.Column("match_due", sa.Boolean(), nullable=False, server_default=sa.text("true")),
    )
    op.create_index(
        "employers_match_due",
        "employers",
        ["employer_id"],
        unique=False,
        postgresql_where=sa.text("match_due"),
    )
    op.add_column("employer_keys", sa.Column("via", sa.Text(), nullable=True))
    op.add_column("lead_events", sa.Column("key", sa.Text(), nullable=True))
    op.add_column("link_conflicts", sa.Column("resolution", sa.Text(), nullable=True))
    op.add_column(
        "link_conflicts",
        sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("1")),
    )
    op.create_table(
        "identity_blocks",
        sa.Column("block", sa.Text(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("block", "employer_id"),
    )
    op.create_index("identity_blocks_by_employer", "identity_blocks", ["employer_id"])
    _links()
    op.create_table(
        "identity_decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effect", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("identity_decisions_by_about", "identity_decisions", ["about", "id"])
    op.create_table(
        "person_names",
        sa.Column("person_key", sa.Text(), nullable=False),
        sa.Column("name_before", sa.Text(), nullable=False),
        sa.Column("name_told", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("sealed_before", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_told", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.PrimaryKeyConstraint("person_key", "name_before", "name_told"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("person_names_by_status", "person_names", ["status", "id"])


def _links() -> None:
    op.create_table(
        "identity_links",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("left_id", sa.Text(), nullable=False),
        sa.Column("right_id", sa.Text(), nullable=False),
        sa.Column("left_unit", sa.Text(), nullable=False),
        sa.Column("right_unit", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("judged_evidence", postgresql.JSONB(), nullable=True),
        sa.Column("automatic", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("survivor_id", sa.Text(), nullable=True),
        sa.Column("absorbed_id", sa.Text(), nullable=True),
        sa.Column("moved_keys", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("survivor_was", postgresql.JSONB(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("left_id", "right_id"),
        sa.CheckConstraint("left_id < right_id", name="identity_links_in_order"),
    )
    op.create_index("identity_links_by_right", "identity_links", ["right_id"])
    op.create_index("identity_links_by_status", "identity_links", ["status", "id"])
    op.create_index(
        "identity_links_automatic",
        "identity_links",
        ["id"],
        unique=False,
        postgresql_where=sa.text("automatic AND status = 'suggested'"),
    )


def downgrade() -> None:
    """Employers joined by then stay joined: the columns that tell them apart are lost."""
    op.drop_table("person_names")
    op.drop_table("identity_decisions")
    op.drop_table("identity_links")
    op.drop_table("identity_blocks")
    op.drop_column("link_conflicts", "revision")
    op.drop_column("link_conflicts", "resolution")
    op.drop_column("lead_events", "key")
    op.drop_column("employer_keys", "via")
    op.drop_index("employers_match_due", table_name="employers")
    op.drop_column("employers", "match_due")
    op.drop_column("employers", "merged_into")
