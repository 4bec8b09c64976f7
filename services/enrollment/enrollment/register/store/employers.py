"""Statements about employers' entries in the register."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.identity.rules import grams, plain
from enrollment.register import models
from enrollment.register.rules import Employer, Person, Place
from shared.copying import stage_into
from shared.database import raw
from shared.deliveries.state import STANDING_SEQ

_REGISTER_LOCK = 0x656E726F6C6C02
"""The register is written by one chunk at a time, whichever of its four feeds it comes from."""

_COLUMNS = (
    "agency_no",
    "employer_id",
    "revision",
    "delivery_id",
    "record_no",
    "recorded_at",
    "effective_on",
    "as_at",
    *Employer._fields,
    "entry",
)


@dataclass(slots=True)
class EntryVersion:
    """The current version of an employer's entry."""

    employer_id: str
    revision: int
    delivery_id: str
    record_no: int
    as_at: date | None
    state: Employer
    seq: int = 0
    """Order of acceptance of its delivery; 0 unless asked for."""
    effective_on: date = date.min
    entry: str | None = None
    """How the state came about."""
    recorded_at: datetime | None = None
    """Of the version read; None for one made in this chunk."""


async def lock_register(conn: AsyncConnection) -> None:
    """Wait for whoever is writing the register; held to the end of the transaction."""
    driver = await raw(conn)
    await driver.execute("SELECT pg_advisory_xact_lock(%s)", (_REGISTER_LOCK,))


async def entries(
    conn: AsyncConnection, agency_nos: Collection[str], *, with_seq: bool = False
) -> dict[str, EntryVersion]:
    """Agency number → current version, for those in the register."""
    driver = await raw(conn)
    seq = STANDING_SEQ if with_seq else "0"
    join = "LEFT JOIN deliveries d ON d.id = r.delivery_id" if with_seq else ""
    state = ", ".join(f"r.{name}" for name in Employer._fields)
    cursor = await driver.execute(
        "SELECT r.agency_no, r.employer_id, r.revision, r.delivery_id::text, r.record_no, "
        f"r.as_at, {seq}, r.effective_on, r.entry, r.recorded_at, {state} "
        f"FROM register_employers r {join} WHERE r.agency_no = ANY(%s)",
        (list(agency_nos),),
    )
    return {
        row[0]: EntryVersion(
            row[1],
            row[2],
            row[3],
            row[4],
            row[5],
            Employer._make(row[10:]),
            row[6],
            row[7],
            row[8],
            row[9],
        )
        for row in await cursor.fetchall()
    }


async def places(conn: AsyncConnection, agency_nos: Collection[str]) -> dict[str, Place]:
    """Agency number → the employer as persons need it, for those in the register."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT agency_no, employer_id, ownership, trade FROM register_employers "
        "WHERE agency_no = ANY(%s)",
        (list(agency_nos),),
    )
    return {row[0]: Place(row[1], row[2], row[3]) for row in await cursor.fetchall()}


async def write_entries(conn: AsyncConnection, rows: Iterable[Sequence[Any]]) -> None:
    """Bring entries to their current version; ``active_count`` stays as it is."""
    driver = await raw(conn)
    await stage_into(conn, "stage_register_employers", models.register_employers, _COLUMNS, rows)
    names = ", ".join(_COLUMNS)
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in _COLUMNS[1:])
    await driver.execute(
        f"INSERT INTO register_employers ({names}) SELECT {names} FROM stage_register_employers "
        f"ORDER BY agency_no ON CONFLICT (agency_no) DO UPDATE SET {sets}"
    )


async def add_active(conn: AsyncConnection, deltas: Mapping[str, int]) -> None:
    """Move the employers' counts of active persons."""
    moved = {employer: delta for employer, delta in sorted(deltas.items()) if delta}
    if not moved:
        return
    driver = await raw(conn)
    await driver.execute(
        "UPDATE register_employers r SET active_count = r.active_count + d.delta "
        "FROM unnest(%s::text[], %s::int[]) AS d (employer_id, delta) "
        "WHERE r.employer_id = d.employer_id",
        (list(moved), list(moved.values())),
    )


class Resegmented(NamedTuple):
    """A person whose segments followed a change of the employer's."""

    person_id: str
    revision: int
    employer_id: str
    effective_on: date
    state: Person


