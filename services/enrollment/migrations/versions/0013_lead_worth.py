"""Leads of persons, what leads are worth, findings of the labour inspection."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _leads_of_persons()
    _worth()
    _inspections()


def _leads_of_persons() -> None:
    op.alter_column("leads", "employer_id", existing_type=sa.Text(), nullable=True)
    op.add_column("leads", sa.Column("person_key", sa.Text(), nullable=True))
    op.create_check_constraint("leads_of_one", "leads", "num_nonnulls(employer_id, person_key) = 1")
    op.create_index("leads_by_person", "leads", ["person_key", "kind", "ordinal"], unique=True)
    op.create_index(
        "leads_one_open_person",
        "leads",
        ["person_key", "kind"],
        unique=True,
        postgresql_where=sa.text("status <> 'closed'"),
    )
    op.create_index(
        "lead_events_by_record", "lead_events", ["feed", "delivery_id", "record_no"], unique=False
    )
    op.create_table(
        "person_events",
        sa.Column("person_key", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("record_no", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("person_key", "subject", "revision"),
    )
    op.create_index("person_events_by_subject", "person_events", ["subject"], unique=False)
    op.create_index(
        "person_events_by_record",
        "person_events",
        ["feed", "delivery_id", "record_no"],
        unique=False,
    )


def _worth() -> None:
    op.create_table(
        "evidence_traits",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=True),
        sa.Column("can_pay", sa.Boolean(), nullable=True),
        sa.Column("age_known", sa.Boolean(), nullable=True),
        sa.Column("elsewhere", sa.Boolean(), nullable=False),
        sa.Column("ownership", sa.Text(), nullable=True),
        sa.Column("trade", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "lead_worth",
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("household", sa.Boolean(), nullable=False),
        sa.Column("ownership", sa.Text(), nullable=False),
        sa.Column("trade", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("lead_id"),
    )
    # Leads there are: not tested yet; each is when something more becomes known of its holder.
    op.execute(
        "INSERT INTO lead_worth SELECT l.lead_id, CASE WHEN l.status = 'closed' "
        "THEN 'not-effective' ELSE 'unclear' END, CASE WHEN l.status = 'closed' THEN "
        "CASE l.outcome WHEN 'enrolled' THEN 'already-enrolled' ELSE l.outcome END "
        "ELSE 'not-tested' END, nullif(l.gap, 0), "
        "CASE WHEN l.gap > 0 THEN CASE l.kind WHEN 'not-fully-enrolled' THEN 'register-gap' "
        "ELSE 'tax-headcount' END ELSE 'unknown' END, e.household, coalesce(r.ownership, ''), "
        "coalesce(r.trade, ''), 0, l.changed_at FROM leads l JOIN employers e USING (employer_id) "
        "LEFT JOIN register_employers r USING (employer_id) WHERE NOT l.void"
    )


def _inspections() -> None:
    op.create_table(
        "inspection_findings",
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("record_no", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("inspected_on", sa.Date(), nullable=False),
        sa.Column("employer_name", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("licence_no", sa.Text(), nullable=True),
        sa.Column("staff_found", sa.Integer(), nullable=False),
        sa.Column("without_contract", sa.Integer(), nullable=False),
        sa.Column("not_enrolled", sa.Integer(), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("natural_key"),
    )
    op.create_index(
        "inspection_findings_by_unit",
        "inspection_findings",
        ["unit", "inspected_on"],
        unique=False,
    )


def downgrade() -> None:
    for table in ("inspection_findings", "lead_worth", "evidence_traits", "person_events"):
        op.drop_table(table)
    op.drop_index("lead_events_by_record", "lead_events")
    op.drop_index("leads_one_open_person", "leads")
    op.drop_index("leads_by_person", "leads")
    op.drop_constraint("leads_of_one", "leads")
    op.execute("DELETE FROM leads WHERE employer_id IS NULL")
    op.drop_column("leads", "person_key")
    op.alter_column("leads", "employer_id", existing_type=sa.Text(), nullable=False)
