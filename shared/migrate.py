"""Schemas brought to their newest version, by Alembic, called from code: there is no alembic.ini.

A service's migrations folder holds ``versions/NNNN_*.py``; ``env.py`` and the template are shared.
Each database has its own ``alembic_version``. All steps of one upgrade are one transaction, and a
session advisory lock makes several starters of the same service wait for the first.
"""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from shared.database import DatabaseAway, driver_url, is_away, plain_url

_SHARED = Path(__file__).parent / "migrations"
_LOCK_KEY = 0x6B756F6D69616E  # "kuomian": any number, the same for every starter
# Alembic's ``context`` and ``op`` are module globals: one run per process at a time.
_ONE_RUN = threading.Lock()
_Result = TypeVar("_Result")


async def upgrade(url: str, folder: Path, revision: str = "head") -> None:
    """Bring the database to ``revision``. Nothing happens when it is already there.

    Other starters of the same database wait. Raises DatabaseAway; the database is then unchanged.
    """
    await asyncio.to_thread(_upgrade, url, folder, revision)


async def current(url: str) -> str | None:
    """The revision the database is at; None when it was never migrated. Raises DatabaseAway."""
    return await asyncio.to_thread(_with_connection, url, _current)


def head(folder: Path) -> str | None:
    """The newest revision in the folder; None when there is none. Raises when there are two."""
    return ScriptDirectory.from_config(_config(folder)).get_current_head()


def revisions(folder: Path) -> frozenset[str]:
    """Every revision in the folder."""
    scripts = ScriptDirectory.from_config(_config(folder)).walk_revisions()
    return frozenset(script.revision for script in scripts)


async def at_head(url: str, folder: Path) -> bool:
    """Whether the database has exactly the schema this code was written for. For readiness."""
    return await current(url) == head(folder)


def revision(url: str, folder: Path, message: str, metadata: MetaData) -> list[Path]:
    """Write the next migration: the difference between a database at head and ``metadata``.

    For developers; the file is then read and tidied by hand. Returns the files written.
    """
    number = f"{1 + len(list((folder / 'versions').glob('[0-9]*.py'))):04d}"
    (folder / "versions").mkdir(parents=True, exist_ok=True)

    def write(connection: Connection) -> list[Path]:
        config = _config(folder, connection, metadata)
        scripts = command.revision(config, message, autogenerate=True, rev_id=number)
        found = scripts if isinstance(scripts, list) else [scripts]
        return [Path(script.path) for script in found if script is not None]

    with _ONE_RUN:
        return _with_connection(url, write)


def differences(url: str, metadata: MetaData) -> list[str]:
    """What the database lacks or has beyond ``metadata``, one line each; empty when they agree.

    For the test that models and migrations say the same.
    """
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415  # pulls in a lot

    def compare(connection: Connection) -> list[str]:
        options = {"compare_type": True, "compare_server_default": False}
        context = MigrationContext.configure(connection, opts=options)
        return [str(difference) for difference in compare_metadata(context, metadata)]

    return _with_connection(url, compare)


def _upgrade(url: str, folder: Path, revision: str) -> None:
    # The guard is a connection of its own: it outlives the transactions of the run, and closing
    # it (even by dying) lets the next starter go on.
    with _ONE_RUN, _guard(url) as guard:
        guard.execute("SELECT pg_advisory_lock(%s)", (_LOCK_KEY,))
        _with_connection(
            url, lambda connection: command.upgrade(_config(folder, connection), revision)
        )


def _guard(url: str) -> psycopg.Connection[tuple[object, ...]]:
    try:
        return psycopg.connect(plain_url(url), autocommit=True, application_name="migrate-guard")
    except psycopg.OperationalError as error:
        raise DatabaseAway(str(error)) from error


def _with_connection(url: str, work: Callable[[Connection], _Result]) -> _Result:
    engine = create_engine(
        driver_url(url),
        poolclass=NullPool,
        connect_args={"application_name": "migrate", "options": "-c timezone=UTC"},
    )
    try:
        with engine.connect() as connection:
            return work(connection)
    except DBAPIError as error:
        if is_away(error):
            raise DatabaseAway(str(error.orig)) from error
        raise
    finally:
        engine.dispose()


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(
    folder: Path, connection: Connection | None = None, metadata: MetaData | None = None
) -> Config:
    config = Config()
    config.set_main_option("script_location", _escaped(_SHARED))
    config.set_main_option("version_locations", _escaped(folder / "versions"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    return config


def _escaped(path: Path) -> str:
    return str(path.absolute()).replace("%", "%%")
