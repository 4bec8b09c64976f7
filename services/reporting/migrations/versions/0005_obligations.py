"""Withdrawn deliveries; reasons and excuses of obligations; reminders and chases given."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "delivery_facts", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_table(
        "obligation_marks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("obligation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('reason', 'excuse')", name="obligation_marks_kind"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "obligation_marks_standing",
        "obligation_marks",
        ["obligation", "kind"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_index("obligation_marks_obligation", "obligation_marks", ["obligation", "id"])
    op.create_table(
        "obligation_notices",
        sa.Column("obligation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('reminder', 'overdue')", name="obligation_notices_kind"),
        sa.PrimaryKeyConstraint("obligation", "kind"),
    )
    op.create_index(
        "obligation_notices_told", "obligation_notices", ["told_at", "obligation", "kind"]
    )


def downgrade() -> None:
    op.drop_table("obligation_notices")
    op.drop_table("obligation_marks")
    op.drop_column("delivery_facts", "withdrawn_at")
