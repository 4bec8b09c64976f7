"""Statements on full lists: the keys a list names, and those in its scope that it does not."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw
from shared.deliveries.standing import Standing
from shared.deliveries.store.rows import DeliveryRow

_UNNAMED: Final[LiteralString] = (
    " FROM {table} AS s JOIN deliveries AS d ON d.id = s.delivery_id "
    "WHERE d.feed = %(feed)s AND d.sender = %(sender)s "
    "AND (%(period)s::text IS NULL OR d.period = %(period)s) AND d.seq <= %(seq)s "
    "AND d.mode <> 'officer' "
)
"""What stands in the scope of a list; what was accepted after it is none of its business, nor what
officers decided on one by one (``BY_OFFICER``)."""
_NAMED: Final[LiteralString] = (
    "EXISTS (SELECT FROM delivery_keys AS n WHERE n.delivery_id = %(id)s "
    "AND n.natural_key = s.{key})"
)


def _scope(row: DeliveryRow, standing: Standing) -> dict[str, Any]:
    return {
        "id": row.id,
        "feed": row.feed,
        "sender": row.sender,
        "seq": row.seq,
        "period": None if standing.lasting else row.period,
        "sent": row.sent_count,
    }


async def count_unnamed(
    conn: AsyncConnection, row: DeliveryRow, standing: Standing
) -> tuple[int, int]:
    """Keys that stand in the scope of a full list and are not named by it; all that stand there."""
    driver = await raw(conn)
    query: LiteralString = "SELECT count(*) FILTER (WHERE NOT " + _NAMED + "), count(*)" + _UNNAMED
    cursor = await driver.execute(
        sql.SQL(query).format(**names_of(standing)) + sql.SQL(" AND NOT (" + standing.gone + ")"),
        _scope(row, standing),
    )
    found = await cursor.fetchone()
    return (found[0], found[1]) if found else (0, 0)


async def collect_unnamed(
    conn: AsyncConnection, withdrawal_id: int, row: DeliveryRow, standing: Standing
) -> None:
    """Note the keys in the scope of a full list that it does not name, those that had ended
    before too: they must stay ended when what ended them is taken back."""
    driver = await raw(conn)
    query: LiteralString = (
        "INSERT INTO withdrawal_keys (withdrawal_id, natural_key, from_delivery, from_no, "
        "absent_no) SELECT %(withdrawal)s, s.{key}, s.delivery_id, s.record_no, "
        "%(sent)s + row_number() OVER (ORDER BY s.{key})" + _UNNAMED + "AND NOT " + _NAMED
    )
    await driver.execute(
        sql.SQL(query + " ON CONFLICT DO NOTHING").format(**names_of(standing)),
        {**_scope(row, standing), "withdrawal": withdrawal_id},
    )
    await forget_keys(conn, row.id)


async def note_keys(conn: AsyncConnection, delivery_id: UUID, keys: Collection[str]) -> None:
    """The keys a chunk of a full list names."""
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO delivery_keys (delivery_id, natural_key) SELECT %s, unnest(%s::text[]) "
        "ON CONFLICT DO NOTHING",
        (delivery_id, sorted(keys)),
    )


async def forget_keys(conn: AsyncConnection, delivery_id: UUID) -> None:
    """What a full list names is not asked for any more."""
    driver = await raw(conn)
    await driver.execute("DELETE FROM delivery_keys WHERE delivery_id = %s", (delivery_id,))


def names_of(standing: Standing) -> dict[str, sql.Identifier]:
    """``{table}`` and ``{key}`` of a statement on a feed's state."""
    return {"table": sql.Identifier(standing.table.name), "key": sql.Identifier(standing.key)}
