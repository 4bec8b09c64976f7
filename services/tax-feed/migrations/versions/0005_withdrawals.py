"""Signed and linked receipts, withdrawals, full lists, resolutions by officers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None

_WHEN = sa.DateTime(timezone=True)
_UNFINISHED = "status IN ('requested', 'searching', 'applying')"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("receipt_seal", JSONB))
    op.add_column(
        "deliveries", sa.Column("mode", sa.Text, nullable=False, server_default=sa.text("'append'"))
    )
    op.add_column("deliveries", sa.Column("confirm_removals", sa.Integer))
    op.add_column("deliveries", sa.Column("supersedes", sa.Uuid))
    op.add_column("deliveries", sa.Column("withdrawn_at", _WHEN))
    op.create_table(
        "linked_receipts",
        sa.Column("delivery_id", sa.Uuid, primary_key=True),
        sa.Column("no", sa.Integer, primary_key=True),
        sa.Column("receipt", JSONB, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("seal", JSONB),
    )
    _withdrawals()
    op.create_table(
        "delivery_keys",
        sa.Column("delivery_id", sa.Uuid, primary_key=True),
        sa.Column("natural_key", sa.Text, primary_key=True),
    )
    op.create_table(
        "record_resolutions",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("delivery_id", sa.Uuid, nullable=False),
        sa.Column("record_no", sa.Integer, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("resolved_at", _WHEN, nullable=False),
    )
    op.create_index("record_resolutions_of", "record_resolutions", ["delivery_id", "record_no"])


def _withdrawals() -> None:
    op.create_table(
        "withdrawals",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("delivery_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("superseded_by", sa.Uuid),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("requested_at", _WHEN, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("segment", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("refusal", sa.Text),
        sa.Column("completed_at", _WHEN),
        sa.UniqueConstraint("delivery_id", "kind"),
        sa.CheckConstraint("kind IN ('delivery', 'absence')", name="withdrawals_kind"),
        sa.CheckConstraint(
            "status IN ('requested', 'searching', 'applying', 'done', 'refused')",
            name="withdrawals_status",
        ),
    )
    op.create_index(
        "withdrawals_unfinished",
        "withdrawals",
        ["feed", "id"],
        postgresql_where=sa.text(_UNFINISHED),
    )
    op.create_table(
        "withdrawal_keys",
        sa.Column("withdrawal_id", sa.BigInteger, primary_key=True),
        sa.Column("natural_key", sa.Text, primary_key=True),
        sa.Column("from_delivery", sa.Uuid, nullable=False),
        sa.Column("from_no", sa.Integer, nullable=False),
        sa.Column("to_seq", sa.BigInteger),
        sa.Column("to_delivery", sa.Uuid),
        sa.Column("to_no", sa.Integer),
        sa.Column("absent_no", sa.Integer),
        sa.Column("outcome", sa.Text),
    )
    op.create_index(
        "withdrawal_keys_open",
        "withdrawal_keys",
        ["withdrawal_id", "to_delivery", "to_no", "natural_key"],
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.create_index(
        "withdrawal_keys_absent",
        "withdrawal_keys",
        ["natural_key"],
        postgresql_where=sa.text("absent_no IS NOT NULL"),
    )


def downgrade() -> None:
    for table in (
        "record_resolutions",
        "delivery_keys",
        "withdrawal_keys",
        "withdrawals",
        "linked_receipts",
    ):
        op.drop_table(table)
    for column in ("withdrawn_at", "supersedes", "confirm_removals", "mode", "receipt_seal"):
        op.drop_column("deliveries", column)
