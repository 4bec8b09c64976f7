"""Where the holder's standing states end: what a re-dated state has to be posted upon.

Expand only. Rows from before say that nothing stands under them; ``kuomian rebuild`` sets them
right, and with them the days between that were posted before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "holdings",
        sa.Column("stands_since", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("holdings", "stands_since")
