"""Every SQL statement of the census."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from psycopg.rows import dict_row
from sqlalchemy import ColumnElement, RowMapping, Table, and_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.census.rules import Frame
from shared.database import raw


async def frames(conn: AsyncConnection, keys: Collection[str]) -> dict[str, Frame]:
    """Natural key → the entry as it stands, for those known."""
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT natural_key, {', '.join(Frame._fields)} FROM census_units "
        "WHERE natural_key = ANY(%s)",
        (list(keys),),
    )
    return {key: Frame._make(row) for key, *row in await cursor.fetchall()}


async def list_states(
    conn: AsyncConnection,
    table: Table,
    equal: Mapping[str, Any],
    units: Collection[str] | None,
    after: str | None,
    limit: int,
    between: Mapping[str, tuple[date | None, date | None]],
) -> Sequence[RowMapping]:
    """Rows by natural key, at most ``limit`` of those after it. ``equal``: column → value, None
    for any. ``units``: those the caller may see, None for all. ``between``: column → first and
    last day, None for no bound."""
    wanted: list[ColumnElement[bool]] = [true()]
    wanted += [table.c[name] == value for name, value in equal.items() if value is not None]
    for name, (first, last) in between.items():
        wanted += [table.c[name] >= first] if first is not None else []
        wanted += [table.c[name] <= last] if last is not None else []
    if units is not None:
        wanted.append(table.c.unit.in_(units))
    if after is not None:
        wanted.append(table.c.natural_key > after)
    query = select(table).where(and_(*wanted)).order_by(table.c.natural_key).limit(limit)
    return (await conn.execute(query)).mappings().all()


async def find_person(conn: AsyncConnection, natural_key: str) -> dict[str, Any] | None:
    """The entry's row, still sealed."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("SELECT * FROM census_persons WHERE natural_key = %s", (natural_key,))
        return await cursor.fetchone()
