"""A key may stand for two employers while the facts of a link or split are on their way."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("employer_keys_pkey", "employer_keys", type_="primary")
    op.create_primary_key("employer_keys_pkey", "employer_keys", ["key", "employer_id"])


def downgrade() -> None:
    op.execute(
        "DELETE FROM employer_keys k USING employer_keys o "
        "WHERE k.key = o.key AND k.employer_id < o.employer_id"
    )
    op.drop_constraint("employer_keys_pkey", "employer_keys", type_="primary")
    op.create_primary_key("employer_keys_pkey", "employer_keys", ["key"])
