"""Every SQL statement about frozen frames, and of the progress counted against them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Final, LiteralString

from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.frames import models
from shared.database import raw

_COLUMNS: Final = tuple(column.name for column in models.census_frame_entries.columns)
_TOLD: Final = _COLUMNS[2:]


async def begin(conn: AsyncConnection) -> int:
    """The version about to be frozen; one at a time. The transaction's first statement."""
    driver = await raw(conn)
    await driver.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    await driver.execute("LOCK TABLE census_frames IN EXCLUSIVE MODE")
    cursor = await driver.execute("SELECT coalesce(max(version), 0) + 1 FROM census_frames")
    (version,) = await cursor.fetchone() or (1,)
    return int(version)


async def freeze_entries(conn: AsyncConnection, version: int) -> int:
    """Copy what stands in the frame now; returns how many entries."""
    driver = await raw(conn)
    told = ", ".join(_TOLD)
    cursor = await driver.execute(
        f"INSERT INTO census_frame_entries (version, entry, {told}) "
        f"SELECT %s, natural_key, {told} FROM census_units WHERE NOT void ORDER BY natural_key",
        (version,),
    )
    return cursor.rowcount


async def entries_digest(conn: AsyncConnection, version: int) -> str:
    """SHA-256 over the entries in their order, each its columns' texts, empty for none, with tabs
    between, each with a newline: whoever has the entries can work it out again."""
    told = ", ".join(f"coalesce({name}::text, '')" for name in _COLUMNS)
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT encode(sha256(convert_to(coalesce(string_agg(concat_ws(E'\\t', {told}) || E'\\n', "
        "'' ORDER BY entry COLLATE \"C\"), ''), 'UTF8')), 'hex') "
        "FROM census_frame_entries WHERE version = %s",
        (version,),
    )
    (digest,) = await cursor.fetchone() or ("",)
    return str(digest)


async def keep_frame(
    conn: AsyncConnection,
    version: int,
    *,
    name: str,
    frozen_at: datetime,
    frozen_by: str,
    entry_count: int,
    sha256: str,
) -> None:
    """The version itself."""
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO census_frames (version, name, frozen_at, frozen_by, entry_count, sha256) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        (version, name, frozen_at, frozen_by, entry_count, sha256),
    )


_FRAME: Final[LiteralString] = (
    "SELECT version, name, frozen_at, frozen_by, entry_count, sha256 FROM census_frames "
)


async def list_frames(
    conn: AsyncConnection, before: int | None, limit: int
) -> list[dict[str, Any]]:
    """Versions, the latest first."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _FRAME + "WHERE %(before)s::int IS NULL OR version < %(before)s "
            "ORDER BY version DESC LIMIT %(limit)s",
            {"before": before, "limit": limit},
        )
        return await cursor.fetchall()


async def find_frame(conn: AsyncConnection, version: int | None) -> dict[str, Any] | None:
    """A version, or the latest one."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _FRAME + "WHERE %(version)s::int IS NULL OR version = %(version)s "
            "ORDER BY version DESC LIMIT 1",
            {"version": version},
        )
        return await cursor.fetchone()


_DONE: Final[LiteralString] = "(u.visited AND u.visited_on <= %(to)s)"

_FROZEN: Final[LiteralString] = f"""
SELECT f.unit, f.street, count(*) AS frame, count(*) FILTER (WHERE {_DONE}) AS visited,
    count(*) FILTER (WHERE {_DONE} AND u.outcome = 'refused') AS refused,
    coalesce(sum(u.persons_found) FILTER (WHERE {_DONE}), 0)::bigint AS counted_on_visits,
    count(*) FILTER (WHERE u.void) AS gone, 0 AS outside, 0 AS outside_visited
FROM census_frame_entries AS f LEFT JOIN census_units AS u ON u.natural_key = f.entry
WHERE f.version = %(version)s AND (%(units)s::text[] IS NULL OR f.unit = ANY(%(units)s))
GROUP BY f.unit, f.street
UNION ALL
SELECT u.unit, u.street, 0, 0, 0, 0, 0, count(*), count(*) FILTER (WHERE {_DONE})
FROM census_units AS u WHERE NOT u.void
    AND (%(units)s::text[] IS NULL OR u.unit = ANY(%(units)s)) AND NOT EXISTS (
    SELECT FROM census_frame_entries AS f
    WHERE f.version = %(version)s AND f.entry = u.natural_key)
GROUP BY u.unit, u.street
"""
_LIVE: Final[LiteralString] = f"""
SELECT u.unit, u.street, count(*) AS frame, count(*) FILTER (WHERE {_DONE}) AS visited,
    count(*) FILTER (WHERE {_DONE} AND u.outcome = 'refused') AS refused,
    coalesce(sum(u.persons_found) FILTER (WHERE {_DONE}), 0)::bigint AS counted_on_visits,
    0 AS gone, 0 AS outside, 0 AS outside_visited
FROM census_units AS u
WHERE NOT u.void AND (%(units)s::text[] IS NULL OR u.unit = ANY(%(units)s))
GROUP BY u.unit, u.street
"""
_FOUND: Final[LiteralString] = """
SELECT unit, street, reason, count(*) AS found, count(*) FILTER (WHERE eligible) AS eligible,
    count(*) FILTER (WHERE can_pay) AS able_to_pay,
    count(*) FILTER (WHERE eligible AND can_pay) AS eligible_able_to_pay
FROM census_persons WHERE NOT void AND found_on <= %(to)s
    AND (%(units)s::text[] IS NULL OR unit = ANY(%(units)s))
GROUP BY unit, street, reason
"""


async def progress_rows(
    conn: AsyncConnection, version: int | None, units: Collection[str] | None, to: date
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(frame and visits by street, persons found by street and reason), up to a day. ``version``
    None counts against the frame as it stands now."""
    driver = await raw(conn)
    asked = {"version": version, "units": _listed(units), "to": to}
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_LIVE if version is None else _FROZEN, asked)
        visits = await cursor.fetchall()
        await cursor.execute(_FOUND, asked)
        return visits, await cursor.fetchall()


async def days(
    conn: AsyncConnection, version: int | None, units: Collection[str] | None, to: date
) -> list[dict[str, Any]]:
    """Entries of the frame by the day of their (last) visit, persons by the day found."""
    driver = await raw(conn)
    inside = (
        "AND (%(version)s::int IS NULL OR EXISTS (SELECT FROM census_frame_entries AS f "
        "WHERE f.version = %(version)s AND f.entry = u.natural_key))"
    )
    scope = "(%(units)s::text[] IS NULL OR unit = ANY(%(units)s))"
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            'SELECT "on", sum(visited)::bigint AS visited, sum(found)::bigint AS found FROM ('
            'SELECT visited_on AS "on", count(*) AS visited, 0 AS found FROM census_units AS u '
            f"WHERE {_DONE} AND {scope} {inside} GROUP BY visited_on UNION ALL "
            "SELECT found_on, 0, count(*) FROM census_persons "
            f"WHERE NOT void AND found_on <= %(to)s AND {scope} GROUP BY found_on"
            ') AS told GROUP BY "on" ORDER BY "on"',
            {"version": version, "units": _listed(units), "to": to},
        )
        return await cursor.fetchall()


_ENTRY: Final[LiteralString] = """
SELECT f.entry, f.unit, f.street, f.community, f.kind, f.name, f.org_code, f.licence_no,
    coalesce(u.visited, false) AS visited, u.visited_on, u.visitor, u.outcome,
    coalesce(u.persons_found, 0) AS persons_found, coalesce(u.void, false) AS gone
FROM census_frame_entries AS f LEFT JOIN census_units AS u ON u.natural_key = f.entry
WHERE f.version = %(version)s
"""
_OUTSIDE: Final[LiteralString] = """
SELECT u.natural_key AS entry, u.unit, u.street, u.community, u.kind, u.name, u.org_code,
    u.licence_no, u.visited, u.visited_on, u.visitor, u.outcome, u.persons_found, false AS gone
FROM census_units AS u WHERE NOT u.void AND NOT EXISTS (SELECT FROM census_frame_entries AS f
    WHERE f.version = %(version)s AND f.entry = u.natural_key)
"""


async def list_entries(
    conn: AsyncConnection,
    version: int,
    equal: Mapping[str, Any],
    units: Collection[str] | None,
    *,
    outside: bool,
    visited_from: date | None,
    visited_to: date | None,
    after: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Entries of the version with their visits, or those outside it, by entry. ``visited_from``
    and ``visited_to`` leave only entries visited in between."""
    wanted = [f"{name} = %({name})s" for name, value in equal.items() if value is not None]
    wanted += ["unit = ANY(%(units)s)"] if units is not None else []
    wanted += ["visited AND visited_on >= %(from)s"] if visited_from is not None else []
    wanted += ["visited AND visited_on <= %(to)s"] if visited_to is not None else []
    wanted += ["entry > %(after)s"] if after is not None else []
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT * FROM ({_OUTSIDE if outside else _ENTRY}) AS e "
            f"WHERE {' AND '.join(wanted) or 'true'} ORDER BY entry LIMIT %(limit)s",
            {
                **equal,
                "version": version,
                "units": _listed(units),
                "from": visited_from,
                "to": visited_to,
                "after": after,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


_CHANGES: Final[LiteralString] = """
SELECT entry, coalesce(b.unit, a.unit) AS unit, a.street AS street_before, b.street AS street_after,
    a.kind AS kind_before, b.kind AS kind_after,
    CASE WHEN a.unit IS NULL THEN 'added' WHEN b.unit IS NULL THEN 'removed'
        WHEN (a.street, a.community) IS DISTINCT FROM (b.street, b.community) THEN 'moved'
        ELSE 'changed' END AS change
FROM (SELECT * FROM census_frame_entries WHERE version = %(earlier)s) AS a
FULL JOIN (SELECT * FROM census_frame_entries WHERE version = %(later)s) AS b USING (entry)
WHERE (a.unit, a.street, a.community, a.kind, a.name, a.org_code, a.licence_no)
    IS DISTINCT FROM (b.unit, b.street, b.community, b.kind, b.name, b.org_code, b.licence_no)
    AND (%(units)s::text[] IS NULL OR coalesce(b.unit, a.unit) = ANY(%(units)s))
"""


async def count_changes(
    conn: AsyncConnection, earlier: int, later: int, units: Collection[str] | None
) -> list[dict[str, Any]]:
    """Entries added, removed, moved to another street or community, otherwise changed; by unit."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT unit, change, count(*) AS entries FROM ({_CHANGES}) AS c "
            "GROUP BY unit, change ORDER BY unit, change",
            {"earlier": earlier, "later": later, "units": _listed(units)},
        )
        return await cursor.fetchall()


async def list_changes(
    conn: AsyncConnection,
    earlier: int,
    later: int,
    units: Collection[str] | None,
    change: str | None,
    after: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Which entries, by entry after ``after``."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT * FROM ({_CHANGES}) AS c "
            "WHERE (%(change)s::text IS NULL OR change = %(change)s) "
            "AND (%(after)s::text IS NULL OR entry > %(after)s) ORDER BY entry LIMIT %(limit)s",
            {
                "earlier": earlier,
                "later": later,
                "units": _listed(units),
                "change": change,
                "after": after,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


def _listed(units: Collection[str] | None) -> list[str] | None:
    return None if units is None else sorted(units)
