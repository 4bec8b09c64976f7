"""Lists of state: the SQL every capability's list is made with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ColumnElement, RowMapping, Table, and_, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.deliveries.standing import ENDED_HASH


@dataclass(frozen=True)
class Wanted:
    """What of a table a caller asked for and may see."""

    equal: Mapping[str, str | bool | None] = field(default_factory=dict)
    """Column → value; None for any."""
    units: Collection[str] | None = None
    """Units the caller may see; None for all."""
    conditions: tuple[ColumnElement[bool], ...] = ()


def where(table: Table, wanted: Wanted) -> ColumnElement[bool]:
    """The condition a caller's wish comes to. What was taken back, and stands by nothing else,
    is in no list."""
    found = [table.c.content_hash != ENDED_HASH, *wanted.conditions]
    found += [table.c[name] == value for name, value in wanted.equal.items() if value is not None]
    if wanted.units is not None:
        found.append(table.c.unit.in_(wanted.units))
    return and_(*found)


async def list_states(
    conn: AsyncConnection,
    table: Table,
    by: str,
    wanted: Wanted,
    after: tuple[str | date, str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Rows in order of column ``by`` and natural key, at most ``limit`` of those after
    (sort value, natural key)."""
    order = (table.c[by], table.c.natural_key)
    query = select(table).where(where(table, wanted)).order_by(*order).limit(limit)
    if after is not None:
        query = query.where(tuple_(*order) > tuple_(*map(literal, after)))
    return (await conn.execute(query)).mappings().all()


async def newest_of_employer(
    conn: AsyncConnection,
    table: Table,
    by: str,
    employer_key: str,
    units: Collection[str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """The newest rows of one employer, newest first."""
    query = (
        select(table)
        .where(where(table, Wanted({"employer_key": employer_key}, units)))
        .order_by(table.c[by].desc(), table.c.natural_key)
        .limit(limit)
    )
    return (await conn.execute(query)).mappings().all()
