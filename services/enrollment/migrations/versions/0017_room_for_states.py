"""Leads of employers are in no index of persons' leads; a lead that advances stays in the indexes
it is in; rows that are written again soon have room for it beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OF_A_PERSON = "person_key IS NOT NULL"
# index: (columns, unique, condition, condition before)
INDEXES = {
    "leads_by_person": (["person_key", "kind", "ordinal"], True, OF_A_PERSON, None),
    "leads_one_open_person": (
        ["person_key", "kind"],
        True,
        f"{OF_A_PERSON} AND closed_on IS NULL",
        "status <> 'closed'",
    ),
    "leads_one_open": (
        ["employer_id", "kind"],
        True,
        "employer_id IS NOT NULL AND closed_on IS NULL",
        "status <> 'closed'",
    ),
    "leads_standing": (
        ["found_on", "lead_id"],
        False,
        "closed_on IS NULL AND NOT void",
        "status <> 'closed' AND NOT void",
    ),
    "leads_closed": (
        ["found_on", "lead_id"],
        False,
        "closed_on IS NOT NULL AND NOT void",
        "status = 'closed' AND NOT void",
    ),
}
ROOM = {"employers": 60, "leads": 50, "lead_worth": 50}


def upgrade() -> None:
    op.create_check_constraint(
        "leads_closed_on_a_day", "leads", "(status = 'closed') = (closed_on IS NOT NULL)"
    )
    _index(2)
    for table, percent in ROOM.items():
        op.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")


def downgrade() -> None:
    for table in ROOM:
        op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
    _index(3)
    op.drop_constraint("leads_closed_on_a_day", "leads")


def _index(which: int) -> None:
    for name, one in INDEXES.items():
        columns, unique, condition = one[0], one[1], one[which]
        op.drop_index(name, "leads")
        where = None if condition is None else sa.text(condition)
        op.create_index(name, "leads", columns, unique=unique, postgresql_where=where)
