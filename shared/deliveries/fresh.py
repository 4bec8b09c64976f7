"""Rows of keys the state does not know yet: prepared in the judging process, sent as they are.

A prepared part stands for nothing but what ``Feed.apply`` would do with the same rows, provided
none of their keys is known (decision record 22). Whoever applies it looks first, and lets the
rows be judged again for ``Feed.apply`` where one is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any, Final

from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.copying import binary_block, copy_block
from shared.database import Cursor, raw
from shared.deliveries.feed import DeliveryInfo, Fresh, JudgedTuple, Recording
from shared.outbox import Outbox, PackedFacts

_KEY: Final = itemgetter(0)


@dataclass(frozen=True)
class Preparing:
    """What it takes to prepare rows. Picklable."""

    fresh: Fresh
    outbox: Outbox
    recorded_at: datetime
    traceparent: str | None
    ahead: Any = None
    """What ``fresh.ahead`` gave."""


@dataclass(frozen=True)
class Prepared:
    """Rows of new keys on their way into state and outbox."""

    keys: str
    """As the text of a PostgreSQL array."""
    rows: bytes
    """For COPY, in key order so that no two writers wait crosswise."""
    facts: PackedFacts
    rest: Any
    """For ``Fresh.follow``; None: nothing."""


def prepare(
    preparing: Preparing, delivery: DeliveryInfo, rows: Sequence[JudgedTuple]
) -> Prepared | None:
    """The rows as they are sent; None where a key stands twice or ``Fresh.make`` leaves one
    alone: only ``apply`` can tell what they come to."""
    fresh = preparing.fresh
    new = fresh.make(Recording(delivery, preparing.recorded_at), rows, preparing.ahead)
    if new is None:
        return None
    in_order = sorted(new.rows, key=_KEY)
    keys = list(map(_KEY, in_order))
    if len(set(keys)) < len(keys):
        return None
    types = (tuple(fresh.columns.values()), tuple(fresh.shared.values()))
    block = binary_block(in_order, types[0], new.shared, types[1])
    facts = preparing.outbox.pack(new.facts, preparing.traceparent)
    return Prepared(_array(keys), block, facts, new.rest)


async def ask_for_known(conn: AsyncConnection, fresh: Fresh, prepared: Prepared) -> Cursor:
    """Ask whether one of the keys is known, for ``said_yes``."""
    driver = await raw(conn)
    key = next(iter(fresh.columns))
    asked = _is_any_known((fresh.table, key), *fresh.unknown)
    return await driver.execute(asked, {"keys": prepared.keys})


async def copy_prepared(conn: AsyncConnection, fresh: Fresh, prepared: Prepared) -> None:
    """The rows into the state; none of their keys is known."""
    await copy_block(conn, fresh.table, (*fresh.columns, *fresh.shared), prepared.rows)


@cache
def _is_any_known(*places: tuple[str, str]) -> bytes:
    known = [
        sql.SQL("EXISTS (SELECT FROM {} WHERE {} = ANY(%(keys)s::text[]))").format(
            sql.Identifier(table), sql.Identifier(column)
        )
        for table, column in places
    ]
    return sql.SQL("SELECT {}").format(sql.SQL(" OR ").join(known)).as_bytes()


def _array(keys: Sequence[Any]) -> str:
    """PostgreSQL's text of an array (manual, 8.15.6)."""
    joined = '","'.join(keys)
    if "\\" in joined or joined.count('"') > 2 * (len(keys) - 1):
        joined = '","'.join(key.replace("\\", "\\\\").replace('"', '\\"') for key in keys)
    return f'{{"{joined}"}}'
