"""What is kept of tables sent as CSV or XLSX, and the headings departments have mapped."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("reading", postgresql.JSONB(), nullable=True))
    for table in ("delivery_originals", "delivery_notes"):
        op.create_table(
            table,
            sa.Column("delivery_id", sa.Uuid(), nullable=False),
            sa.Column("no", sa.Integer(), nullable=False),
            sa.Column("body", sa.LargeBinary(), nullable=False),
            sa.PrimaryKeyConstraint("delivery_id", "no"),
        )
    op.create_table(
        "feed_mappings",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("headings", postgresql.JSONB(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "department"),
    )


def downgrade() -> None:
    op.drop_table("feed_mappings")
    op.drop_table("delivery_notes")
    op.drop_table("delivery_originals")
    op.drop_column("deliveries", "reading")
