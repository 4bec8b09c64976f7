"""Employers to be compared stand in a table of their own; a mark on ``employers`` wrote all of its
indexes twice more for each. The column stays for the release before."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "match_queue",
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column(
            "due_since",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("clock_timestamp()"),
        ),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("employer_id"),
    )
    op.execute(
        "INSERT INTO match_queue (employer_id, again) SELECT employer_id, true FROM employers"
        " WHERE match_due AND merged_into IS NULL"
    )
    op.drop_index("employers_match_due", "employers")


def downgrade() -> None:
    op.execute(
        "UPDATE employers e SET match_due = EXISTS"
        " (SELECT FROM match_queue q WHERE q.employer_id = e.employer_id)"
    )
    op.create_index(
        "employers_match_due",
        "employers",
        ["employer_id"],
        unique=False,
        postgresql_where=sa.text("match_due"),
    )
    op.drop_table("match_queue")
