"""What each department says of an employer, where they contradict each other, what stood before.

The register's entries are filled in whole. Of what the feeds have told only units, headcounts and
whether it stands are known here: names, addresses and codes come as they are told again.
"""

import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sightings",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("legal_rep_key", sa.Text(), nullable=True),
        sa.Column("founded_on", sa.Date(), nullable=True),
        sa.Column("reg_type", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("household", sa.Boolean(), nullable=True),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("licence_no", sa.Text(), nullable=True),
        sa.Column("owner_key", sa.Text(), nullable=True),
        sa.Column("headcount", sa.Integer(), nullable=True),
        sa.Column("period", sa.Text(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("record_no", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("sightings_by_employer", "sightings", ["employer_id"])
    op.create_index(
        "sightings_of_nobody",
        "sightings",
        ["key"],
        postgresql_where=sa.text("employer_id IS NULL"),
    )
    op.create_index(
        "sightings_struck_off",
        "sightings",
        ["employer_id"],
        postgresql_where=sa.text("status = 'struck-off'"),
    )
    op.create_table(
        "record_conflicts",
        sa.Column("conflict_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("set_aside_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("conflict_id"),
    )
    op.create_index(
        "record_conflicts_by_employer", "record_conflicts", ["employer_id", "kind"], unique=True
    )
    op.create_index("record_conflicts_by_status", "record_conflicts", ["status", "conflict_id"])
    op.create_table(
        "record_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("record_no", sa.Integer(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("record_history_by_employer", "record_history", ["employer_id", "field", "id"])
    op.execute(
        """
        INSERT INTO sightings (subject, revision, employer_id, key, department, feed, status, name,
            unit, reg_type, industry, household, org_code, licence_no, owner_key, effective_on,
            recorded_at, delivery_id, record_no)
        SELECT 'register:' || agency_no, revision, employer_id,
            coalesce('oc:' || org_code, 'lic:' || licence_no, owner_key), 'agency', 'employers',
            CASE status WHEN 'ended' THEN 'struck-off' ELSE 'standing' END, name, unit, reg_type,
            industry, household, org_code, licence_no, owner_key, effective_on, recorded_at,
            delivery_id, record_no
        FROM register_employers
        """
    )
    op.execute(
        """
        INSERT INTO sightings (subject, revision, employer_id, department, feed, status, unit,
            headcount, period, effective_on, recorded_at, delivery_id, record_no)
        SELECT DISTINCT ON (subject) subject, revision, employer_id,
            CASE feed WHEN 'business-licences' THEN 'industry-commerce'
                WHEN 'organisation-codes' THEN 'quality-supervision'
                WHEN 'census-persons' THEN 'unit' WHEN 'complaints' THEN 'group-body'
                ELSE 'tax' END, feed,
            CASE what WHEN 'gone' THEN 'withdrawn' WHEN 'struck-off' THEN 'struck-off'
                ELSE 'standing' END, unit,
            CASE WHEN period <> '' THEN taxable END, nullif(period, ''), effective_on, recorded_at,
            delivery_id, record_no
        FROM lead_events WHERE NOT starts_with(subject, 'register:')
        ORDER BY subject, revision DESC, what = 'gone'
        """
    )
    op.add_column("employers", sa.Column("search_name", sa.Text(), nullable=True))
    op.add_column("employers", sa.Column("name_grams", sa.ARRAY(sa.Text()), nullable=True))
    _fill_names()
    op.alter_column("employers", "search_name", nullable=False)
    op.alter_column("employers", "name_grams", nullable=False)
    op.create_index("employers_by_name", "employers", ["name_grams"], postgresql_using="gin")


def _fill_names() -> None:
    """As ``identity.rules`` has it on the day of this migration."""
    conn = op.get_bind()
    after = ""
    while True:
        rows = conn.execute(
            sa.text(
                "SELECT employer_id, name FROM employers WHERE employer_id > :after "
                "ORDER BY employer_id LIMIT 5000"
            ),
            {"after": after},
        ).all()
        if not rows:
            return
        after = rows[-1][0]
        conn.execute(
            sa.text(
                "UPDATE employers SET search_name = :n, name_grams = :g WHERE employer_id = :e"
            ),
            [{"e": employer, "n": plain, "g": grams} for employer, plain, grams in map(_of, rows)],
        )


def _of(row: Any) -> tuple[str, str, list[str]]:
    folded = unicodedata.normalize("NFKC", row[1]).upper()
    plain = "".join([char for char in folded if char.isalnum()])
    if len(plain) < 2:
        return row[0], plain, [plain] if plain else []
    return row[0], plain, sorted({plain[at : at + 2] for at in range(len(plain) - 1)})


def downgrade() -> None:
    op.drop_index("employers_by_name", "employers")
    op.drop_column("employers", "name_grams")
    op.drop_column("employers", "search_name")
    op.drop_table("record_history")
    op.drop_table("record_conflicts")
    op.drop_table("sightings")
