"""Which delivery replaced one that was taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery_facts", sa.Column("superseded_by", sa.Uuid))
    op.create_index(
        "delivery_facts_superseded",
        "delivery_facts",
        ["superseded_by"],
        postgresql_where=sa.text("superseded_by IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("delivery_facts_superseded", "delivery_facts")
    op.drop_column("delivery_facts", "superseded_by")
