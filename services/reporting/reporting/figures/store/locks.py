"""Who is in the ledger, and having it to oneself for a moment.

All of it on a direct connection, for the locks belong to the session: should the line be cut they
are let go, and the next statement on it says so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple, TypeAlias

import psycopg

from reporting.figures.store.posting import LEDGER_LOCK

REBUILD_LOCK: Final = 0x6B6D_7265_6275  # any number; one rebuild at a time
_LOOK_AGAIN_SECONDS: Final = 0.01

Line: TypeAlias = psycopg.AsyncConnection[tuple[Any, ...]]
"""A direct connection, see ``Database.direct``."""


class Working(NamedTuple):
    """A transaction of some session."""

    pid: int
    transaction: str


def _advisory(key: int, alias: str) -> str:
    """That a row of ``pg_locks`` is this advisory lock, in this database."""
    return (
        f"{alias}.locktype = 'advisory' AND {alias}.objsubid = 1"
        f" AND {alias}.classid = {key >> 32} AND {alias}.objid = {key & 0xFFFF_FFFF}"
        f" AND {alias}.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )


RUNNING: Final = f"SELECT EXISTS (SELECT FROM pg_locks l WHERE {_advisory(REBUILD_LOCK, 'l')})"
"""Whether a rebuild is running, from wherever one asks."""
_APPLYING: Final = (
    "SELECT l.pid, l.virtualtransaction FROM pg_locks l"
    f" WHERE l.granted AND {_advisory(LEDGER_LOCK, 'l')}"
)
# Vacuum works for no user; who waits for the ledger reads nothing before it is free.
_READING: Final = (
    "SELECT l.pid, l.virtualxid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'virtualxid' AND l.granted AND l.pid <> pg_backend_pid()"
    " AND a.datname = current_database() AND a.usesysid IS NOT NULL"
    " AND NOT EXISTS (SELECT FROM pg_locks w"
    f" WHERE w.pid = l.pid AND NOT w.granted AND {_advisory(LEDGER_LOCK, 'w')})"
)


async def try_to_be_the_one(line: Line) -> bool:
    """Whether no other rebuild runs: the line then keeps others out until it is closed."""
    cursor = await line.execute("SELECT pg_try_advisory_lock(%s)", (REBUILD_LOCK,))
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


@asynccontextmanager
async def ledger_alone(line: Line) -> AsyncIterator[None]:
    """Waits for every applier and keeps new ones out while the block lasts."""
    await line.execute("SELECT pg_advisory_lock(%s)", (LEDGER_LOCK,))
    try:
        yield
    finally:
        await line.execute("SELECT pg_advisory_unlock(%s)", (LEDGER_LOCK,))


async def settled_head(line: Line) -> int:
    """A journal id up to which all blocks are committed or will never be. Hinders nobody.

    Ids are given out before the commit: a lower one may yet come after a higher. So the last id
    given is noted, then those in the ledger are waited for; who comes later gets a higher one.
    """
    cursor = await line.execute(
        "SELECT coalesce(pg_sequence_last_value("
        "CAST(pg_get_serial_sequence('journal', 'id') AS regclass)), 0)"
    )
    row = await cursor.fetchone()
    await _all_gone(line, _APPLYING)
    return int(row[0]) if row is not None else 0


async def older_readers_gone(line: Line, seconds: float) -> bool:
    """Wait until no transaction begun before is left but such as wait for the ledger; False when
    that takes longer than ``seconds``.

    A snapshot taken before the shadow's last commit would not see all of it once it lives.
    """
    return await _all_gone(line, _READING, time.monotonic() + seconds)


async def _all_gone(line: Line, query: str, deadline: float | None = None) -> bool:
    there = await _found(line, query)
    while there:
        if deadline is not None and time.monotonic() > deadline:
            return False
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        there &= await _found(line, query)
    return True


async def _found(line: Line, query: str) -> set[Working]:
    cursor = await line.execute(query)
    return {Working(*row) for row in await cursor.fetchall()}
