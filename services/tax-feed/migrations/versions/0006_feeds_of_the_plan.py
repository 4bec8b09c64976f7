"""The feeds of the plan: registrations, headcounts, plans, audits, no wage, pre-levies."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "base_audits",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("employer_key", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("audited_on", sa.Date(), nullable=False),
        sa.Column("from_month", sa.Text(), nullable=False),
        sa.Column("to_month", sa.Text(), nullable=False),
        sa.Column("declared_base_fen", sa.BigInteger(), nullable=False),
        sa.Column("audited_base_fen", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False, comment="exact decimal, 0.20"),
        sa.Column("pooled_due_fen", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index(
        "base_audits_audited", "base_audits", ["audited_on", "natural_key"], unique=False
    )
    op.create_index("base_audits_employer", "base_audits", ["employer_key"], unique=False)
    op.create_table(
        "clearing_instalments",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("employer_key", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("plan_no", sa.Text(), nullable=False),
        sa.Column("instalment_no", sa.Integer(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index(
        "clearing_instalments_employer",
        "clearing_instalments",
        ["employer_key", "agreed_on"],
        unique=False,
    )
    op.create_index(
        "clearing_instalments_plan",
        "clearing_instalments",
        ["plan_no", "instalment_no"],
        unique=False,
    )
    op.create_table(
        "deduction_reviews",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("employer_key", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("review_no", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("reviewed_on", sa.Date(), nullable=False),
        sa.Column("taxable_headcount", sa.Integer(), nullable=False),
        sa.Column("contributing_headcount", sa.Integer(), nullable=False),
        sa.Column("approved_headcount", sa.Integer(), nullable=False),
        sa.Column("accrued_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("not_deductible_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index(
        "deduction_reviews_employer", "deduction_reviews", ["employer_key"], unique=False
    )
    op.create_index(
        "deduction_reviews_month", "deduction_reviews", ["month", "natural_key"], unique=False
    )
    op.create_index(
        "deduction_reviews_review", "deduction_reviews", ["review_no", "month"], unique=False
    )
    op.create_table(
        "headcounts",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("employer_key", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("reg_type", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("household", sa.Boolean(), nullable=False),
        sa.Column("licence_no", sa.Text(), nullable=True),
        sa.Column("owner_key", sa.Text(), nullable=True),
        sa.Column("taxable_headcount", sa.Integer(), nullable=False),
        sa.Column("insured_headcount", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index("headcounts_employer", "headcounts", ["employer_key", "period"], unique=False)
    op.create_index("headcounts_period", "headcounts", ["period", "natural_key"], unique=False)
    op.create_table(
        "no_wage_persons",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("employer_key", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column(
            "person_key", sa.Text(), nullable=False, comment="keyed hash of the identity number"
        ),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="identity number and name, encrypted",
        ),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("base_fen", sa.BigInteger(), nullable=False),
        sa.Column("individual_rate", sa.Text(), nullable=False, comment="exact decimal, 0.08"),
        sa.Column("individual_fen", sa.BigInteger(), nullable=False),
        sa.Column("employer_rate", sa.Text(), nullable=False, comment="exact decimal, 0.20"),
        sa.Column("employer_fen", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index(
        "no_wage_persons_employer", "no_wage_persons", ["employer_key", "month"], unique=False
    )
    op.create_index(
        "no_wage_persons_month", "no_wage_persons", ["month", "natural_key"], unique=False
    )
    op.create_table(
        "no_wage_totals",
        sa.Column("employer_key", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("person_count", sa.Integer(), nullable=False),
        sa.Column("base_fen", sa.BigInteger(), nullable=False),
        sa.Column("individual_fen", sa.BigInteger(), nullable=False),
        sa.Column("employer_fen", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("employer_key", "month", "unit"),
    )
    op.create_table(
        "pre_levies",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("employer_key", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("levied_on", sa.Date(), nullable=False),
        sa.Column("household", sa.Boolean(), nullable=False),
        sa.Column("licence_no", sa.Text(), nullable=True),
        sa.Column("owner_key", sa.Text(), nullable=True),
        sa.Column("taxable_headcount", sa.Integer(), nullable=False),
        sa.Column("insured_headcount", sa.Integer(), nullable=False),
        sa.Column("base_fen", sa.BigInteger(), nullable=False),
        sa.Column("pooled_fen", sa.BigInteger(), nullable=False),
        sa.Column("individual_rate", sa.Text(), nullable=False, comment="exact decimal, 0.08"),
        sa.Column("individual_due_fen", sa.BigInteger(), nullable=False),
        sa.Column("enrolled_on", sa.Date(), nullable=True),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("individual_fen", sa.BigInteger(), nullable=True),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index("pre_levies_employer", "pre_levies", ["employer_key"], unique=False)
    op.create_index("pre_levies_month", "pre_levies", ["month", "natural_key"], unique=False)
    op.create_table(
        "tax_registrations",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("employer_key", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("reg_type", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("household", sa.Boolean(), nullable=False),
        sa.Column("licence_no", sa.Text(), nullable=True),
        sa.Column("owner_key", sa.Text(), nullable=True),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.Column("enrol_by", sa.Date(), nullable=True),
        sa.Column("deregistered_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index(
        "tax_registrations_employer", "tax_registrations", ["employer_key"], unique=False
    )
    op.create_index(
        "tax_registrations_registered",
        "tax_registrations",
        ["registered_on", "natural_key"],
        unique=False,
    )
    op.create_table(
        "unenrolled_employers",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("employer_key", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("reg_type", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("household", sa.Boolean(), nullable=False),
        sa.Column("licence_no", sa.Text(), nullable=True),
        sa.Column("owner_key", sa.Text(), nullable=True),
        sa.Column("taxable_headcount", sa.Integer(), nullable=False),
        sa.Column("insured_headcount", sa.Integer(), nullable=False),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index(
        "unenrolled_employers_employer",
        "unenrolled_employers",
        ["employer_key", "period"],
        unique=False,
    )
    op.create_index(
        "unenrolled_employers_period",
        "unenrolled_employers",
        ["period", "natural_key"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("unenrolled_employers_period", table_name="unenrolled_employers")
    op.drop_index("unenrolled_employers_employer", table_name="unenrolled_employers")
    op.drop_table("unenrolled_employers")
    op.drop_index("tax_registrations_registered", table_name="tax_registrations")
    op.drop_index("tax_registrations_employer", table_name="tax_registrations")
    op.drop_table("tax_registrations")
    op.drop_index("pre_levies_month", table_name="pre_levies")
    op.drop_index("pre_levies_employer", table_name="pre_levies")
    op.drop_table("pre_levies")
    op.drop_table("no_wage_totals")
    op.drop_index("no_wage_persons_month", table_name="no_wage_persons")
    op.drop_index("no_wage_persons_employer", table_name="no_wage_persons")
    op.drop_table("no_wage_persons")
    op.drop_index("headcounts_period", table_name="headcounts")
    op.drop_index("headcounts_employer", table_name="headcounts")
    op.drop_table("headcounts")
    op.drop_index("deduction_reviews_review", table_name="deduction_reviews")
    op.drop_index("deduction_reviews_month", table_name="deduction_reviews")
    op.drop_index("deduction_reviews_employer", table_name="deduction_reviews")
    op.drop_table("deduction_reviews")
    op.drop_index("clearing_instalments_plan", table_name="clearing_instalments")
    op.drop_index("clearing_instalments_employer", table_name="clearing_instalments")
    op.drop_table("clearing_instalments")
    op.drop_index("base_audits_employer", table_name="base_audits")
    op.drop_index("base_audits_audited", table_name="base_audits")
    op.drop_table("base_audits")
