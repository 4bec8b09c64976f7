"""Every SQL statement of coverage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads.store import HOUSEHOLD, OWNERSHIP, TRADE
from shared.database import raw


class Source(NamedTuple):
    """A feed the denominator rests on."""

    feed: str
    as_of: datetime
    """When its newest record was recorded."""
    leads: int
    """Of the leads counted as missing, those with a record of it."""


class Covered(NamedTuple):
    """Enrolled and missing of one group."""

    enrolled: int = 0
    missing: int = 0
    unknown: int = 0
    """Leads that say nothing of how many persons are missing."""


_OF_EMPLOYER: Mapping[str, str] = {
    "unit": "r.unit",
    "household": "CASE WHEN r.household THEN 'household' ELSE 'enterprise' END",
    "ownership": "r.ownership",
    "trade": "r.trade",
}
_OF_PERSON: Mapping[str, str] = {
    "unit": "p.unit",
    "household": "CASE WHEN r.household IS NULL THEN 'none' WHEN r.household THEN 'household' "
    "ELSE 'enterprise' END",
    "ownership": "p.ownership",
    "trade": "p.trade",
}
_OF_LEAD: Mapping[str, str] = {
    "unit": "l.unit",
    "household": HOUSEHOLD,
    "ownership": OWNERSHIP,
    "trade": TRADE,
}
_MISSING = (
    "FROM leads l JOIN lead_worth w ON w.lead_id = l.lead_id WHERE NOT l.void "
    "AND l.closed_on IS NULL AND w.effect <> 'not-effective' "
    "AND (%(units)s::text[] IS NULL OR l.unit = ANY(%(units)s))"
)


async def employers(
    conn: AsyncConnection, units: Collection[str] | None, by: str
) -> dict[str, Covered]:
    """Group → employers in the register, and those missing from it."""
    return await _covered(
        conn,
        units,
        f"SELECT {_OF_EMPLOYER[by]}, count(*) FROM register_employers r "
        "WHERE r.status <> 'ended' "
        "AND (%(units)s::text[] IS NULL OR r.unit = ANY(%(units)s)) GROUP BY 1",
        f"SELECT {_OF_LEAD[by]}, count(*), 0 {_MISSING} AND l.kind = 'unenrolled-employer' "
        "GROUP BY 1",
    )


async def persons(
    conn: AsyncConnection, units: Collection[str] | None, by: str
) -> dict[str, Covered]:
    """Group → persons active in the register, and those its leads would bring in."""
    join = (
        "LEFT JOIN register_employers r ON r.employer_id = p.employer_id"
        if by == "household"
        else ""
    )
    return await _covered(
        conn,
        units,
        f"SELECT {_OF_PERSON[by]}, count(*) FROM persons p {join} WHERE p.status = 'active' "
        "AND (%(units)s::text[] IS NULL OR p.unit = ANY(%(units)s)) GROUP BY 1",
        f"SELECT {_OF_LEAD[by]}, coalesce(sum(w.persons), 0)::bigint, "
        f"count(*) FILTER (WHERE w.persons IS NULL) {_MISSING} GROUP BY 1",
    )


async def _covered(
    conn: AsyncConnection, units: Collection[str] | None, enrolled: str, missing: str
) -> dict[str, Covered]:
    driver = await raw(conn)
    params: dict[str, Any] = {"units": None if units is None else sorted(units)}
    found: dict[str, Covered] = defaultdict(Covered)
    for key, count in await (await driver.execute(enrolled.encode(), params)).fetchall():
        found[key] = found[key]._replace(enrolled=count)
    for key, count, unknown in await (await driver.execute(missing.encode(), params)).fetchall():
        found[key] = found[key]._replace(missing=count, unknown=unknown)
    return dict(sorted(found.items()))


async def sources(conn: AsyncConnection, units: Collection[str] | None) -> list[Source]:
    """The feeds that the leads counted as missing rest on, each with its newest record."""
    driver = await raw(conn)
    query = f"""
        SELECT s.feed, newest.recorded_at, s.leads
        FROM (SELECT feed, count(*) AS leads
              FROM (SELECT string_to_table(l.sources, ',') AS feed {_MISSING}) AS f
              GROUP BY feed) AS s
        CROSS JOIN LATERAL (
            SELECT max(recorded_at) AS recorded_at FROM (
                (SELECT recorded_at FROM lead_events WHERE feed = s.feed
                 ORDER BY delivery_id DESC, record_no DESC LIMIT 1)
                UNION ALL
                (SELECT recorded_at FROM person_events WHERE feed = s.feed
                 ORDER BY delivery_id DESC, record_no DESC LIMIT 1)) AS e
        ) AS newest ORDER BY s.feed
    """
    params: dict[str, Any] = {"units": None if units is None else sorted(units)}
    cursor = await driver.execute(query.encode(), params)
    return [Source(*row) for row in await cursor.fetchall()]


async def frame(
    conn: AsyncConnection, units: Collection[str] | None
) -> tuple[int, datetime | None]:
    """Entries of the census frame and when its newest was recorded."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT count(*), max(recorded_at) FROM census_units u WHERE NOT void "
        "AND (%(units)s::text[] IS NULL OR u.unit = ANY(%(units)s))",
        {"units": None if units is None else sorted(units)},
    )
    row = await cursor.fetchone()
    return (0, None) if row is None else (row[0], row[1])
