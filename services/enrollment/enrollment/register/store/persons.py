"""Statements about insured persons."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.register import models
from enrollment.register.rules import Person
from shared.copying import copy_into, stage_into
from shared.database import raw
from shared.deliveries.state import STANDING_SEQ

_COLUMNS = (
    "person_key",
    "person_id",
    "revision",
    "delivery_id",
    "record_no",
    "recorded_at",
    "effective_on",
    "as_at",
    "sealed",
    "birth_on",
    "sex",
    *Person._fields,
    "entry",
)


@dataclass(slots=True)
class PersonVersion:
    """The current version of a person, as a chunk goes through its records."""

    person_id: str
    """Empty for one not yet minted."""
    revision: int
    delivery_id: str
    record_no: int
    as_at: date | None
    effective_on: date
    state: Person
    seq: int = 0
    """Order of acceptance of its delivery; 0 unless asked for."""
    personal: tuple[bytes, date, str] | None = None
    """Sealed number and name, birth date, sex, where the chunk states them."""
    entry: str | None = None
    """How the state came about."""
    recorded_at: datetime | None = None
    """Of the version read; None for one made in this chunk."""


async def persons(
    conn: AsyncConnection, keys: Collection[str], *, with_seq: bool = False
) -> dict[str, PersonVersion]:
    """Person key → current version, for those known."""
    driver = await raw(conn)
    seq = STANDING_SEQ if with_seq else "0"
    join = "LEFT JOIN deliveries d ON d.id = p.delivery_id" if with_seq else ""
    state = ", ".join(f"p.{name}" for name in Person._fields)
    cursor = await driver.execute(
        "SELECT p.person_key, p.person_id, p.revision, p.delivery_id::text, p.record_no, "
        f"p.as_at, p.effective_on, {seq}, p.entry, p.recorded_at, {state} FROM persons p {join} "
        "WHERE p.person_key = ANY(%s)",
        (list(keys),),
    )
    return {
        row[0]: PersonVersion(
            row[1],
            row[2],
            row[3],
            row[4],
            row[5],
            row[6],
            Person._make(row[10:]),
            row[7],
            entry=row[8],
            recorded_at=row[9],
        )
        for row in await cursor.fetchall()
    }


async def take_numbers(conn: AsyncConnection, count: int) -> Sequence[int]:
    """So many numbers of persons; those of a transaction rolled back are never used again."""
    if not count:
        return ()
    driver = await raw(conn)
    # One after another unless somebody else takes some at the same time.
    cursor = await driver.execute(
        "SELECT min(n), CASE WHEN max(n) - min(n) + 1 > count(*) THEN array_agg(n) END FROM "
        "(SELECT nextval('person_numbers') AS n FROM generate_series(1, %s)) AS taken",
        (count,),
    )
    found = await cursor.fetchone()
    first, others = found if found is not None else (0, None)
    return range(first, first + count) if others is None else others


def person_id(number: int) -> str:
    """The id of the person with that number."""
    return f"P{number:09d}"


async def insert_persons(conn: AsyncConnection, rows: Iterable[Sequence[Any]]) -> None:
    """Rows of persons nobody knew, in the order of ``_COLUMNS``; the register lock is held."""
    await copy_into(conn, models.persons, _COLUMNS, rows)


async def update_persons(conn: AsyncConnection, rows: Iterable[Sequence[Any]]) -> None:
    """Rows of known persons, in the order of ``_COLUMNS``; a sealed of None stays as it is."""
    driver = await raw(conn)
    await stage_into(conn, "stage_persons", models.persons, _COLUMNS, rows)
    kept = ("sealed", "birth_on", "sex")
    sets = ", ".join(
        f"{name} = coalesce(s.{name}, p.{name})" if name in kept else f"{name} = s.{name}"
        for name in _COLUMNS[2:]
    )
    await driver.execute(
        f"UPDATE persons p SET {sets} FROM stage_persons s WHERE p.person_key = s.person_key"
    )


async def find_person(conn: AsyncConnection, person_id: str) -> dict[str, Any] | None:
    """The person's row, still sealed."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT person_key, person_id, sealed, birth_on, sex, unit, status, worker_class, "
            "post, enrolled_on, effective_on, agency_no, employer_id, ownership, trade, "
            "revision, delivery_id::text, record_no, recorded_at "
            "FROM persons WHERE person_id = %s",
            (person_id,),
        )
        return await cursor.fetchone()


async def log_access(
    conn: AsyncConnection,
    person_id: str,
    subject: str,
    department: str,
    purpose: str,
    read_at: datetime,
) -> None:
    """Note who asked for a person and what for."""
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO person_accesses (person_id, subject, department, purpose, read_at) "
        "VALUES (%s, %s, %s, %s, %s)",
        (person_id, subject, department, purpose, read_at),
    )


async def accesses_of(conn: AsyncConnection, person_id: str, limit: int) -> list[dict[str, Any]]:
    """Who read the person, newest first."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT subject, department, purpose, read_at FROM person_accesses "
            "WHERE person_id = %s ORDER BY read_at DESC, id DESC LIMIT %s",
            (person_id, limit),
        )
        return await cursor.fetchall()
