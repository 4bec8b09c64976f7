"""Every SQL statement of the golden record; those that only show it in ``asking``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.golden import models
from enrollment.golden.rules import STRUCK_OFF, Outside, Sighting
from shared.copying import copy_into, stage_into
from shared.database import raw

_COLUMNS = Sighting._fields
_READ = ", ".join("delivery_id::text" if name == "delivery_id" else name for name in _COLUMNS)


async def of_subjects(conn: AsyncConnection, subjects: Collection[str]) -> list[Sighting]:
    """What is known of these subjects."""
    return await _sightings(conn, "subject = ANY(%s)", subjects)


async def around(conn: AsyncConnection, employers: Collection[str]) -> list[Sighting]:
    """All that is known of these employers."""
    return await _sightings(conn, "employer_id = ANY(%s)", employers)


async def of_nobody(conn: AsyncConnection, keys: Collection[str]) -> list[Sighting]:
    """What carries one of these keys and is of no known employer."""
    return await _sightings(conn, "employer_id IS NULL AND key = ANY(%s)", keys)


async def _sightings(
    conn: AsyncConnection, condition: LiteralString, asked: Collection[str]
) -> list[Sighting]:
    if not asked:
        return []
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT {_READ} FROM sightings WHERE {condition}", (list(asked),)
    )
    return [Sighting._make(row) for row in await cursor.fetchall()]


async def insert_sightings(conn: AsyncConnection, rows: Sequence[Sighting]) -> None:
    """Subjects nobody has told of; the caller sees to it that nobody else does meanwhile."""
    if rows:
        await copy_into(conn, models.sightings, _COLUMNS, map(_with_uuid, rows))


async def write_sightings(conn: AsyncConnection, rows: Iterable[Sighting]) -> None:
    """Bring subjects to their latest state; a state older than what is known changes nothing."""
    await stage_into(conn, "stage_sightings", models.sightings, _COLUMNS, map(_with_uuid, rows))
    driver = await raw(conn)
    names = ", ".join(_COLUMNS)
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in _COLUMNS[1:])
    await driver.execute(
        f"INSERT INTO sightings AS s ({names}) SELECT {names} FROM stage_sightings "
        f"ORDER BY subject ON CONFLICT (subject) DO UPDATE SET {sets} "
        "WHERE EXCLUDED.revision >= s.revision"
    )


async def move_sightings(
    conn: AsyncConnection, moves: Mapping[str, str], keys: Collection[str] | None
) -> None:
    """What is told of old employers is of the new from now on; see ``intake.move``."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE sightings s SET employer_id = m.new "
        "FROM unnest(%s::text[], %s::text[]) AS m (old, new) WHERE s.employer_id = m.old "
        "AND (%s::text[] IS NULL OR s.key = ANY(%s) AND s.subject NOT LIKE 'register:%%')",
        (
            list(moves),
            list(moves.values()),
            None if keys is None else list(keys),
            None if keys is None else list(keys),
        ),
    )


async def told_of(conn: AsyncConnection, employers: Collection[str]) -> list[dict[str, Any]]:
    """Everything any department tells of these employers, by employer, feed and subject."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT {_READ} FROM sightings WHERE employer_id = ANY(%s) AND status <> 'withdrawn' "
            "ORDER BY employer_id, feed, subject",
            (list(employers),),
        )
        return await cursor.fetchall()


def _with_uuid(row: Sighting) -> tuple[Any, ...]:
    return (*row[:-2], None if row[-2] is None else _uuid(row[-2]), row[-1])


@lru_cache(maxsize=256)
def _uuid(text: str) -> UUID:
    """Many records, few deliveries."""
    return UUID(text)


class Shown(NamedTuple):
    """How an employer is named elsewhere."""

    name: str
    unit: str


async def shown_of(conn: AsyncConnection, employers: Collection[str]) -> dict[str, Shown]:
    """Employer → the name and unit it goes by."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT employer_id, name, unit FROM employers WHERE employer_id = ANY(%s)",
        (list(employers),),
    )
    return {row[0]: Shown(row[1], row[2]) for row in await cursor.fetchall()}


