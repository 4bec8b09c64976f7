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
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import Cursor, binary_block, copy_block, raw
from shared.deliveries.feed import Changed, DeliveryInfo, Fresh, Recording
from shared.outbox import Outbox, PackedFacts

if TYPE_CHECKING:
    from shared.deliveries.judge import JudgedTuple

STATE: Final = (
    "natural_key",
    "revision",
    "content_hash",
    "delivery_id",
    "record_no",
    "recorded_at",
)
"""The columns every state table begins with, see ``models.state_columns``."""
_STATE_TYPES: Final = ("text", "int4", "bytea", "uuid", "int4", "timestamptz")
_KEY: Final = itemgetter(1)


@dataclass(frozen=True)
class Preparing:
    """What it takes to prepare rows. Picklable."""

    fresh: Fresh
    outbox: Outbox
    recorded_at: datetime
    traceparent: str | None


@dataclass(frozen=True)
class Prepared:
    """Rows of new keys on their way into state and outbox."""

    keys: str
    """As the text of a PostgreSQL array."""
    rows: bytes
    """For COPY, in key order so that no two writers wait crosswise."""
    facts: PackedFacts


def prepare(
    preparing: Preparing, delivery: DeliveryInfo, rows: Sequence[JudgedTuple]
) -> Prepared | None:
    """The rows as they are sent; None where a key stands twice, which only ``apply`` can tell
    apart."""
    fresh, recorded_at = preparing.fresh, preparing.recorded_at
    in_order = sorted(rows, key=_KEY)
    keys = list(map(_KEY, in_order))
    if len(set(keys)) < len(keys):
        return None
    delivery_id = UUID(delivery.id)
    block = binary_block(
        [(key, 1, digest, delivery_id, no, recorded_at, *row) for no, key, digest, row in in_order],
        (*_STATE_TYPES, *fresh.types),
    )
    changes = [Changed(no, key, row, 1, None) for no, key, _, row in rows]
    facts = fresh.facts(Recording(delivery, recorded_at), changes)
    return Prepared(_array(keys), block, preparing.outbox.pack(facts, preparing.traceparent))


async def ask_for_known(conn: AsyncConnection, fresh: Fresh, prepared: Prepared) -> Cursor:
    """Ask whether one of the keys is known, for ``said_yes``."""
    driver = await raw(conn)
    return await driver.execute(_is_any_known(fresh.table), (prepared.keys,))


async def copy_prepared(conn: AsyncConnection, fresh: Fresh, prepared: Prepared) -> None:
    """The rows into the state; none of their keys is known."""
    await copy_block(conn, fresh.table, (*STATE, *fresh.columns), prepared.rows)


@cache
def _is_any_known(table: str) -> bytes:
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE natural_key = ANY(%s::text[]))")
    return query.format(sql.Identifier(table)).as_bytes()


def _array(keys: Sequence[Any]) -> str:
    """PostgreSQL's text of an array (manual, 8.15.6)."""
    joined = '","'.join(keys)
    if "\\" in joined or joined.count('"') > 2 * (len(keys) - 1):
        joined = '","'.join(key.replace("\\", "\\\\").replace('"', '\\"') for key in keys)
    return f'{{"{joined}"}}'
