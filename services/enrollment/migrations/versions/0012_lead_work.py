"""What officers do to leads, and since when a lead is known here."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("leads", sa.Column("found_on", sa.Date(), nullable=True))
    # Best known of leads from before: the day each last changed. Nobody is late for a time when
    # nothing was asked of them.
    op.execute("UPDATE leads SET found_on = (changed_at AT TIME ZONE 'Asia/Shanghai')::date")
    op.alter_column("leads", "found_on", nullable=False)
    for name, which in (("standing", "<>"), ("closed", "=")):
        op.create_index(
            f"leads_{name}",
            "leads",
            ["found_on", "lead_id"],
            unique=False,
            postgresql_where=sa.text(f"status {which} 'closed' AND NOT void"),
        )
    op.create_table(
        "lead_work",
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("stage_on", sa.Date(), nullable=True),
        sa.Column("home_unit", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("officer", sa.Text(), nullable=True),
        sa.Column("officer_name", sa.Text(), nullable=True),
        sa.Column("contacted_on", sa.Date(), nullable=True),
        sa.Column("last_contact_on", sa.Date(), nullable=True),
        sa.Column("contact_count", sa.Integer(), nullable=False),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.Column("promised_by", sa.Date(), nullable=True),
        sa.Column("next_step", sa.Text(), nullable=True),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("proposal_no", sa.Integer(), nullable=True),
        sa.Column("decision_no", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("lead_id"),
    )
    op.create_index(
        "lead_work_by_officer",
        "lead_work",
        ["officer", "lead_id"],
        unique=False,
        postgresql_where=sa.text("officer IS NOT NULL"),
    )
    op.create_index("lead_work_by_stage", "lead_work", ["stage", "lead_id"], unique=False)
    op.create_table(
        "lead_entries",
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("means", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("next_step", sa.Text(), nullable=True),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("promised_by", sa.Date(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("home_unit", sa.Text(), nullable=True),
        sa.Column("officer", sa.Text(), nullable=True),
        sa.Column("officer_name", sa.Text(), nullable=True),
        sa.Column("corrects", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("lead_id", "no"),
    )
    op.create_index(
        "lead_entries_by_kind",
        "lead_entries",
        ["kind", "recorded_at", "lead_id", "no"],
        unique=False,
    )
    op.create_table(
        "lead_notices",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )


def downgrade() -> None:
    op.drop_table("lead_notices")
    op.drop_table("lead_entries")
    op.drop_table("lead_work")
    op.drop_index("leads_closed", "leads")
    op.drop_index("leads_standing", "leads")
    op.drop_column("leads", "found_on")
