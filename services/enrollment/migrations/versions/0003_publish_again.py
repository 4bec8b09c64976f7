"""When a sent block was ordered to be published again, and the index that finds what waits."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "outbox_blocks",
        sa.Column(
            "again_since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="ordered to be sent again",
        ),
    )
    op.create_index(
        "outbox_blocks_again",
        "outbox_blocks",
        ["placed_no"],
        unique=False,
        postgresql_where=sa.text("again_since > sent_at"),
    )


def downgrade() -> None:
    op.drop_index(
        "outbox_blocks_again",
        table_name="outbox_blocks",
        postgresql_where=sa.text("again_since > sent_at"),
    )
    op.drop_column("outbox_blocks", "again_since")
