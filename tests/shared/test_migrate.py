"""Migrations run from code: to head, once, together, and never half."""

import asyncio
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Column, Date, MetaData, Table, Text

from shared import migrate
from shared.database import DatabaseAway
from tests.conftest import PostgresForTests

FIRST = """
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table("firm", sa.Column("code", sa.Text, primary_key=True))
    op.execute("SELECT pg_sleep(0.05)")
"""

SECOND_FAILS = """
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE TABLE half (a int)")
    op.execute("SELECT 1 / 0")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    versions = tmp_path / "100% of migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "0001_firm.py").write_text(FIRST)
    return versions.parent


def _tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        return {str(row[0]) for row in connection.execute(query)}


async def test_upgrade_goes_to_head_and_again_does_nothing(database_url: str, folder: Path) -> None:
    assert migrate.head(folder) == "0001"
    assert await migrate.current(database_url) is None
    assert not await migrate.at_head(database_url, folder)
    await migrate.upgrade(database_url, folder)
    await migrate.upgrade(database_url, folder)
    assert await migrate.current(database_url) == "0001"
    assert await migrate.at_head(database_url, folder)
    assert _tables(database_url) == {"alembic_version", "firm"}


async def test_a_failing_step_leaves_nothing(database_url: str, folder: Path) -> None:
    (folder / "versions" / "0002_fails.py").write_text(SECOND_FAILS)
    with pytest.raises(Exception, match="division by zero"):
        await migrate.upgrade(database_url, folder)
    assert _tables(database_url) == set()


async def test_two_starters_do_not_race(database_url: str, folder: Path) -> None:
    script = (
        "import asyncio, pathlib, sys; from shared import migrate;"
        "asyncio.run(migrate.upgrade(sys.argv[1], pathlib.Path(sys.argv[2])))"
    )
    starters = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", script, database_url, folder)
        for _ in range(3)
    ]
    assert [await starter.wait() for starter in starters] == [0, 0, 0]
    assert await migrate.current(database_url) == "0001"


async def test_services_of_one_process_migrate_at_once(
    postgres: PostgresForTests, folder: Path
) -> None:
    urls = [postgres.fresh_database() for _ in range(3)]
    await asyncio.gather(*(migrate.upgrade(url, folder) for url in urls))
    assert [_tables(url) for url in urls] == [{"alembic_version", "firm"}] * 3


async def test_a_revision_is_written_from_the_difference(database_url: str, folder: Path) -> None:
    metadata = MetaData()
    Table("firm", metadata, Column("code", Text, primary_key=True), Column("on", Date))
    await migrate.upgrade(database_url, folder)
    assert migrate.differences(database_url, metadata) != []
    [written] = migrate.revision(database_url, folder, "a date", metadata)
    assert written.name == "0002_a_date.py"
    assert "add_column" in written.read_text()
    await migrate.upgrade(database_url, folder)
    assert migrate.differences(database_url, metadata) == []


async def test_no_database_is_away(folder: Path) -> None:
    with pytest.raises(DatabaseAway):
        await migrate.upgrade("postgresql://nobody:x@127.0.0.1:1/none", folder)
    with pytest.raises(DatabaseAway):
        await migrate.current("postgresql://nobody:x@127.0.0.1:1/none")
