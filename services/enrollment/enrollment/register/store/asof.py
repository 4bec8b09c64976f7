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

from enrollment.register import models
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
    """The two tables a subject's states stand in, and the columns both have an index of that ends
    with the subject: the states that agree in them are a segment, a few hundred in a city."""

    standing: str
    spells: SpellTable
    segment: tuple[str, ...]


_PERSONS: Final = _Kept("persons", PERSON_SPELLS, models.PERSON_SEGMENT)
_EMPLOYERS: Final = _Kept("register_employers", EMPLOYER_SPELLS, models.EMPLOYER_SEGMENT)
KEPT: Final = {"persons": _PERSONS, "employers": _EMPLOYERS}


def _wanted(kept: _Kept, asked: Asked) -> tuple[list[str], dict[str, Any]]:
    """What the columns of a state have to be, and the parameters. Raises ValueError for a column
    that is none."""
    params: dict[str, Any] = {}
    wanted = []
    for name, values in (("unit", asked.units), ("status", asked.statuses)):
        if values is not None:
            params[f"any_{name}"] = sorted(values)
            wanted.append(f"{name} = ANY(%(any_{name})s)")
    for name, value in asked.equal.items():
        if name not in kept.spells.state:
            raise ValueError(f"no such column of a state: {name}")
        params[f"eq_{name}"] = value
        wanted.append(f"{name} = %(eq_{name})s")
    return wanted, params


def _branches(kept: _Kept, asked: Asked) -> tuple[tuple[str, str], tuple[str, str], dict[str, Any]]:
    """Columns and conditions of the states without end and of all others; the two clocks'
    parameters."""
    state = ", ".join((kept.spells.subject, *kept.spells.state))
    standing = (
        f"SELECT {state}, effective_on AS from_on, NULL::date AS to_on, "
        f"recorded_at AS known_from FROM {kept.standing}",
        "effective_on <= %(as_of)s AND recorded_at <= %(known_at)s",
    )
    past = (
        f"SELECT {state}, from_on, to_on, known_from FROM {kept.spells.table.name}",
        "from_on <= %(as_of)s AND (to_on IS NULL OR to_on > %(as_of)s) "
        "AND known_from <= %(known_at)s AND (known_to IS NULL OR known_to > %(known_at)s)",
    )
    return standing, past, {"as_of": asked.as_of, "known_at": asked.known_at}


async def list_at(
    conn: AsyncConnection, what: str, asked: Asked, after: str | None, limit: int
) -> list[dict[str, Any]]:
    """Subjects (``persons`` or ``employers``) by id, each at most once.

    A page costs the same whatever is asked for and however few are found: each segment that is
    wanted gives a page of its own in the order of the index, and they are merged.
    """
    kept = KEPT[what]
    subject, wanted = kept.spells.subject, _wanted(kept, asked)
    standing, past, params = _branches(kept, asked)
    params |= wanted[1] | {"limit": limit, "after": after}
    order = f"ORDER BY {subject} LIMIT %(limit)s"
    later = "" if after is None else f" AND {subject} > %(after)s"
    segmented = bool(wanted[0]) and asked.equal.keys() <= set(kept.segment)
    rows = []
    for columns, held in (standing, past):
        table = columns.rpartition(" ")[2]
        if segmented:
            rows.append(
                f"{_segments_of(kept, table)} SELECT held.* "
                f"FROM (SELECT * FROM segments WHERE {' AND '.join(wanted[0])}) AS s "
                f"CROSS JOIN LATERAL ({columns} AS t WHERE {_in_segment(kept)} AND {held}{later} "
                f"{order}) AS held {order}"
            )
        else:
            rows.append(f"{columns} WHERE {' AND '.join((held, *wanted[0]))}{later} {order}")
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"({rows[0]}) UNION ALL ({rows[1]}) {order}", params)
        return await cursor.fetchall()


def _segments_of(kept: _Kept, table: str) -> str:
    """``WITH … segments``: all that a table has, found by one step along its index each. A
    condition here would make the steps leave the index."""
    names = ", ".join(kept.segment)
    before = ", ".join(f"s.{name}" for name in kept.segment)
    return (
        f"WITH RECURSIVE segments AS ((SELECT {names} FROM {table} ORDER BY {names} LIMIT 1) "
        f"UNION ALL SELECT next.* FROM segments AS s CROSS JOIN LATERAL (SELECT {names} "
        f"FROM {table} WHERE ({names}) > ({before}) ORDER BY {names} LIMIT 1) AS next)"
    )


def _in_segment(kept: _Kept) -> str:
    return " AND ".join(f"t.{name} = s.{name}" for name in kept.segment)


async def count_at(
    conn: AsyncConnection, what: str, asked: Asked, by: Sequence[str]
) -> list[dict[str, Any]]:
    """Counts by status and the columns of ``by``: rows of these columns, ``status``, ``count``."""
    kept = KEPT[what]
    standing, past, params = _branches(kept, asked)
    wanted = _wanted(kept, asked)
    held = " UNION ALL ".join(
        f"{columns} WHERE {' AND '.join((clocks, *wanted[0]))}"
        for columns, clocks in (standing, past)
    )
    names = ", ".join(dict.fromkeys((*by, "status")))
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT {names}, count(*) AS count FROM ({held}) AS held "
            f"GROUP BY {names} ORDER BY {names}",
            params | wanted[1],
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