async def resegment_persons(
    conn: AsyncConnection,
    employers: Mapping[str, tuple[Place, int, date]],
    delivery_id: str,
    recorded_at: datetime,
) -> list[Resegmented]:
    """Persons of these employers take over new ownership and trade; who had left stays as left.

    ``employers``: employer → its place now, the record that says so, and since when.
    """
    driver = await raw(conn)
    state = ", ".join(f"p.{name}" for name in Person._fields)
    cursor = await driver.execute(
        "UPDATE persons p SET ownership = e.ownership, trade = e.trade, "
        "revision = p.revision + 1, delivery_id = %s, record_no = e.record_no, "
        # Nobody was there under the new segments before they were there at all.
        "recorded_at = %s, effective_on = greatest(p.effective_on, e.effective_on), as_at = NULL "
        "FROM unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::date[]) "
        "AS e (employer_id, ownership, trade, record_no, effective_on) "
        "WHERE p.employer_id = e.employer_id AND p.status <> 'ended' "
        "AND (p.ownership, p.trade) <> (e.ownership, e.trade) "
        f"RETURNING p.person_id, p.revision, p.employer_id, p.effective_on, {state}",
        (
            delivery_id,
            recorded_at,
            list(employers),
            [place.ownership for place, _, _ in employers.values()],
            [place.trade for place, _, _ in employers.values()],
            [record_no for _, record_no, _ in employers.values()],
            [effective_on for _, _, effective_on in employers.values()],
        ),
    )
    rows = sorted(await cursor.fetchall())
    return [Resegmented(row[0], row[1], row[2], row[3], Person._make(row[4:])) for row in rows]


_SHOWN = """
SELECT e.employer_id, e.name, e.unit, e.household, e.merged_into, r.agency_no, r.status,
       r.active_count,
       array(SELECT k.key FROM employer_keys k
             WHERE k.employer_id = e.employer_id AND k.key NOT LIKE 'agency:%%'
             ORDER BY k.key) AS keys
FROM employers e LEFT JOIN register_employers r ON r.employer_id = e.employer_id
"""


async def list_employers(
    conn: AsyncConnection,
    *,
    units: Collection[str] | None,
    key: str | None,
    asked: str | None,
    after: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Employers by id, in the register or not, those found to be others left out. ``units`` None
    means every unit; ``asked``: part of a name, or a whole number."""
    driver = await raw(conn)
    clauses, values = _wanted(units, key, asked, after)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"{_SHOWN} WHERE {' AND '.join(clauses)} ORDER BY e.employer_id LIMIT %s",
            [*values, limit],
        )
        return await cursor.fetchall()


def _wanted(
    units: Collection[str] | None, key: str | None, asked: str | None, after: str | None
) -> tuple[list[str], list[Any]]:
    """Conditions, and the values in them."""
    wanted: list[tuple[str, Any]] = [
        ("e.unit = ANY(%s)", None if units is None else sorted(units)),
        (
            "e.employer_id IN (SELECT employer_id FROM employer_keys WHERE key = ANY(%s))",
            None if key is None else _written(key),
        ),
        ("e.employer_id > %s", after),
    ]
    clauses = ["e.merged_into IS NULL"] + [clause for clause, value in wanted if value is not None]
    values = [value for _, value in wanted if value is not None]
    if asked is not None:
        clauses.append(_ASKED)
        values += [grams(asked), plain(asked), _written(asked.strip().upper())]
    return clauses, values


_ASKED = (
    "e.employer_id IN (SELECT coalesce(merged_into, employer_id) FROM employers "
    "WHERE name_grams @> %s::text[] AND position(%s IN search_name) > 0 "
    "UNION ALL SELECT employer_id FROM employer_keys WHERE key = ANY(%s))"
)
"""Two index scans whatever there is; without a pair of characters nothing is found by name."""


def _written(number: str) -> list[str]:
    """The keys a number may stand in, with its kind or bare; a code also with its hyphen."""
    bare = number.replace("-", "")
    return [number, f"oc:{bare}", f"lic:{number}", f"agency:{number}"]


async def find_employer(conn: AsyncConnection, employer_id: str) -> dict[str, Any] | None:
    """The employer with its links, its entry in the register and its conflicts."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"{_SHOWN} WHERE e.employer_id = %s", (employer_id,))
        employer = await cursor.fetchone()
        if employer is None:
            return None
        await cursor.execute(
            "SELECT key, rule, linked_at, delivery_id::text, record_no FROM employer_keys "
            "WHERE employer_id = %s ORDER BY key",
            (employer_id,),
        )
        employer["links"] = await cursor.fetchall()
        await cursor.execute(
            "SELECT agency_no, status, unit, name, reg_type, industry, ownership, trade, "
            "household, in_township, org_code, licence_no, enrolled_on, effective_on, "
            "active_count, revision, delivery_id::text, record_no, recorded_at "
            "FROM register_employers WHERE employer_id = %s",
            (employer_id,),
        )
        employer["register"] = await cursor.fetchone()
        await cursor.execute(
            "SELECT key, owner_id, employer_id, delivery_id::text, record_no, found_at, "
            "resolved_at FROM link_conflicts WHERE employer_id = %s OR owner_id = %s ORDER BY id",
            (employer_id, employer_id),
        )
        employer["conflicts"] = await cursor.fetchall()
        return employer
