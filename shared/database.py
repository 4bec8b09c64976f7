"""The only way to PostgreSQL, and the only place that commits.

One ``Database`` per process and database: a bounded pool of SQLAlchemy asyncio connections over
psycopg 3, every session in UTC. ``transaction`` commits at its end or rolls back; there is no
other commit anywhere. The bulk path goes through ``copy_rows`` into a ``stage`` and one set-based
statement.
"""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self, TypeAlias

import psycopg
import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from shared.arrays import write_lists_whole
from shared.pool_ping import ping_when_in_doubt
from shared.settings import Settings

# Server states that pass by themselves: connection trouble (08), no resources (53), shutting down
# or starting (57P), a standby that is about to be promoted (25006); and a session the server ended
# because its transaction stood still (25P03).
_AWAY_STATES = ("08", "53", "57P", "25006", "25P03")
# The database chose this transaction as the one to give way: the same work succeeds when repeated.
_GIVE_WAY_STATES = ("40001", "40P01", "55P03")
# A process that stands still within a transaction would keep its locks, such as a partition's mark,
# for ever. Longer than any legitimate wait between two statements: judging a chunk is the longest.
_STANDSTILL_SECONDS = 300
_SESSION_OPTIONS = (
    "-c timezone=UTC -c client_min_messages=warning"
    f" -c idle_in_transaction_session_timeout={_STANDSTILL_SECONDS}s"
)


class DatabaseAway(Exception):
    """The database cannot be used right now: answer 503 with Retry-After, or wait and try again.

    When raised by the commit itself the outcome is unknown; work is repeatable by design.
    """

    retry_after_seconds = 5


class DatabaseFull(DatabaseAway):
    """Its disk is full: what is there can be read, nothing is written until somebody makes room.

    Only what the server says of itself (SQLSTATE 53100); should the disk of its log be full it
    stops, and is away.
    """


def is_away(error: BaseException) -> bool:
    """Whether an error says the database is unreachable, full, starting, or the pool ran dry."""
    if isinstance(error, DatabaseAway | PoolTimeout):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        return error.orig is not None and is_away(error.orig)
    if isinstance(error, psycopg.OperationalError):
        return error.sqlstate is None or error.sqlstate.startswith(_AWAY_STATES)
    if isinstance(error, psycopg.Error):
        return (error.sqlstate or "").startswith(_AWAY_STATES)
    return False


def is_full(error: BaseException) -> bool:
    """Whether an error says that a disk is full: the database's, or one of this process."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return is_full(error.orig)
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, DatabaseFull | psycopg.errors.DiskFull)


def is_retryable(error: BaseException) -> bool:
    """Whether the same work may well succeed when repeated: away, or gave way to another."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return is_away(error) or is_retryable(error.orig)
    gave_way = isinstance(error, psycopg.Error) and error.sqlstate in _GIVE_WAY_STATES
    return gave_way or is_away(error)


