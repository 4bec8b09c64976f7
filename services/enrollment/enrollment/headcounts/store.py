"""Every SQL statement of headcounts. Nothing is kept here: rows follow from what leads rest on.

A row is an employer and a month for which the tax office told a headcount, or in which the census
found someone there. What was corrected, withdrawn or told of another employer since counts
nowhere. All three sides come from one query, so that lists and sums cannot disagree; it goes
employer by employer, in order (``OFFSET 0`` keeps it so), so that a page costs its own rows.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads.rules import FOUND, WORD_OF
from shared.database import raw

_CURRENT = """l.what NOT IN ('gone', 'excluded') AND NOT EXISTS (
    SELECT 1 FROM lead_events n WHERE n.employer_id = l.employer_id
    AND n.subject = l.subject AND n.revision > l.revision)"""

_MONTH = """CASE WHEN l.period <> '' THEN left(l.period, 7)
                ELSE to_char(l.effective_on, 'YYYY-MM') END"""

_ROWS = f"""
WITH sides AS (
    SELECT e.employer_id, k.month, coalesce(r.name, e.name) AS employer_name,
           coalesce(r.unit, e.unit) AS unit, r.employer_id IS NOT NULL AS in_register,
           coalesce(r.active_count, 0) AS register_active,
           t.taxable, coalesce(t.insured, a.active) AS contributing,
           CASE WHEN t.insured IS NULL THEN 'register' ELSE 'tax' END AS contributing_from,
           t.feed AS taxable_feed, t.recorded_at AS taxable_told_at,
           t.delivery_id::text AS taxable_delivery_id, t.record_no AS taxable_record_no,
           f.entries AS found_entries, f.persons AS found_persons, f.missing AS found_missing,
           f.told_at AS found_told_at
    FROM (
        SELECT employer_id, name, unit FROM employers
        WHERE (%(employer)s::text IS NULL OR employer_id = %(employer)s)
          AND (%(after)s::text IS NULL OR employer_id > %(after)s)
        ORDER BY employer_id OFFSET 0
    ) e
    CROSS JOIN LATERAL (
        SELECT DISTINCT {_MONTH} AS month,
               (to_date({_MONTH}, 'YYYY-MM') + interval '1 month - 1 day')::date AS last_on
        FROM lead_events l
        WHERE l.employer_id = e.employer_id
          AND (l.period <> '' OR l.feed = 'census-persons') AND {_CURRENT}
          AND (%(month)s::text IS NULL OR {_MONTH} = %(month)s)
    ) k
    LEFT JOIN register_employers r
           ON r.employer_id = e.employer_id AND r.status <> 'ended'
    LEFT JOIN LATERAL (
        SELECT l.taxable, l.insured, l.feed, l.recorded_at, l.delivery_id, l.record_no
        FROM lead_events l
        WHERE l.employer_id = e.employer_id AND l.period <> '' AND left(l.period, 7) = k.month
          AND {_CURRENT}
        ORDER BY l.period DESC, array_position(%(word_of)s::text[], l.feed) DESC NULLS LAST,
                 l.recorded_at DESC, l.subject
        LIMIT 1
    ) t ON true
    -- Active on the month's last day, from those active now: without whoever came since, with
    -- whoever left since.
    CROSS JOIN LATERAL (
        SELECT coalesce((SELECT n.active_count FROM register_employers n
                         WHERE n.employer_id = e.employer_id), 0)
             - (SELECT count(*) FROM persons p WHERE p.employer_id = e.employer_id
                AND p.effective_on > k.last_on AND p.status = 'active')
             + (SELECT count(*) FROM person_spells s WHERE s.employer_id = e.employer_id
                AND s.status = 'active' AND s.known_to IS NULL
                AND s.from_on <= k.last_on AND (s.to_on IS NULL OR s.to_on > k.last_on)) AS active
    ) a
    CROSS JOIN LATERAL (
        SELECT count(*) AS entries, count(DISTINCT c.person_key) AS persons,
               count(DISTINCT c.person_key) FILTER (WHERE p.person_key IS NULL) AS missing,
               max(l.recorded_at) AS told_at
        FROM lead_events l
        JOIN census_persons c ON c.natural_key = substr(l.subject, %(found)s)
        LEFT JOIN persons p ON p.person_key = c.person_key
             AND p.employer_id = l.employer_id AND p.status = 'active'
        WHERE l.employer_id = e.employer_id AND l.feed = 'census-persons'
          AND to_char(l.effective_on, 'YYYY-MM') <= k.month AND {_CURRENT}
    ) f
), rows AS (
    SELECT *, greatest(0, coalesce(taxable - contributing, 0), found_missing) AS gap,
           CASE WHEN greatest(coalesce(taxable - contributing, 0), found_missing) <= 0 THEN 'none'
                WHEN coalesce(taxable - contributing, 0) >= found_missing
                THEN 'taxable-over-contributing' ELSE 'found-by-census' END AS cause,
           least(taxable, CASE WHEN taxable IS NOT NULL THEN contributing END) AS deductible
    FROM sides
    WHERE (%(units)s::text[] IS NULL OR unit = ANY(%(units)s))
)
"""


def _asked(**given: Any) -> dict[str, Any]:
    return {
        "employer": None,
        "after": None,
        "month": None,
        "units": None,
        "word_of": list(WORD_OF),
        "found": len(FOUND) + 1,
        **given,
    }


async def list_headcounts(
    conn: AsyncConnection,
    *,
    month: str,
    units: Collection[str] | None,
    gap_at_least: int | None,
    cause: str | None,
    after: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Employers of a month by id. ``units`` None means every unit."""
    asked = _asked(
        month=month,
        units=None if units is None else sorted(units),
        after=after,
        gap=gap_at_least,
        cause=cause,
        limit=limit,
    )
    query = (
        f"{_ROWS} SELECT * FROM rows WHERE (%(gap)s::int IS NULL OR gap >= %(gap)s) "
        "AND (%(cause)s::text IS NULL OR cause = %(cause)s) ORDER BY employer_id LIMIT %(limit)s"
    )
    return await _fetch(conn, query, asked)


