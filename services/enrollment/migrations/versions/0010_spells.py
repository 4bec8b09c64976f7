"""Spells of persons and employers, applications of officers, refusals that are not allowed.

What stands now is each subject's spell: a state without end that is known now is its own row, so
that existing installations need no other and lose nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_SPELLS = (
    ("person", (("worker_class", sa.Text(), False), ("employer_id", sa.Text(), True))),
    ("employer", (("household", sa.Boolean(), False), ("in_township", sa.Boolean(), False))),
)


def upgrade() -> None:
    for table in ("persons", "register_employers"):
        op.add_column(table, sa.Column("entry", sa.Text(), nullable=True))
    op.create_index("persons_by_unit", "persons", ["unit", "person_id"])
    op.create_index("register_employers_by_unit", "register_employers", ["unit", "employer_id"])
    for subject, own in _SPELLS:
        table = f"{subject}_spells"
        op.create_table(
            table,
            sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
            sa.Column("from_on", sa.Date(), nullable=False),
            sa.Column("to_on", sa.Date(), nullable=True),
            sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
            sa.Column("known_to", sa.DateTime(timezone=True), nullable=True),
            sa.Column("status", sa.Text(), nullable=False),
            sa.Column("entry", sa.Text(), nullable=True),
            sa.Column("unit", sa.Text(), nullable=False),
            sa.Column("ownership", sa.Text(), nullable=False),
            sa.Column("trade", sa.Text(), nullable=False),
            *(
                [sa.Column("person_id", sa.Text(), nullable=False)]
                if subject == "person"
                else [sa.Column("employer_id", sa.Text(), nullable=False)]
            ),
            *(sa.Column(name, kind, nullable=nullable) for name, kind, nullable in own),
        )
        op.create_index(f"{table}_by_{subject}", table, [f"{subject}_id"])
        op.create_index(f"{table}_by_unit", table, ["unit", f"{subject}_id"])
    op.create_index("person_spells_by_employer", "person_spells", ["employer_id", "person_id"])
    op.add_column("person_applications", sa.Column("other_place", sa.Text(), nullable=True))
    op.create_index("person_applications_by_unit", "person_applications", ["unit", "natural_key"])
    op.create_table(
        "officer_applications",
        sa.Column("application_id", sa.Text(), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("employed_from", sa.Date(), nullable=True),
        sa.Column("agency_no", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("maker", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checker", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.UniqueConstraint("feed", "application_no"),
    )
    op.create_index(
        "officer_applications_by_unit", "officer_applications", ["unit", "application_id"]
    )
    op.create_table(
        "refusal_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("refusal_attempts")
    op.drop_table("officer_applications")
    op.drop_index("person_applications_by_unit", "person_applications")
    op.drop_column("person_applications", "other_place")
    op.drop_table("employer_spells")
    op.drop_table("person_spells")
    op.drop_index("register_employers_by_unit", "register_employers")
    op.drop_index("persons_by_unit", "persons")
    for table in ("register_employers", "persons"):
        op.drop_column(table, "entry")
