"""The register's lists by segment: an index each of all that they are filtered by, in place of the
one of the unit alone; persons of an employer by the day since when they are as they are."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

PERSON = ["unit", "status", "worker_class", "ownership", "trade", "person_id"]
EMPLOYER = ["unit", "status", "household", "in_township", "ownership", "trade", "employer_id"]
INDEXED = {
    "persons": PERSON,
    "person_spells": PERSON,
    "register_employers": EMPLOYER,
    "employer_spells": EMPLOYER,
}


def upgrade() -> None:
    for table, columns in INDEXED.items():
        op.create_index(f"{table}_by_segment", table, columns)
        op.drop_index(f"{table}_by_unit", table)
    op.drop_index("persons_by_employer", "persons")
    op.create_index("persons_by_employer", "persons", ["employer_id", "effective_on"])


def downgrade() -> None:
    op.drop_index("persons_by_employer", "persons")
    op.create_index("persons_by_employer", "persons", ["employer_id"])
    for table, columns in INDEXED.items():
        op.create_index(f"{table}_by_unit", table, ["unit", columns[-1]])
        op.drop_index(f"{table}_by_segment", table)
