"""How many the tax office says are insured, and who was found by the census, for the triangle of
headcounts."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lead_events", sa.Column("insured", sa.Integer(), nullable=True))
    op.drop_index("lead_events_headcounts", table_name="lead_events")
    op.create_index(
        "lead_events_headcounts",
        "lead_events",
        ["employer_id"],
        postgresql_where=sa.text("period <> '' OR feed = 'census-persons'"),
    )


def downgrade() -> None:
    op.drop_index("lead_events_headcounts", table_name="lead_events")
    op.create_index(
        "lead_events_headcounts",
        "lead_events",
        ["employer_id"],
        postgresql_where=sa.text("period <> ''"),
    )
    op.drop_column("lead_events", "insured")
