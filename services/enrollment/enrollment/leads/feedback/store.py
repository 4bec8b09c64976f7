"""Every SQL statement of feedback."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw


class RowsWanted(NamedTuple):
    """Which records of a feed."""

    feed: str
    since: datetime | None = None
    """Recorded at or after, None from the beginning."""
    until: datetime | None = None
    """Recorded before."""
    units: Collection[str] | None = None


class RowShown(NamedTuple):
    """A record and what became of it."""

    delivery_id: str
    record_no: int
    subject: str
    unit: str
    recorded_at: datetime
    lead_id: str | None
    part: str | None
    """``opened`` or ``joined`` the lead."""
    outcome: str
    effect: str | None
    reasons: list[str]
    opened_on: date | None
    closed_on: date | None


class Tally(NamedTuple):
    """The same records counted, and their leads."""

    rows: int
    opened: int
    joined: int
    leads: int
    leads_enrolled: int
    days_median: float | None
    days_p90: float | None


# One state of one subject, as told; who was told of its leaving somebody else is not a record.
_TOLD = """
SELECT e.delivery_id, e.record_no, e.subject, e.revision, e.unit, e.recorded_at,
       {employer} AS employer_id, {person} AS person_key
FROM {table} AS e
WHERE e.feed = %(feed)s AND e.what NOT IN ({not_told}) AND e.delivery_id IS NOT NULL
  AND (%(since)s::timestamptz IS NULL OR e.recorded_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR e.recorded_at < %(until)s)
  AND (%(units)s::text[] IS NULL OR e.unit = ANY(%(units)s))
  AND (%(after_delivery)s::uuid IS NULL
       OR (e.delivery_id, e.record_no, e.subject)
          > (%(after_delivery)s::uuid, %(after_no)s, %(after_subject)s))
"""

_ROWS = (
    "WITH told AS ("
    + _TOLD.format(
        table="lead_events",
        employer="e.employer_id",
        person="NULL::text",
        not_told="'gone', 'excluded', 'entered', 'left'",
    )
    + " UNION ALL "
    + _TOLD.format(
        table="person_events",
        employer="NULL::text",
        person="e.person_key",
        not_told="'gone', 'excluded', 'entered', 'left', 'retired'",
    )
    + """), became AS (
    SELECT t.*, l.lead_id, l.opened_on, l.closed_on, w.effect,
           string_to_array(coalesce(w.reasons, ''), ',') AS reasons,
           CASE WHEN l.lead_id IS NOT NULL THEN
                CASE WHEN split_part(l.records, '#', 1) = t.subject
                     THEN 'opened' ELSE 'joined' END END AS part,
           CASE WHEN (t.delivery_id, t.record_no) IN (
                     SELECT delivery_id, record_no FROM link_conflicts
                     WHERE resolved_at IS NULL AND record_no IS NOT NULL) THEN 'held'
                WHEN l.lead_id IS NULL AND (EXISTS (
                     SELECT FROM register_employers r WHERE r.employer_id = t.employer_id
                     AND r.status <> 'ended') OR EXISTS (
                     SELECT FROM persons p WHERE p.person_key = t.person_key
                     AND p.status <> 'ended')) THEN 'already-enrolled'
                WHEN l.lead_id IS NULL THEN 'no-lead'
                WHEN l.status = 'closed' AND l.outcome = 'enrolled' THEN 'enrolled'
                WHEN w.effect = 'not-effective' THEN 'not-effective'
                ELSE 'in-progress' END AS outcome
    FROM told AS t
    LEFT JOIN LATERAL (
        SELECT * FROM leads
        WHERE (leads.employer_id = t.employer_id OR leads.person_key = t.person_key)
          AND NOT leads.void
          AND position(E'\\n' || t.subject || '#' IN E'\\n' || leads.records) > 0
        ORDER BY leads.kind DESC, leads.ordinal DESC LIMIT 1
    ) AS l ON true
    LEFT JOIN lead_worth w ON w.lead_id = l.lead_id
)
"""
)


def _params(wanted: RowsWanted, after: tuple[str, int, str] | None) -> dict[str, Any]:
    return {
        "feed": wanted.feed,
        "since": wanted.since,
        "until": wanted.until,
        "units": None if wanted.units is None else sorted(wanted.units),
        "after_delivery": None if after is None else after[0],
        "after_no": None if after is None else after[1],
        "after_subject": None if after is None else after[2],
    }


async def list_rows(
    conn: AsyncConnection,
    wanted: RowsWanted,
    *,
    outcome: str | None,
    part: str | None,
    after: tuple[str, int, str] | None,
    limit: int,
) -> list[RowShown]:
    """Records by delivery, number and subject, at most ``limit`` of those after it."""
    driver = await raw(conn)
    query = (
        f"{_ROWS} SELECT delivery_id::text, record_no, subject, unit, recorded_at, lead_id, part, "
        "outcome, effect, reasons, opened_on, closed_on FROM became AS b "
        "WHERE (%(outcome)s::text IS NULL OR outcome = %(outcome)s) "
        "AND (%(part)s::text IS NULL OR part = %(part)s) "
        "ORDER BY b.delivery_id, b.record_no, b.subject LIMIT %(limit)s"
    )
    params = {**_params(wanted, after), "outcome": outcome, "part": part, "limit": limit}
    cursor = await driver.execute(query.encode(), params)
    return [RowShown(*row) for row in await cursor.fetchall()]


async def outcomes(conn: AsyncConnection, wanted: RowsWanted) -> dict[str, int]:
    """Outcome → records."""
    driver = await raw(conn)
    query = f"{_ROWS} SELECT outcome, count(*) FROM became GROUP BY 1"
    cursor = await driver.execute(query.encode(), _params(wanted, None))
    return dict(await cursor.fetchall())


async def tally(conn: AsyncConnection, wanted: RowsWanted) -> Tally:
    """Records, the leads they led to, and how many days these took to enrol from the day the
    first of the records was told; none where the enrolment took effect before."""
    driver = await raw(conn)
    query = (
        f"{_ROWS}, of_leads AS (SELECT lead_id, outcome = 'enrolled' AS enrolled, greatest(0, "
        "closed_on - (min(recorded_at) AT TIME ZONE 'Asia/Shanghai')::date) AS days FROM became "
        "WHERE lead_id IS NOT NULL AND outcome <> 'held' GROUP BY lead_id, outcome, closed_on) "
        "SELECT (SELECT count(*) FROM became), "
        "(SELECT count(*) FROM became WHERE part = 'opened'), "
        "(SELECT count(*) FROM became WHERE part = 'joined'), "
        "count(*), count(*) FILTER (WHERE enrolled), "
        "percentile_cont(0.5) WITHIN GROUP (ORDER BY days) FILTER (WHERE enrolled), "
        "percentile_cont(0.9) WITHIN GROUP (ORDER BY days) FILTER (WHERE enrolled) FROM of_leads"
    )
    cursor = await driver.execute(query.encode(), _params(wanted, None))
    row = await cursor.fetchone()
    return Tally(*(row or (0, 0, 0, 0, 0, None, None)))
