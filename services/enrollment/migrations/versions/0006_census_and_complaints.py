"""The census, complaints, and since when someone enrolled has been employed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _state() -> list[sa.Column]:
    return [
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    ]


def upgrade() -> None:
    op.add_column("person_applications", sa.Column("employed_from", sa.Date(), nullable=True))
    op.create_table(
        "census_units",
        *_state(),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("frame_no", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("community", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("licence_no", sa.Text(), nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=True),
        sa.Column("visitor", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("persons_found", sa.Integer(), nullable=False),
        sa.Column("uninsured_found", sa.Integer(), nullable=False),
        sa.Column("visited", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index("census_units_by_unit", "census_units", ["unit", "street"], unique=False)
    op.create_table(
        "census_persons",
        *_state(),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("entry_no", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("frame_no", sa.Text(), nullable=True),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("person_key", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("birth_on", sa.Date(), nullable=False),
        sa.Column("post", sa.Text(), nullable=True),
        sa.Column("worker_class", sa.Text(), nullable=False),
        sa.Column("employer_name", sa.Text(), nullable=True),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("licence_no", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("can_pay", sa.Boolean(), nullable=False),
        sa.Column("age_finding", sa.Text(), nullable=False),
        sa.Column("eligible", sa.Boolean(), nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index("census_persons_by_unit", "census_persons", ["unit", "street"], unique=False)
    op.create_index("census_persons_by_person", "census_persons", ["person_key"], unique=False)
    op.create_table(
        "complaints",
        *_state(),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("employer_name", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("licence_no", sa.Text(), nullable=True),
        sa.Column("persons_affected", sa.Integer(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index("complaints_by_unit", "complaints", ["unit", "received_on"], unique=False)
    op.create_table(
        "complaint_accesses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("complaint", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "complaint_accesses_by_complaint",
        "complaint_accesses",
        ["complaint", "read_at"],
        unique=False,
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup: these tables hold the census")
