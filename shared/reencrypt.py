"""Rewriting what older keys encrypted with the newest one, so that an old key can be dropped.

Works beside a serving system, in small transactions. There is no progress to keep: each value says
which key wrote it, so an interrupted run is simply begun again. A value that a service has just
rewritten is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from psycopg import sql

from shared.crypto import SealedColumn, Secrecy, SecrecyError, key_version
from shared.database import Database, raw
from shared.deliveries.spool import RAW_BODIES
from shared.deliveries.tables.spooling import NOTES, ORIGINALS
from shared.service import Service

ROWS_AT_ONCE: Final = 200
_HEAD_BYTES: Final = 13
"""Key version and nonce: no two values share them."""

Progress = Callable[[int, int], None]
"""Values rewritten so far, and all there are to rewrite."""


class Rewritten(msgspec.Struct, frozen=True):
    """One column after a run. ``versions``: key version → values it holds now."""

    column: str
    rewritten: int
    versions: dict[int, int]

    def older_than(self, version: int) -> int:
        """Values that older keys still hold."""
        return sum(count for held, count in self.versions.items() if held < version)


def sealed_columns(service: Service) -> tuple[SealedColumn, ...]:
    """All columns in which a service keeps encrypted values."""
    bodies = tuple(
        column
        for column in (RAW_BODIES, ORIGINALS, NOTES)
        if column.table in service.metadata.tables
    )
    return bodies + service.sealed


async def reencrypt(
    database: Database, service: Service, secrecy: Secrecy, progress: Progress | None = None
) -> list[Rewritten]:
    """Rewrite every value that an older key wrote; says what each key holds afterwards.

    Values that a process which does not have the newest key yet writes meanwhile may remain: see
    ``Rewritten.versions``. Raises SecrecyError for a value no known key opens (what came before it
    stays rewritten), DatabaseAway.
    """
    newest = secrecy.newest_version
    if newest is None:
        raise SecrecyError("no encryption key is configured")
    columns = sealed_columns(service)
    held = [await count_versions(database, column) for column in columns]
    total = sum(n for versions in held for version, n in versions.items() if version != newest)
    done, found = 0, []
    for column in columns:
        rewritten, after = 0, None
        while True:
            looked, changed, after = await _rewrite_some(database, column, secrecy, newest, after)
            if not looked:
                break
            rewritten += changed
            done += changed
            if progress is not None:
                progress(done, total)
        versions = await count_versions(database, column)
        found.append(Rewritten(column.name, rewritten, versions))
    return found


async def count_versions(database: Database, column: SealedColumn) -> dict[int, int]:
    """Key version → values it wrote, ascending. Reads the whole column."""
    async with database.read() as conn:
        driver = await raw(conn)
        cursor = await driver.execute(
            sql.SQL("SELECT {version} AS v, count(*) FROM {table} GROUP BY v ORDER BY v").format(
                version=_version(column), table=sql.Identifier(column.table)
            )
        )
        return {row[0]: row[1] for row in await cursor.fetchall()}


async def _rewrite_some(
    database: Database,
    column: SealedColumn,
    secrecy: Secrecy,
    newest: int,
    after: Sequence[Any] | None,
) -> tuple[int, int, Sequence[Any] | None]:
    """One transaction: values found, values rewritten, and the key to go on after."""
    async with database.transaction() as conn:
        driver = await raw(conn)
        cursor = await driver.execute(
            _select(column, after), (newest, *(after or ()), ROWS_AT_ONCE)
        )
        rows = await cursor.fetchall()
        if not rows:
            return 0, 0, after
        update = driver.cursor()
        await update.executemany(
            _update(column),
            [
                (
                    secrecy.encrypt(secrecy.decrypt(sealed, place), place),
                    *key,
                    sealed[:_HEAD_BYTES],
                )
                for *key, sealed in rows
                if key_version(sealed) != newest
                for place in [column.place(*key)]
            ],
        )
        return len(rows), update.rowcount, rows[-1][:-1]


def _version(column: SealedColumn) -> sql.Composed:
    return sql.SQL("get_byte(substr({}, 1, 1), 0)").format(sql.Identifier(column.column))


def _keys(column: SealedColumn) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, column.key))


def _select(column: SealedColumn, after: Sequence[Any] | None) -> sql.Composed:
    beyond: sql.Composable = sql.SQL("")
    if after is not None:
        beyond = sql.SQL("AND ({}) > ({})").format(
            _keys(column), sql.SQL(", ").join([sql.Placeholder()] * len(column.key))
        )
    return sql.SQL(
        "SELECT {keys}, {column} FROM {table} WHERE {version} <> %s {beyond}"
        " ORDER BY {keys} LIMIT %s"
    ).format(
        keys=_keys(column),
        column=sql.Identifier(column.column),
        table=sql.Identifier(column.table),
        version=_version(column),
        beyond=beyond,
    )


def _update(column: SealedColumn) -> sql.Composed:
    same = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in column.key]
    return sql.SQL("UPDATE {table} SET {column} = %s WHERE {same} AND {head} = %s").format(
        table=sql.Identifier(column.table),
        column=sql.Identifier(column.column),
        same=sql.SQL(" AND ").join(same),
        head=sql.SQL("substr({}, 1, {})").format(
            sql.Identifier(column.column), sql.Literal(_HEAD_BYTES)
        ),
    )
