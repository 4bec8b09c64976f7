"""Every SQL statement about roster and budget."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final, LiteralString, NamedTuple

from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw


class Kind(NamedTuple):
    """One of the three tables officers edit."""

    name: str
    table: LiteralString
    key: tuple[LiteralString, ...]
    columns: tuple[LiteralString, ...]


ENUMERATORS: Final = Kind(
    "enumerators",
    "census_enumerators",
    ("unit", "code"),
    ("street", "role", "display_name", "from_on", "to_on"),
)
BODIES: Final = Kind(
    "bodies", "census_bodies", ("department",), ("role", "duty", "from_on", "to_on")
)
BUDGETS: Final = Kind("budgets", "census_budgets", ("unit",), ("budget_fen", "spent_fen", "source"))


async def lock_row(
    conn: AsyncConnection, kind: Kind, key: Mapping[str, str]
) -> dict[str, Any] | None:
    """The row as it stands, nobody else's to edit until the transaction ends."""
    wanted = " AND ".join(f"{name} = %({name})s" for name in kind.key)
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"SELECT * FROM {kind.table} WHERE {wanted} FOR UPDATE", key)
        return await cursor.fetchone()


async def write_row(
    conn: AsyncConnection,
    kind: Kind,
    key: Mapping[str, str],
    row: Mapping[str, Any],
    *,
    version: int,
    at: datetime,
    by: str,
) -> bool:
    """Write the row's next version, and note it among the changes. False where a first version is
    there already."""
    names = (*kind.key, *kind.columns, "version", "edited_at", "edited_by")
    told = {**key, **row, "version": version, "edited_at": at, "edited_by": by}
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in names if name not in kind.key)
    driver = await raw(conn)
    cursor = await driver.execute(
        f"INSERT INTO {kind.table} ({', '.join(names)}) "
        f"VALUES ({', '.join(f'%({name})s' for name in names)}) "
        f"ON CONFLICT ({', '.join(kind.key)}) DO UPDATE SET {sets} "
        f"WHERE {kind.table}.version < EXCLUDED.version",
        told,
    )
    if not cursor.rowcount:
        return False
    await driver.execute(
        "INSERT INTO census_roster_changes (kind, unit, key, version, row, edited_at, edited_by) "
        "VALUES (%s, %s, %s, %s, %s::jsonb, %s, %s)",
        (
            kind.name,
            key.get("unit"),
            ".".join(key.values()),
            version,
            json.dumps({**key, **row}, default=str),
            at,
            by,
        ),
    )
    return True


async def list_enumerators(
    conn: AsyncConnection, units: Collection[str] | None, after: tuple[str, str] | None, limit: int
) -> list[dict[str, Any]]:
    """By unit and code, after a pair of them."""
    unit, code = after or (None, None)
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT * FROM census_enumerators "
            "WHERE (%(units)s::text[] IS NULL OR unit = ANY(%(units)s)) "
            "AND (%(unit)s::text IS NULL OR (unit, code) > (%(unit)s, %(code)s)) "
            "ORDER BY unit, code LIMIT %(limit)s",
            {"units": _listed(units), "unit": unit, "code": code, "limit": limit},
        )
        return await cursor.fetchall()


async def list_bodies(conn: AsyncConnection) -> list[dict[str, Any]]:
    """By department."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("SELECT * FROM census_bodies ORDER BY department")
        return await cursor.fetchall()


async def list_budgets(
    conn: AsyncConnection, units: Collection[str] | None
) -> list[dict[str, Any]]:
    """By unit."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT * FROM census_budgets "
            "WHERE %(units)s::text[] IS NULL OR unit = ANY(%(units)s) ORDER BY unit",
            {"units": _listed(units)},
        )
        return await cursor.fetchall()


async def list_changes(
    conn: AsyncConnection, units: Collection[str] | None, before: int | None, limit: int
) -> list[dict[str, Any]]:
    """Edits of the units' rows, and for all units the bodies', too; the latest first."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT * FROM census_roster_changes "
            "WHERE (%(units)s::text[] IS NULL OR unit = ANY(%(units)s)) "
            "AND (%(before)s::bigint IS NULL OR id < %(before)s) ORDER BY id DESC LIMIT %(limit)s",
            {"units": _listed(units), "before": before, "limit": limit},
        )
        return await cursor.fetchall()


# The last visit of every entry, and what is wrong with who made it: null for nothing.
_VISITS: Final[LiteralString] = """
SELECT u.natural_key AS entry, u.unit, u.street, u.visitor, u.visited_on,
    CASE WHEN e.code IS NULL THEN 'not-in-roster'
        WHEN u.visited_on < e.from_on OR u.visited_on > e.to_on THEN 'outside-dates'
        WHEN e.street <> u.street THEN 'other-street' END AS finding
FROM census_units AS u
LEFT JOIN census_enumerators AS e ON e.unit = u.unit AND e.code = u.visitor
WHERE NOT u.void AND u.visited_on IS NOT NULL
    AND (%(units)s::text[] IS NULL OR u.unit = ANY(%(units)s))
"""


async def list_strange_visits(
    conn: AsyncConnection,
    units: Collection[str] | None,
    finding: str | None,
    after: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Visits with a finding, by entry after ``after``."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT * FROM ({_VISITS}) AS v WHERE finding IS NOT NULL "
            "AND (%(finding)s::text IS NULL OR finding = %(finding)s) "
            "AND (%(after)s::text IS NULL OR entry > %(after)s) ORDER BY entry LIMIT %(limit)s",
            {"units": _listed(units), "finding": finding, "after": after, "limit": limit},
        )
        return await cursor.fetchall()


async def count_by_unit(
    conn: AsyncConnection, units: Collection[str] | None
) -> dict[str, dict[str, int]]:
    """Unit → enumerators, visits, and visits by finding."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT unit, sum(enumerators)::int AS enumerators, sum(visits)::int AS visits, "
            "sum(a)::int AS not_in_roster, sum(b)::int AS outside_dates, sum(c)::int "
            "AS other_street FROM (SELECT unit, count(*) AS enumerators, 0 AS visits, "
            "0 AS a, 0 AS b, 0 AS c FROM census_enumerators "
            "WHERE %(units)s::text[] IS NULL OR unit = ANY(%(units)s) GROUP BY unit "
            "UNION ALL SELECT unit, 0, count(*), "
            "count(*) FILTER (WHERE finding = 'not-in-roster'), "
            "count(*) FILTER (WHERE finding = 'outside-dates'), "
            "count(*) FILTER (WHERE finding = 'other-street') "
            f"FROM ({_VISITS}) AS v GROUP BY unit) AS told GROUP BY unit",
            {"units": _listed(units)},
        )
        return {row.pop("unit"): row for row in await cursor.fetchall()}


def _listed(units: Collection[str] | None) -> list[str] | None:
    return None if units is None else sorted(units)