async def months_of(conn: AsyncConnection, employer_id: str) -> list[dict[str, Any]]:
    """The employer's months, oldest first."""
    return await _fetch(
        conn, f"{_ROWS} SELECT * FROM rows ORDER BY month", _asked(employer=employer_id)
    )


async def sum_headcounts(
    conn: AsyncConnection, *, month: str | None, units: Collection[str] | None, threshold: int
) -> list[dict[str, Any]]:
    """Counts and sums by month and unit; ``with_gap`` counts gaps of at least ``threshold``."""
    asked = _asked(month=month, units=None if units is None else sorted(units), threshold=threshold)
    query = f"""{_ROWS}
        SELECT month, unit, count(*) AS employers,
               coalesce(sum(taxable), 0)::bigint AS taxable,
               coalesce(sum(contributing), 0)::bigint AS contributing,
               coalesce(sum(found_persons), 0)::bigint AS found_persons,
               count(*) FILTER (WHERE gap >= %(threshold)s) AS with_gap,
               coalesce(sum(gap) FILTER (WHERE gap >= %(threshold)s), 0)::bigint AS gap,
               count(*) FILTER (WHERE cause = 'taxable-over-contributing')
                   AS taxable_over_contributing,
               count(*) FILTER (WHERE cause = 'found-by-census') AS found_by_census
        FROM rows GROUP BY month, unit ORDER BY month, unit"""
    return await _fetch(conn, query, asked)


async def unit_of(conn: AsyncConnection, employer_id: str) -> str | None:
    """The unit the employer belongs to, None where there is no such employer."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT coalesce(r.unit, e.unit) FROM employers e LEFT JOIN register_employers r "
        "ON r.employer_id = e.employer_id AND r.status <> 'ended' WHERE e.employer_id = %s",
        (employer_id,),
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def _fetch(conn: AsyncConnection, query: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, asked)
        return await cursor.fetchall()
