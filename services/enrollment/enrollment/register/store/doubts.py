"""Statements about enrolments that the plan's ages or the employer's entry speak against (O67)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, LiteralString

from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.policy.rules.ages import DatedLimits
from shared.database import raw

# Full years on a day, by the calendar: 29 February is reached on 1 March in common years. The day
# of an upper limit is taken back by one where its birthday still counts.
_YEARS: Final[LiteralString] = (
    "(to_char(a.effective_on - {back}, 'YYYYMMDD')::int - to_char(p.birth_on, 'YYYYMMDD')::int)"
    " / 10000"
)
_AGE: Final[LiteralString] = _YEARS.replace("{back}", "0")
_AGE_OVER: Final[LiteralString] = _YEARS.replace("{back}", "l.birthday_included::int")

_DOUBTS: Final[LiteralString] = (
    """
WITH limits AS (
    SELECT * FROM unnest(%(from_on)s::date[], %(to_on)s::date[], %(lower)s::int[], %(man)s::int[],
        %(cadre)s::int[], %(worker)s::int[], %(migrant)s::int[], %(birthday)s::bool[])
        AS l (from_on, to_on, lower, man, cadre, worker, migrant, birthday_included)
), aged AS (
    SELECT a.natural_key, """
    + _AGE
    + """ < l.lower AS young, """
    + _AGE_OVER
    + """ AS years, l.*,
        CASE WHEN p.sex = 'M' THEN l.man
            WHEN p.worker_class = 'migrant' AND l.migrant IS NOT NULL THEN l.migrant
            WHEN p.post = 'cadre' THEN l.cadre WHEN p.post = 'worker' THEN l.worker
            END AS upper_limit
    FROM person_applications AS a JOIN persons AS p ON p.person_key = a.person_key
    JOIN limits AS l ON a.effective_on BETWEEN l.from_on AND l.to_on
    WHERE a.action IN ('enrol', 'transfer-in')
), doubts AS (
    SELECT natural_key, CASE WHEN young THEN 'too-young'
        WHEN years >= coalesce(upper_limit, greatest(cadre, worker)) THEN 'too-old'
        ELSE 'post-unknown' END AS finding
    FROM aged
    WHERE young OR years >= coalesce(upper_limit, least(cadre, worker))
    UNION ALL
    SELECT a.natural_key, 'employer-ended' FROM person_applications AS a
    JOIN register_employers AS r ON r.agency_no = a.agency_no
    WHERE a.action IN ('enrol', 'transfer-in') AND (
        r.status = 'ended' AND r.effective_on <= a.effective_on
        OR EXISTS (SELECT FROM employer_spells AS s WHERE s.employer_id = r.employer_id
            AND s.status = 'ended' AND s.known_to IS NULL AND s.from_on <= a.effective_on
            AND (s.to_on IS NULL OR s.to_on > a.effective_on)))
), told AS (
    SELECT a.natural_key AS application_no, d.finding, p.person_id, a.action, a.unit, a.agency_no,
        a.applied_on, a.effective_on, a.delivery_id::text, a.record_no
    FROM doubts AS d JOIN person_applications AS a USING (natural_key)
    LEFT JOIN persons AS p ON p.person_key = a.person_key
    WHERE %(units)s::text[] IS NULL OR a.unit = ANY(%(units)s)
)
"""
)


def _params(limits: Sequence[DatedLimits], units: Collection[str] | None) -> dict[str, Any]:
    return {
        "units": None if units is None else sorted(units),
        "from_on": [one.from_on for one in limits],
        "to_on": [one.to_on for one in limits],
        "lower": [one.limits.lower for one in limits],
        "man": [one.limits.man for one in limits],
        "cadre": [one.limits.woman_cadre for one in limits],
        "worker": [one.limits.woman_worker for one in limits],
        "migrant": [one.limits.woman_migrant for one in limits],
        "birthday": [one.limits.birthday_included for one in limits],
    }


async def list_doubts(
    conn: AsyncConnection,
    limits: Sequence[DatedLimits],
    *,
    units: Collection[str] | None,
    finding: str | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Enrolments with a finding, by number of the application and finding."""
    number, found = after or (None, None)
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _DOUBTS + "SELECT * FROM told WHERE (%(finding)s::text IS NULL OR finding = "
            "%(finding)s) AND (%(number)s::text IS NULL OR (application_no, finding) > "
            "(%(number)s, %(found)s)) ORDER BY application_no, finding LIMIT %(limit)s",
            _params(limits, units)
            | {"finding": finding, "number": number, "found": found, "limit": limit},
        )
        return await cursor.fetchall()


async def count_doubts(
    conn: AsyncConnection, limits: Sequence[DatedLimits], *, units: Collection[str] | None
) -> list[dict[str, Any]]:
    """The same, counted by unit and finding."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _DOUBTS + "SELECT unit, finding, count(*) AS count FROM told "
            "GROUP BY unit, finding ORDER BY unit, finding",
            _params(limits, units),
        )
        return await cursor.fetchall()
