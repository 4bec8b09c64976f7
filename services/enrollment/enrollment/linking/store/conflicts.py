"""Statements about records that name numbers of two employers (``link_conflicts``)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw

_SHOWN = """
SELECT c.id, c.key, c.owner_id, c.employer_id, c.delivery_id::text, c.record_no, c.found_at,
       c.resolved_at, c.resolution, c.revision, o.name AS owner_name, o.unit AS owner_unit,
       e.name AS employer_name, e.unit AS employer_unit
FROM link_conflicts c JOIN employers o ON o.employer_id = c.owner_id
     JOIN employers e ON e.employer_id = c.employer_id
"""


async def list_conflicts(
    conn: AsyncConnection,
    *,
    units: Collection[str] | None,
    resolved: bool | None,
    after: int | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Conflicts by id. ``units`` None means every unit; else those with one side in them."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"{_SHOWN} WHERE (%(units)s::text[] IS NULL OR o.unit = ANY(%(units)s) "
            "OR e.unit = ANY(%(units)s)) AND (%(resolved)s::bool IS NULL "
            "OR (c.resolved_at IS NOT NULL) = %(resolved)s) AND c.id > %(after)s "
            "ORDER BY c.id LIMIT %(limit)s",
            {
                "units": None if units is None else sorted(units),
                "resolved": resolved,
                "after": after or 0,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def find_conflict(
    conn: AsyncConnection, conflict_id: int, *, lock: bool = False
) -> dict[str, Any] | None:
    """The conflict with both sides; with ``lock`` nobody else decides about it meanwhile."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"{_SHOWN} WHERE c.id = %s" + (" FOR UPDATE OF c" if lock else ""), (conflict_id,)
        )
        return await cursor.fetchone()


async def resolve(conn: AsyncConnection, conflict_id: int, resolution: str, at: datetime) -> None:
    """Keep what was decided."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE link_conflicts SET resolution = %s, resolved_at = %s, revision = revision + 1 "
        "WHERE id = %s",
        (resolution, at, conflict_id),
    )


async def resolve_pairs(
    conn: AsyncConnection, pairs: Sequence[tuple[str, str]], at: datetime
) -> None:
    """Conflicts between employers that are one by now are over, by merging."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE link_conflicts c SET resolution = 'merge', resolved_at = %s, "
        "revision = c.revision + 1 FROM unnest(%s::text[], %s::text[]) AS p (a, b) "
        "WHERE c.resolved_at IS NULL AND (c.owner_id, c.employer_id) IN ((p.a, p.b), (p.b, p.a))",
        (at, [pair[0] for pair in pairs], [pair[1] for pair in pairs]),
    )


async def settle_parted(
    conn: AsyncConnection, keys: Collection[str], owner: str, other: str, at: datetime
) -> None:
    """Records that still name these keys together with those of ``other`` are no news: people
    have decided whose they are."""
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO link_conflicts (key, owner_id, employer_id, found_at, resolved_at, resolution)"
        " SELECT k, %s, %s, %s, %s, 'keep' FROM unnest(%s::text[]) AS t (k) "
        "ON CONFLICT (key, employer_id) DO UPDATE SET owner_id = EXCLUDED.owner_id, "
        "resolved_at = EXCLUDED.resolved_at, resolution = 'keep', "
        "revision = link_conflicts.revision + 1",
        (owner, other, at, at, sorted(keys)),
    )