async def outside_of(conn: AsyncConnection, employers: Collection[str]) -> dict[str, Outside]:
    """Employer → what bears on its conflicts beside sightings, for those that have any of it."""
    driver = await raw(conn)
    wanted = list(employers)
    cursor = await driver.execute(
        "SELECT employer_id, active_count FROM register_employers "
        "WHERE employer_id = ANY(%s) AND active_count > 0",
        (wanted,),
    )
    active: dict[str, int] = dict(await cursor.fetchall())
    cursor = await driver.execute(
        "SELECT employer_id, key, owner_id FROM link_conflicts "
        "WHERE employer_id = ANY(%s) AND resolved_at IS NULL",
        (wanted,),
    )
    foreign: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for employer, key, owner in await cursor.fetchall():
        foreign[employer].append((key, owner))
    return {
        employer: Outside(active.get(employer, 0), foreign.get(employer, ()))
        for employer in {*active, *foreign}
    }


async def struck_off(conn: AsyncConnection, employers: Collection[str]) -> list[str]:
    """Which of the employers any office has struck off."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT DISTINCT employer_id FROM sightings "
        f"WHERE employer_id = ANY(%s) AND status = '{STRUCK_OFF}'",
        (list(employers),),
    )
    return [row[0] for row in await cursor.fetchall()]


class Kept(NamedTuple):
    """A conflict as it is kept."""

    kind: str
    unit: str
    status: str
    digest: str


async def conflicts_kept(
    conn: AsyncConnection, employers: Collection[str]
) -> dict[str, dict[str, Kept]]:
    """Employer → kind → conflict, those gone included."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT employer_id, kind, unit, status, digest FROM record_conflicts "
        "WHERE employer_id = ANY(%s)",
        (list(employers),),
    )
    found: dict[str, dict[str, Kept]] = defaultdict(dict)
    for employer, *row in await cursor.fetchall():
        found[employer][row[0]] = Kept._make(row)
    return found


class ConflictState(NamedTuple):
    """What becomes of a conflict."""

    employer_id: str
    kind: str
    unit: str
    status: str
    evidence: list[dict[str, str]]
    digest: str


async def write_conflicts(
    conn: AsyncConnection, rows: Sequence[ConflictState], changed_at: datetime
) -> None:
    """Bring conflicts to their state; one that is opened anew forgets who set it aside."""
    if not rows:
        return
    driver = await raw(conn)
    async with driver.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO record_conflicts AS c (employer_id, kind, unit, status, evidence, digest, "
            "version, found_at, changed_at) VALUES (%s, %s, %s, %s, %s, %s, 1, %s, %s) "
            "ON CONFLICT (employer_id, kind) DO UPDATE SET unit = EXCLUDED.unit, "
            "status = EXCLUDED.status, evidence = EXCLUDED.evidence, digest = EXCLUDED.digest, "
            "version = c.version + 1, changed_at = EXCLUDED.changed_at, "
            "found_at = CASE WHEN c.status = 'gone' THEN EXCLUDED.found_at ELSE c.found_at END, "
            "set_aside_at = CASE WHEN EXCLUDED.status = 'set-aside' THEN c.set_aside_at END, "
            "set_aside_by = CASE WHEN EXCLUDED.status = 'set-aside' THEN c.set_aside_by END, "
            "reason = CASE WHEN EXCLUDED.status = 'set-aside' THEN c.reason END",
            [
                (*row[:4], Jsonb(row.evidence), row.digest, changed_at, changed_at)
                for row in sorted(rows, key=lambda row: row[:2])
            ],
        )


async def write_history(
    conn: AsyncConnection,
    rows: Sequence[tuple[str, str, str, Sighting]],
    until: datetime,
) -> None:
    """(employer, field, value, who had said it): values another has taken the place of."""
    if not rows:
        return
    driver = await raw(conn)
    async with driver.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO record_history (employer_id, field, value, department, feed, subject, "
            "revision, effective_on, recorded_at, delivery_id, record_no, until) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    employer,
                    field,
                    value,
                    who.department,
                    who.feed,
                    who.subject,
                    who.revision,
                    who.effective_on,
                    who.recorded_at,
                    who.delivery_id,
                    who.record_no,
                    until,
                )
                for employer, field, value, who in rows
            ],
        )
