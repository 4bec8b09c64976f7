"""Who was in the register on a day, as known at a moment: one place for counts and for lists.

A list and a count of the same filter ask the same rows, so that the count is the list's length.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.register.store.spells import EMPLOYER_SPELLS, PERSON_SPELLS, SpellTable
from shared.database import raw


@dataclass(frozen=True)
class Asked:
    """On which day, as known when, and of whom. ``units`` None means every unit."""

    as_of: date
    known_at: datetime
    units: frozenset[str] | None
    statuses: Collection[str] | None = None
    equal: Mapping[str, str | bool] = field(default_factory=dict)
    """Columns of the state and the value each has to have."""


@dataclass(frozen=True)
class _Kept:
    """The two tables a subject's states stand in."""

    standing: str
    spells: SpellTable


_PERSONS: Final = _Kept("persons", PERSON_SPELLS)
_EMPLOYERS: Final = _Kept("register_employers", EMPLOYER_SPELLS)
KEPT: Final = {"persons": _PERSONS, "employers": _EMPLOYERS}


def _branches(
    kept: _Kept, asked: Asked, after: str | None, *, unit_by_unit: bool = False
) -> tuple[str, str, dict[str, Any]]:
    """SELECTs of the states without end and of all others, and their parameters; each of one unit
    only, ``asked.code``, where asked for."""
    spells = kept.spells
    params: dict[str, Any] = {"as_of": asked.as_of, "known_at": asked.known_at}
    wanted = []
    if asked.units is not None:
        params["units"] = sorted(asked.units)
        wanted.append("unit = asked.code" if unit_by_unit else "unit = ANY(%(units)s)")
    if asked.statuses is not None:
        params["statuses"] = sorted(asked.statuses)
        wanted.append("status = ANY(%(statuses)s)")
    for name, value in asked.equal.items():
        if name not in spells.state:
            raise ValueError(f"no such column of a state: {name}")
        params[f"eq_{name}"] = value
        wanted.append(f"{name} = %(eq_{name})s")
    if after is not None:
        params["after"] = after
        wanted.append(f"{spells.subject} > %(after)s")
    more = "".join(f" AND {clause}" for clause in wanted)
    state = ", ".join((spells.subject, *spells.state))
    standing = (
        f"SELECT {state}, effective_on AS from_on, NULL::date AS to_on, "
        f"recorded_at AS known_from FROM {kept.standing} "
        f"WHERE effective_on <= %(as_of)s AND recorded_at <= %(known_at)s{more}"
    )
    past = (
        f"SELECT {state}, from_on, to_on, known_from FROM {spells.table.name} "
        "WHERE from_on <= %(as_of)s AND (to_on IS NULL OR to_on > %(as_of)s) "
        "AND known_from <= %(known_at)s AND (known_to IS NULL OR known_to > %(known_at)s)"
        f"{more}"
    )
    return standing, past, params


async def list_at(
    conn: AsyncConnection, what: str, asked: Asked, after: str | None, limit: int
) -> list[dict[str, Any]]:
    """Subjects (``persons`` or ``employers``) by id, each at most once."""
    kept = KEPT[what]
    by_unit = asked.units is not None
    standing, past, params = _branches(kept, asked, after, unit_by_unit=by_unit)
    order = f"ORDER BY {kept.spells.subject} LIMIT %(limit)s"
    rows = f"({standing} {order}) UNION ALL ({past} {order})"
    if by_unit:  # a page of each unit: equality keeps the index's order
        rows = (
            "SELECT held.* FROM unnest(%(units)s::text[]) AS asked (code) "
            f"CROSS JOIN LATERAL ({rows}) AS held"
        )
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"{rows} {order}", params | {"limit": limit})
        return await cursor.fetchall()


async def count_at(
    conn: AsyncConnection, what: str, asked: Asked, by: Sequence[str]
) -> list[dict[str, Any]]:
    """Counts by status and the columns of ``by``: rows of these columns, ``status``, ``count``."""
    kept = KEPT[what]
    standing, past, params = _branches(kept, asked, None)
    names = ", ".join(dict.fromkeys((*by, "status")))
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT {names}, count(*) AS count FROM ({standing} UNION ALL {past}) AS held "
            f"GROUP BY {names} ORDER BY {names}",
            params,
        )
        return await cursor.fetchall()


async def spells_of(
    conn: AsyncConnection, what: str, subject: str, known_at: datetime
) -> list[dict[str, Any]]:
    """All that was known at the moment of one person or employer, by first day."""
    kept = KEPT[what]
    spells = kept.spells
    state = ", ".join((spells.subject, *spells.state))
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT {state}, effective_on AS from_on, NULL::date AS to_on, "
            f"recorded_at AS known_from FROM {kept.standing} "
            f"WHERE {spells.subject} = %(subject)s AND recorded_at <= %(known_at)s UNION ALL "
            f"SELECT {state}, from_on, to_on, known_from FROM {spells.table.name} "
            f"WHERE {spells.subject} = %(subject)s AND known_from <= %(known_at)s "
            "AND (known_to IS NULL OR known_to > %(known_at)s) ORDER BY from_on",
            {"subject": subject, "known_at": known_at},
        )
        return await cursor.fetchall()