class Database:
    """A bounded pool of connections to one PostgreSQL database.

    ``name`` is shown as ``application_name`` in pg_stat_activity. ``direct_url`` leads past a
    transaction pooler, when there is one. Nothing connects before the first use.
    """

    def __init__(
        self,
        url: str,
        pool_size: int = 8,
        name: str = "kuomian",
        *,
        direct_url: str | None = None,
        pool_wait_seconds: float = 10.0,
        connect_seconds: int = 5,
    ) -> None:
        self.name = name
        self._direct_url = plain_url(direct_url or url)
        self._connect_arguments: dict[str, Any] = {
            "application_name": name,
            "connect_timeout": connect_seconds,
            "options": _SESSION_OPTIONS,
            # No prepared statements: a transaction pooler loses them, and a plan kept from when a
            # table was small reads the whole table once per key of ``= ANY(keys)``.
            "prepare_threshold": None,
            # A peer that vanished without a word is noticed within a minute.
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
        }
        self._engine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_wait_seconds,
            connect_args=self._connect_arguments,
        )
        ping_when_in_doubt(self._engine)
        sqlalchemy.event.listen(self._engine.sync_engine, "connect", _prepare)

    @classmethod
    def from_settings(cls, settings: Settings, name: str) -> Self:
        """The service's own database. Raises ValueError without DATABASE_URL."""
        if settings.database_url is None:
            raise ValueError("DATABASE_URL is not set")
        direct = settings.database_direct_url
        return cls(
            settings.database_url.get_secret_value(),
            settings.database_pool_size,
            name,
            direct_url=direct.get_secret_value() if direct else None,
            pool_wait_seconds=settings.database_pool_wait_seconds,
            connect_seconds=settings.database_connect_seconds,
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Isolation is READ COMMITTED. Raises DatabaseAway for what ``is_away`` recognises
        (DatabaseFull for a full disk).
        """
        try:
            async with self._engine.begin() as connection:
                yield connection
        except Exception as error:
            if is_away(error) and not isinstance(error, DatabaseAway):
                raise _away(error) from error
            raise

    @asynccontextmanager
    async def read(self, *, snapshot: bool = False) -> AsyncIterator[AsyncConnection]:
        """A read-only transaction; PostgreSQL itself refuses writes in it.

        With ``snapshot`` every statement sees the same moment (REPEATABLE READ).
        Raises DatabaseAway.
        """
        options: dict[str, Any] = {"postgresql_readonly": True}
        if snapshot:
            options["isolation_level"] = "REPEATABLE READ"
        try:
            async with self._engine.connect() as connection:
                yield await connection.execution_options(**options)
        except Exception as error:
            # A write in a read is our own mistake, not a standby waiting for its promotion.
            wrote = "read-only transaction" in str(error)
            if is_away(error) and not wrote and not isinstance(error, DatabaseAway):
                raise _away(error) from error
            raise

    @asynccontextmanager
    async def direct(self) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
        """A connection outside the pool, each statement for itself (autocommit).

        For LISTEN and session advisory locks; closing it lets the locks go. Raises DatabaseAway
        when it cannot be opened; later errors are psycopg's own (see ``is_away``).
        """
        try:
            connection = await psycopg.AsyncConnection.connect(
                self._direct_url, autocommit=True, **self._connect_arguments
            )
        except psycopg.OperationalError as error:
            raise DatabaseAway(_first_line(error)) from error
        async with connection:
            yield connection

    async def ping(self) -> None:
        """Return when the database answers; raises DatabaseAway. For readiness."""
        async with self.read() as connection:
            await connection.execute(sqlalchemy.text("SELECT 1"))

    async def close(self) -> None:
        """Close all pooled connections. May be called twice."""
        await self._engine.dispose()


async def raw(connection: AsyncConnection) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    """The driver's connection below, inside the same transaction: for COPY and bulk statements.

    Never commit or roll back on it; ``Database.transaction`` does.
    """
    plain = connection.sync_connection
    if plain is not None and not plain.closed and not plain.invalidated:
        pooled = plain.connection  # at hand: nothing is waited for, so no greenlet is needed
    else:
        pooled = await connection.get_raw_connection()
    driver: psycopg.AsyncConnection[tuple[Any, ...]] | None = pooled.driver_connection
    if driver is None:
        raise DatabaseAway("the connection is closed")
    return driver


Cursor: TypeAlias = psycopg.AsyncCursor[tuple[Any, ...]]


async def said_yes(asked: Cursor) -> bool:
    """The answer to a question that gives one row of one truth value."""
    row = await asked.fetchone()
    return bool(row and row[0])


@asynccontextmanager
async def sent_together(connection: AsyncConnection) -> AsyncIterator[None]:
    """Statements of the block on the driver's connection (``raw``) are sent without waiting for
    the one before; what one of them raises may come with a later one, at the latest at the end.

    For statements whose answer nobody needs; one that is fetched from is waited for. Not for COPY.
    """
    driver = await raw(connection)
    async with driver.pipeline():
        yield


async def notify(connection: AsyncConnection, channel: str, payload: str = "") -> None:
    """Wake listeners of ``channel`` when this transaction commits. At most 7999 bytes."""
    driver = await raw(connection)
    await driver.execute("SELECT pg_notify(%s, %s)", (channel, payload))


def driver_url(url: str) -> URL:
    """The SQLAlchemy address of a ``postgresql://`` one, naming the driver."""
    return make_url(url).set(drivername="postgresql+psycopg")


def plain_url(url: str) -> str:
    """The libpq address of either form; contains the password."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _prepare(connection: Any, _: object) -> None:
    write_lists_whole(connection.driver_connection)


def _away(error: Exception) -> DatabaseAway:
    return (DatabaseFull if is_full(error) else DatabaseAway)(_first_line(error))


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
