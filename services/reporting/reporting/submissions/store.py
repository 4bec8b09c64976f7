"""Statements that read submissions; writing them is ``shared.deliveries.state``'s."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    RowMapping,
    Table,
    and_,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.submissions import models
from shared.deliveries.standing import ENDED_HASH

ORDER = {
    models.dekad_reports: "period",
    models.monthly_reports: "period",
    models.activities: "held_on",
}
"""Each table's lists go by this column, then by natural key."""


@dataclass(frozen=True)
class Asked:
    """What of a table was asked for, and whose the caller may see."""

    equal: Mapping[str, Any] = field(default_factory=dict)
    """Column → value; None for any."""
    units: Collection[str] | None = None
    """Only submissions of these units; None for all."""
    department: str | None = None
    """Only this department's own; None for all."""
    since: date | None = None
    until: date | None = None
    """Inclusive bounds on ``held_on``, where the table has it."""


def _stands(table: Table) -> ColumnElement[bool]:
    """Not what was taken back and stands by nothing else."""
    return table.c.content_hash != ENDED_HASH


def _where(table: Table, asked: Asked) -> ColumnElement[bool]:
    found: list[ColumnElement[bool]] = [_stands(table)]
    found += [table.c[name] == value for name, value in asked.equal.items() if value is not None]
    if asked.units is not None:
        found.append(table.c.unit.in_(asked.units))
    if asked.department is not None:
        found.append(and_(table.c.department == asked.department, table.c.unit.is_(None)))
    if asked.since is not None:
        found.append(table.c.held_on >= asked.since)
    if asked.until is not None:
        found.append(table.c.held_on <= asked.until)
    return and_(*found)


async def list_states(
    conn: AsyncConnection,
    table: Table,
    asked: Asked,
    after: tuple[str | date, str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Rows in the table's order, at most ``limit`` of those after (sort value, natural key)."""
    order = (table.c[ORDER[table]], table.c.natural_key)
    query = select(table).where(_where(table, asked)).order_by(*order).limit(limit)
    if after is not None:
        query = query.where(tuple_(*order) > tuple_(*map(literal, after)))
    return (await conn.execute(query)).mappings().all()


async def forms_of(conn: AsyncConnection, keys: Collection[str]) -> dict[str, RowMapping]:
    """The dekad forms of these natural keys, as far as they came."""
    table = models.dekad_reports
    wanted = and_(table.c.natural_key.in_(keys), _stands(table))
    rows = await conn.execute(select(table).where(wanted))
    return {row["natural_key"]: row for row in rows.mappings()}


_ITEMS = (
    "SELECT r.natural_key, r.department, r.unit, r.period, i.no::int AS no, i.item"
    " FROM monthly_reports r CROSS JOIN LATERAL unnest(r.problem_items) WITH ORDINALITY"
    " AS i (item, no) WHERE {where} ORDER BY r.period, r.natural_key, i.no LIMIT :limit"
)


async def list_problems(
    conn: AsyncConnection, asked: Asked, after: tuple[str, str, int] | None, limit: int
) -> Sequence[Row[Any]]:
    """Problems of monthly reports, each an item, by period, report and number in it."""
    where, values = ["true"], dict[str, Any]()
    for name in ("period", "unit", "department"):
        if (value := asked.equal.get(name)) is not None:
            where.append(f"r.{name} = :{name}")
            values[name] = value
    if asked.units is not None:
        where.append("r.unit = ANY(CAST(:units AS text[]))")
        values["units"] = sorted(asked.units)
    if asked.department is not None:
        where.append("r.department = :own AND r.unit IS NULL")
        values["own"] = asked.department
    if after is not None:
        where.append("(r.period, r.natural_key, i.no) > (:a, :b, :c)")
        values |= dict(zip("abc", after, strict=True))
    statement = text(_ITEMS.format(where=" AND ".join(where)))
    return (await conn.execute(statement, {**values, "limit": limit})).all()
