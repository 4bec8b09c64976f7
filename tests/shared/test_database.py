"""The floor under every store: who commits, what a lost database looks like, the bulk path."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError, InternalError

from shared.copying import copy_rows, copy_types, stage
from shared.database import Database, DatabaseAway, is_away, is_retryable, notify, raw
from tests.conftest import PostgresForTests

DECLARED: dict[str, Any] = {
    "name": Text,
    "cents": BigInteger,
    "count": Integer,
    "small": SmallInteger,
    "day": Date,
    "moment": DateTime(timezone=True),
    "yes": Boolean,
    "key": Uuid,
    "body": LargeBinary,
    "tags": postgresql.ARRAY(Text),
    "extra": postgresql.JSONB,
    "short": String(3),
}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=3, name="floor-test", pool_wait_seconds=0.2)
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE firm (code text PRIMARY KEY, seen_at text)"))
    yield database
    await database.close()


async def _count(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM firm"))).scalar_one())


async def test_a_transaction_commits_at_its_end(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("INSERT INTO firm VALUES ('a', 'x')"))
        assert await _count(database) == 0
    assert await _count(database) == 1


async def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute(text("INSERT INTO firm VALUES ('a', 'x')"))
            raise ZeroDivisionError
    assert await _count(database) == 0


async def test_read_refuses_writes_and_does_not_stick_to_the_connection(
    database_url: str,
) -> None:
    database = Database(database_url, pool_size=1)
    with pytest.raises(InternalError, match="read-only"):
        async with database.read() as connection:
            await connection.execute(text("CREATE TABLE nothing (a int)"))
    async with database.read(snapshot=True) as connection:
        level = await connection.execute(text("SHOW transaction_isolation"))
        assert level.scalar_one() == "repeatable read"
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE something (a int)"))
        level = await connection.execute(text("SHOW transaction_isolation"))
        assert level.scalar_one() == "read committed"
    await database.close()


async def test_sessions_are_in_utc_and_carry_the_name(database: Database) -> None:
    async with database.read() as connection:
        row = (
            await connection.execute(
                text("SELECT current_setting('timezone'), current_setting('application_name')")
            )
        ).one()
    assert tuple(row) == ("UTC", "floor-test")
    async with database.direct() as direct:
        cursor = await direct.execute("SELECT current_setting('timezone'), now()")
        zone, now = await cursor.fetchone() or (None, None)
    assert zone == "UTC"
    assert isinstance(now, datetime)
    assert now.utcoffset() == datetime.now(UTC).utcoffset()


async def test_copy_rows(database: Database) -> None:
    rows = [("工商\t一\\", 3, date(2008, 6, 1), b"\0\xff", True), ("", None, None, None, False)]
    async with database.transaction() as connection:
        await connection.execute(
            text("CREATE TABLE copied (name text, n bigint, day date, body bytea, yes boolean)")
        )
        columns = ["name", "n", "day", "body", "yes"]
        kinds = ["text", "int8", "date", "bytea", "bool"]
        for table in ("copied", "public.copied"):
            assert await copy_rows(connection, table, columns, rows, types=kinds) == 2
        found = (await connection.execute(text("SELECT * FROM copied"))).all()
    assert [tuple(row) for row in found] == rows * 2


async def test_copy_types_come_from_the_declaration(database: Database) -> None:
    table = Table(
        "declared",
        MetaData(),
        *(Column(name, kind) for name, kind in DECLARED.items()),
    )
    day, moment, key = date(2008, 6, 1), datetime(2008, 6, 1, 12, tzinfo=UTC), uuid4()
    row = ("扩面", 2**40, 7, 2, day, moment, True, key, b"\1", ["a", "b"], Jsonb({"a": 1}), "x")
    async with database.transaction() as connection:
        await connection.run_sync(table.create)
        kinds = copy_types(table, list(DECLARED))
        await copy_rows(connection, "declared", list(DECLARED), [row], types=kinds)
        found = (await connection.execute(table.select())).one()
    assert tuple(found) == (*row[:10], {"a": 1}, "x")


@pytest.mark.parametrize(("kind", "bits"), [("int2", 15), ("integer", 31), ("int8", 63)])
async def test_no_integer_is_cut_to_fit_its_column(
    database: Database, kind: str, bits: int
) -> None:
    async with database.transaction() as connection:
        await connection.execute(text(f"CREATE TEMP TABLE fitted (n {kind}) ON COMMIT DROP"))
        ends = [(2**bits - 1,), (-(2**bits),), (None,)]
        assert await copy_rows(connection, "fitted", ["n"], ends, types=[kind]) == 3
        assert list(await connection.scalars(text("SELECT n FROM fitted"))) == [n for (n,) in ends]
        for beyond in (2**bits, -(2**bits) - 1):
            with pytest.raises(psycopg.errors.NumericValueOutOfRange):
                async with connection.begin_nested():
                    await copy_rows(connection, "fitted", ["n"], [(beyond,)], types=[kind])


async def test_a_stage_is_empty_at_each_use_and_after_each_commit(database: Database) -> None:
    for _ in range(2):
        async with database.transaction() as connection:
            for _ in range(2):
                await stage(connection, "staged_firm", "code text, seen_at text")
                await copy_rows(connection, "staged_firm", ["code"], [("a",), ("b",)], ["text"])
                result = await connection.execute(text("SELECT count(*) FROM staged_firm"))
                assert result.scalar_one() == 2


async def test_notify_reaches_a_direct_listener_at_commit(database: Database) -> None:
    async with database.direct() as listener:
        await listener.execute("LISTEN firms")
        async with database.transaction() as connection:
            await notify(connection, "firms", "hello")
        heard = [note.payload async for note in listener.notifies(timeout=10, stop_after=1)]
    assert heard == ["hello"]


async def test_a_dry_pool_is_away(database: Database) -> None:
    with pytest.raises(DatabaseAway):
        async with database.read(), database.read(), database.read(), database.read():
            pass


async def test_a_server_nobody_answers_for_is_away() -> None:
    database = Database("postgresql://nobody:x@127.0.0.1:1/none", connect_seconds=1)
    with pytest.raises(DatabaseAway):
        await database.ping()
    with pytest.raises(DatabaseAway):
        async with database.direct():
            pass
    await database.close()


async def test_a_session_ended_by_the_server_is_away_and_the_next_one_works(
    database: Database, postgres: PostgresForTests
) -> None:
    with pytest.raises(DatabaseAway):
        async with database.transaction() as connection:
            driver = await raw(connection)
            await connection.execute(text("INSERT INTO firm VALUES ('a', 'x')"))
            with psycopg.connect(postgres.server.url(), autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s)", (driver.info.backend_pid,))
            await connection.execute(text("INSERT INTO firm VALUES ('b', 'x')"))
    assert await _count(database) == 0


async def test_a_session_ended_while_nobody_used_it_is_replaced_unnoticed(
    database: Database, postgres: PostgresForTests
) -> None:
    async with database.read() as connection:
        pid = (await raw(connection)).info.backend_pid
    with psycopg.connect(postgres.server.url(), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
    await _gone(postgres, pid)
    assert await _count(database) == 0


async def test_a_transaction_that_stands_still_is_ended_by_the_server(
    database: Database, postgres: PostgresForTests
) -> None:
    """Its locks are free for others then, and whoever wakes up in it begins anew."""
    async with database.read() as connection:
        shown = await connection.execute(text("SHOW idle_in_transaction_session_timeout"))
        assert shown.scalar_one() == "5min"
    for below in (False, True):
        with pytest.raises(DatabaseAway):
            async with database.transaction() as connection:
                driver = await raw(connection)
                await driver.execute("SET LOCAL idle_in_transaction_session_timeout = '10ms'")
                await _gone(postgres, driver.info.backend_pid)
                if below:
                    await driver.execute("SELECT 1")
                else:
                    await connection.execute(text("SELECT 1"))
    assert await _count(database) == 0
    # As it is said when the driver reads the server's last words in time.
    assert is_away(psycopg.errors.IdleInTransactionSessionTimeout())


async def _gone(postgres: PostgresForTests, pid: int) -> None:
    with psycopg.connect(postgres.server.url(), autocommit=True) as admin:
        async with asyncio.timeout(30):
            while admin.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)).rowcount:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_an_error_of_the_data_is_not_away(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with database.transaction() as connection:
            await connection.execute(text("INSERT INTO firm VALUES ('a', 'x'), ('a', 'y')"))
    assert not is_away(caught.value)
    assert not is_retryable(caught.value)
    assert is_retryable(psycopg.errors.DeadlockDetected())
    assert not is_away(psycopg.errors.DeadlockDetected())
    assert is_away(psycopg.errors.DiskFull())
    assert not is_away(psycopg.errors.QueryCanceled())
