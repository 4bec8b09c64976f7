"""What is read of golden records: every SQL statement that only asks."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw

_CONFLICTS = """
SELECT c.conflict_id, c.employer_id, e.name AS employer_name, c.unit, c.kind, c.status, c.evidence,
       c.version, c.found_at, c.changed_at, c.set_aside_at, c.set_aside_by, c.reason
FROM record_conflicts AS c JOIN employers AS e ON e.employer_id = c.employer_id
"""
_HISTORY = 100


async def find_shown(conn: AsyncConnection, employer_id: str) -> dict[str, Any] | None:
    """Id, name and unit of the employer."""
    rows = await _rows(
        conn, "SELECT employer_id, name, unit FROM employers WHERE employer_id = %s", [employer_id]
    )
    return rows[0] if rows else None


async def history_of(conn: AsyncConnection, employer_id: str) -> list[dict[str, Any]]:
    """Former values of all fields, newest first, at most 100 of each."""
    return await _rows(
        conn,
        "SELECT * FROM (SELECT field, value, department, feed, subject, revision, effective_on, "
        "recorded_at, delivery_id::text, record_no, until, "
        "row_number() OVER (PARTITION BY field ORDER BY id DESC) AS no "
        "FROM record_history WHERE employer_id = %s) AS h WHERE no <= %s ORDER BY field, no",
        [employer_id, _HISTORY],
    )


async def list_conflicts(
    conn: AsyncConnection,
    *,
    units: Collection[str] | None = None,
    kind: str | None = None,
    status: str | None = None,
    employer_id: str | None = None,
    after: int | None = None,
    limit: int = 1000,
) -> list[dict[str, Any]]:
    """Conflicts by id. ``units`` None means every unit."""
    where, values = _where(units, kind, status, employer_id)
    if after is not None:
        where.append("c.conflict_id > %s")
        values.append(after)
    return await _rows(
        conn,
        f"{_CONFLICTS} WHERE {' AND '.join(where)} ORDER BY c.conflict_id LIMIT %s",
        [*values, limit],
    )


async def count_conflicts(
    conn: AsyncConnection, *, units: Collection[str] | None, status: str
) -> list[dict[str, Any]]:
    """How many of each unit and kind ``list_conflicts`` has."""
    where, values = _where(units, None, status, None)
    return await _rows(
        conn,
        "SELECT c.unit, c.kind, count(*) FROM record_conflicts AS c "
        "JOIN employers AS e ON e.employer_id = c.employer_id "
        f"WHERE {' AND '.join(where)} GROUP BY 1, 2 ORDER BY 1, 2",
        values,
    )


async def find_conflict(
    conn: AsyncConnection, conflict_id: int, *, lock: bool = False
) -> dict[str, Any] | None:
    """One conflict; ``lock``: nobody else changes it until the transaction ends."""
    end = " FOR NO KEY UPDATE OF c" if lock else ""
    rows = await _rows(conn, f"{_CONFLICTS} WHERE c.conflict_id = %s{end}", [conflict_id])
    return rows[0] if rows else None


async def set_aside(
    conn: AsyncConnection, conflict_id: int, reason: str, by: str, at: datetime
) -> None:
    """An officer has looked at it. The caller holds its lock."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE record_conflicts SET status = 'set-aside', set_aside_at = %s, set_aside_by = %s, "
        "reason = %s, version = version + 1, changed_at = %s WHERE conflict_id = %s",
        (at, by, reason, at, conflict_id),
    )


def _where(
    units: Collection[str] | None, kind: str | None, status: str | None, employer_id: str | None
) -> tuple[list[str], list[Any]]:
    wanted: list[tuple[str, Any]] = [
        ("c.unit = ANY(%s)", None if units is None else sorted(units)),
        ("c.kind = %s", kind),
        ("c.status = %s", status),
        ("c.employer_id = %s", employer_id),
    ]
    given = [(clause, value) for clause, value in wanted if value is not None]
    return ["true", *(clause for clause, _ in given)], [value for _, value in given]


async def _rows(conn: AsyncConnection, query: str, values: list[Any]) -> list[dict[str, Any]]:
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()
