"""Statements about who is employed and not enrolled (O4), and about transfers (O81)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, Final, LiteralString

from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw

_GAPS: Final[LiteralString] = """
SELECT 'person-applications' AS source, a.natural_key AS key, p.person_id, a.unit, a.agency_no,
       a.employed_from, a.effective_on AS enrolled_on
  FROM person_applications a LEFT JOIN persons p ON p.person_key = a.person_key
 WHERE a.action IN ('enrol', 'transfer-in') AND a.employed_from < a.effective_on
UNION ALL
SELECT 'officer-applications', o.application_id, NULL, o.unit, o.agency_no, o.employed_from, NULL
  FROM officer_applications o
 WHERE o.feed = 'person-applications' AND o.state = 'pending'
   AND o.action IN ('enrol', 'transfer-in') AND o.employed_from IS NOT NULL
UNION ALL
SELECT 'census-persons', c.natural_key, p.person_id, c.unit, NULL, c.found_on,
       CASE WHEN p.status <> 'ended' THEN greatest(p.enrolled_on, c.found_on) END
  FROM census_persons c LEFT JOIN persons p ON p.person_key = c.person_key
 WHERE NOT c.void AND c.eligible IS NOT FALSE
   AND (c.employer_name IS NOT NULL OR c.org_code IS NOT NULL OR c.licence_no IS NOT NULL)
   AND (p.status IS NULL OR p.status = 'ended' OR p.enrolled_on > c.found_on)
"""
"""Everyone known to be employed before they were insured: by applications that say since when, by
those that wait for a decision, and by what the census found (employed on that day at the latest,
and not against age).
Who was enrolled later stays as a closed gap."""

_DAYED: Final[LiteralString] = (
    "SELECT g.*, (g.enrolled_on IS NULL OR g.enrolled_on > %(as_of)s) AS open, "
    "least(coalesce(g.enrolled_on, %(as_of)s), %(as_of)s) - g.employed_from AS days "
    "FROM (" + _GAPS + ") AS g WHERE g.employed_from <= %(as_of)s "
    "AND (%(units)s::text[] IS NULL OR g.unit = ANY(%(units)s))"
)


def _params(units: Collection[str] | None, as_of: date) -> dict[str, Any]:
    return {"units": None if units is None else sorted(units), "as_of": as_of}


async def list_gaps(
    conn: AsyncConnection,
    *,
    units: Collection[str] | None,
    as_of: date,
    open_only: bool | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Gaps by source and key. ``open_only`` None means open and closed ones."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT * FROM ({_DAYED}) AS d WHERE (%(open)s::bool IS NULL OR open = %(open)s) "
            "AND (%(source)s::text IS NULL OR (source, key) > (%(source)s, %(key)s)) "
            "ORDER BY source, key LIMIT %(limit)s",
            {
                **_params(units, as_of),
                "open": open_only,
                "source": after[0] if after else None,
                "key": after[1] if after else None,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def count_gaps(
    conn: AsyncConnection, *, units: Collection[str] | None, as_of: date
) -> list[dict[str, Any]]:
    """Gaps per unit; the same rows as ``list_gaps``."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT unit, count(*) FILTER (WHERE open) AS open_count, "
            "count(*) FILTER (WHERE NOT open) AS closed_count, max(days) AS most_days "
            f"FROM ({_DAYED}) AS d GROUP BY unit ORDER BY unit",
            _params(units, as_of),
        )
        return await cursor.fetchall()


async def list_transfers(
    conn: AsyncConnection,
    *,
    units: Collection[str] | None,
    province: str,
    within_province: bool | None,
    after: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Transfers from and to other cities, by number of the application."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT * FROM (SELECT a.natural_key AS application_no, p.person_id, a.action, "
            "a.unit, a.other_place, a.applied_on, a.effective_on, "
            "left(a.other_place, 2) = %(province)s AS within_province "
            "FROM person_applications a LEFT JOIN persons p ON p.person_key = a.person_key "
            "WHERE a.action IN ('transfer-in', 'transfer-out') "
            "AND (%(units)s::text[] IS NULL OR a.unit = ANY(%(units)s))) AS t "
            "WHERE (%(within)s::bool IS NULL OR within_province = %(within)s) "
            "AND (%(after)s::text IS NULL OR application_no > %(after)s) "
            "ORDER BY application_no LIMIT %(limit)s",
            {
                "units": None if units is None else sorted(units),
                "province": province,
                "within": within_province,
                "after": after,
                "limit": limit,
            },
        )
        return await cursor.fetchall()
