"""What the relay found on the bus beyond what this database has given."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "outbox_heads",
        sa.Column(
            "bus_position",
            sa.BigInteger(),
            nullable=True,
            comment="found on the bus, not given here",
        ),
    )


def downgrade() -> None:
    op.drop_column("outbox_heads", "bus_position")
