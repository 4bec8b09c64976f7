"""Statements about officers' applications and about refusals that were not allowed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw

_SHOWN: Final[LiteralString] = (
    "application_id, version, feed, application_no, action, unit, applied_on, effective_on, "
    "employed_from, agency_no, state, maker, made_at, checker, decided_at, reason, note, "
    "delivery_id::text"
)


async def insert_application(conn: AsyncConnection, row: Mapping[str, Any]) -> bool:
    """Keep a new application, pending; False when its number is taken."""
    driver = await raw(conn)
    names = ", ".join(row)
    values = ", ".join(f"%({name})s" for name in row)
    cursor = await driver.execute(
        f"INSERT INTO officer_applications ({names}) VALUES ({values}) "
        "ON CONFLICT (feed, application_no) DO NOTHING",
        dict(row),
    )
    return cursor.rowcount == 1


async def take_decision(own: psycopg.AsyncConnection[tuple[Any, ...]], application_id: str) -> bool:
    """Whether the decision on the application is this connection's, until it is closed; False
    while it is another's."""
    cursor = await own.execute(
        "SELECT pg_try_advisory_lock(hashtextextended('officer-application/' || %s::text, 0))",
        (application_id,),
    )
    return await cursor.fetchone() == (True,)


async def find_application(conn: AsyncConnection, application_id: str) -> dict[str, Any] | None:
    """The application with its sealed record."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT {_SHOWN}, sealed FROM officer_applications WHERE application_id = %s",
            (application_id,),
        )
        return await cursor.fetchone()


async def list_applications(
    conn: AsyncConnection,
    *,
    units: Collection[str] | None,
    state: str | None,
    after: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Applications in the order they were made."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT {_SHOWN} FROM officer_applications "
            "WHERE (%(units)s::text[] IS NULL OR unit = ANY(%(units)s)) "
            "AND (%(state)s::text IS NULL OR state = %(state)s) "
            "AND (%(after)s::text IS NULL OR application_id > %(after)s) "
            "ORDER BY application_id LIMIT %(limit)s",
            {
                "units": None if units is None else sorted(units),
                "state": state,
                "after": after,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def decide(
    conn: AsyncConnection,
    application_id: str,
    *,
    state: str,
    checker: str,
    decided_at: datetime,
    reason: str | None,
    note: str | None,
    delivery_id: UUID | None,
) -> None:
    """Note the decision on an application; the caller has taken it (``take_decision``)."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE officer_applications SET state = %s, checker = %s, decided_at = %s, reason = %s, "
        "note = %s, delivery_id = %s, version = version + 1 WHERE application_id = %s",
        (state, checker, decided_at, reason, note, delivery_id, application_id),
    )


async def log_attempt(conn: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Keep a refusal that was not allowed."""
    driver = await raw(conn)
    names = ", ".join(row)
    values = ", ".join(f"%({name})s" for name in row)
    await driver.execute(f"INSERT INTO refusal_attempts ({names}) VALUES ({values})", dict(row))


async def list_attempts(
    conn: AsyncConnection, *, units: Collection[str] | None, after: int | None, limit: int
) -> list[dict[str, Any]]:
    """Refusals that were not allowed, oldest first."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT id, application_id, unit, officer, department, ground, said, attempted_at "
            "FROM refusal_attempts WHERE (%(units)s::text[] IS NULL OR unit = ANY(%(units)s)) "
            "AND (%(after)s::bigint IS NULL OR id > %(after)s) ORDER BY id LIMIT %(limit)s",
            {"units": None if units is None else sorted(units), "after": after, "limit": limit},
        )
        return await cursor.fetchall()


_APPLIED: Final[LiteralString] = (
    "SELECT 'person-applications' AS source, natural_key AS key, action, unit, applied_on, "
    "effective_on, (recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS decided_on "
    "FROM person_applications UNION ALL "
    "SELECT 'employer-applications', natural_key, action, unit, applied_on, effective_on, "
    "(recorded_at AT TIME ZONE 'Asia/Shanghai')::date FROM employer_applications UNION ALL "
    "SELECT 'officer-applications', application_id, action, unit, applied_on, effective_on, "
    "(decided_at AT TIME ZONE 'Asia/Shanghai')::date "
    "FROM officer_applications WHERE state <> 'approved'"
)
"""One row per application: those in the register, and officers' that are not or not yet; what an
officer's second person approved came into the register as an application like any other."""

_TAKEN: Final[LiteralString] = (
    "WITH taken AS (SELECT a.*, coalesce(decided_on, %(today)s) - applied_on AS days "
    f"FROM ({_APPLIED}) AS a WHERE (%(units)s::text[] IS NULL OR unit = ANY(%(units)s)) "
    "AND (%(from)s::date IS NULL OR applied_on >= %(from)s) "
    "AND (%(to)s::date IS NULL OR applied_on <= %(to)s)) "
)


@dataclass(frozen=True)
class Taken:
    """Which applications: of which units (None: all), applied for within which days; and the
    plan's limit in days, waited up to ``today``."""

    units: Collection[str] | None
    from_on: date | None
    to_on: date | None
    today: date
    limit_days: int

    @property
    def params(self) -> dict[str, Any]:
        return {
            "units": None if self.units is None else sorted(self.units),
            "from": self.from_on,
            "to": self.to_on,
            "today": self.today,
            "limit": self.limit_days,
        }


async def list_taken(
    conn: AsyncConnection,
    asked: Taken,
    *,
    decided: bool | None,
    late: bool | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """What ``days_taken`` counts, by where each came from and its number there."""
    source, key = after or (None, None)
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"{_TAKEN} SELECT *, days > %(limit)s AS late FROM taken "
            "WHERE (%(decided)s::bool IS NULL OR (decided_on IS NOT NULL) = %(decided)s) "
            "AND (%(late)s::bool IS NULL OR (days > %(limit)s) = %(late)s) "
            "AND (%(source)s::text IS NULL OR (source, key) > (%(source)s, %(key)s)) "
            "ORDER BY source, key LIMIT %(page)s",
            asked.params
            | {"decided": decided, "late": late, "source": source, "key": key, "page": limit},
        )
        return await cursor.fetchall()


async def days_taken(conn: AsyncConnection, asked: Taken) -> list[dict[str, Any]]:
    """Per unit: applications applied for within the days, how many are decided, the median and the
    ninth decile of the days that took, and how many took longer than the limit or wait longer."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"{_TAKEN} SELECT unit, count(*) AS count, count(decided_on) AS decided_count, "
            "count(*) FILTER (WHERE decided_on IS NULL) AS pending_count, "
            "percentile_disc(0.5) WITHIN GROUP (ORDER BY days) "
            "FILTER (WHERE decided_on IS NOT NULL) AS median_days, "
            "percentile_disc(0.9) WITHIN GROUP (ORDER BY days) "
            "FILTER (WHERE decided_on IS NOT NULL) AS p90_days, "
            "count(*) FILTER (WHERE decided_on IS NOT NULL AND days > %(limit)s) AS late_count, "
            "count(*) FILTER (WHERE decided_on IS NULL AND days > %(limit)s) AS overdue_count "
            "FROM taken GROUP BY unit ORDER BY unit",
            asked.params,
        )
        return await cursor.fetchall()
