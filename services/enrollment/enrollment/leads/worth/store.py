"""Every SQL statement of what leads are worth."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads import models
from enrollment.leads.store import HOUSEHOLD, OWNERSHIP, TRADE, Wanted
from enrollment.leads.worth.rules import FLEXIBLE_BASES, RULE_VERSION, Known
from shared.copying import copy_into, stage_into
from shared.database import raw


class Trait(NamedTuple):
    """What a state of a subject says of a lead's worth; the order of the table's columns."""

    subject: str
    revision: int
    persons: int | None = None
    can_pay: bool | None = None
    age_known: bool | None = None
    elsewhere: bool = False
    ownership: str | None = None
    trade: str | None = None


class Segments(NamedTuple):
    """Where a lead belongs; empty where nobody says."""

    household: bool
    ownership: str
    trade: str


class Worth(NamedTuple):
    """A row of ``lead_worth``, in the order of its columns."""

    lead_id: str
    effect: str
    reasons: str
    persons: int | None
    basis: str
    household: bool
    ownership: str
    trade: str
    rule_version: int
    assessed_at: datetime


async def write_traits(conn: AsyncConnection, traits: Iterable[Trait]) -> None:
    """Keep the newest state of each subject; several states of one collapse."""
    last: dict[str, Trait] = {}
    for trait in traits:
        known = last.get(trait.subject)
        if known is None or known.revision < trait.revision:
            last[trait.subject] = trait
    if not last:
        return
    driver = await raw(conn)
    columns = Trait._fields
    rows = last.values()
    await stage_into(conn, "stage_evidence_traits", models.evidence_traits, columns, rows)
    names = ", ".join(columns)
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns[1:])
    await driver.execute(
        f"INSERT INTO evidence_traits ({names}) SELECT {names} FROM stage_evidence_traits "
        f"ORDER BY subject ON CONFLICT (subject) DO UPDATE SET {sets} "
        "WHERE evidence_traits.revision < EXCLUDED.revision"
    )


_KEPT = ", ".join(f"w.{name}" for name in Worth._fields[1:-1])

_OF_EMPLOYERS = f"""
WITH asked AS (
    SELECT l.lead_id, l.employer_id, l.kind, l.outcome, l.gap FROM leads l
    WHERE l.employer_id = ANY(%(holders)s) AND NOT l.void
), said AS (
    SELECT v.employer_id,
           count(*) FILTER (WHERE v.period <> '') AS headcounts,
           (array_agg(t.persons ORDER BY v.recorded_at DESC, v.subject)
            FILTER (WHERE v.what = 'registered' AND t.persons IS NOT NULL))[1] AS licensed,
           count(*) FILTER (WHERE v.subject LIKE 'found:%%') AS found,
           max(t.persons) FILTER (WHERE v.what = 'reported' AND v.subject NOT LIKE 'found:%%')
           AS affected,
           bool_or(t.can_pay) AS can_pay,
           (array_agg(t.ownership ORDER BY v.recorded_at DESC, v.subject)
            FILTER (WHERE t.ownership IS NOT NULL))[1] AS ownership,
           (array_agg(t.trade ORDER BY v.recorded_at DESC, v.subject)
            FILTER (WHERE t.trade IS NOT NULL))[1] AS trade
    FROM (SELECT DISTINCT ON (employer_id, subject) employer_id, subject, what, period, recorded_at
          FROM lead_events WHERE employer_id = ANY(%(holders)s)
          ORDER BY employer_id, subject, revision DESC) AS v
    LEFT JOIN LATERAL (SELECT * FROM evidence_traits WHERE subject = v.subject LIMIT 1) AS t ON true
    WHERE v.what NOT IN ('gone', 'excluded') GROUP BY v.employer_id
)
SELECT a.lead_id, e.household, coalesce(r.ownership, s.ownership, ''),
       coalesce(r.trade, s.trade, ''),
       a.kind, a.outcome, a.gap,
       CASE WHEN a.kind = 'not-fully-enrolled' AND a.outcome IS NULL
            THEN (SELECT count(*) FROM persons p WHERE p.employer_id = a.employer_id
                  AND p.status = 'suspended') ELSE 0 END,
       coalesce(s.headcounts, 0), s.licensed, coalesce(s.found, 0), s.affected, e.household,
       EXISTS (SELECT FROM link_conflicts c
               WHERE c.employer_id = a.employer_id AND c.resolved_at IS NULL)
       OR EXISTS (SELECT FROM link_conflicts c
                  WHERE c.owner_id = a.employer_id AND c.resolved_at IS NULL),
       s.can_pay, NULL::boolean, false, {_KEPT}
FROM asked a JOIN employers e ON e.employer_id = a.employer_id
LEFT JOIN register_employers r ON r.employer_id = a.employer_id
LEFT JOIN said s ON s.employer_id = a.employer_id
LEFT JOIN lead_worth w ON w.lead_id = a.lead_id
"""

_OF_PERSONS = f"""
WITH asked AS (
    SELECT l.lead_id, l.person_key, l.kind, l.outcome, l.gap FROM leads l
    WHERE l.person_key = ANY(%(holders)s) AND NOT l.void
), said AS (
    SELECT v.person_key, bool_or(t.can_pay) AS can_pay, bool_or(t.age_known) AS age_known,
           coalesce(bool_or(t.elsewhere), false) AS elsewhere
    FROM (SELECT DISTINCT ON (person_key, subject) person_key, subject, what
          FROM person_events WHERE person_key = ANY(%(holders)s)
          ORDER BY person_key, subject, revision DESC) AS v
    JOIN LATERAL (SELECT * FROM evidence_traits WHERE subject = v.subject LIMIT 1) AS t ON true
    WHERE v.what = 'reported' GROUP BY v.person_key
)
SELECT a.lead_id, false, 'none', 'none', a.kind, a.outcome, a.gap, 0, 0, NULL::integer, 0,
       NULL::integer, false, false, s.can_pay, s.age_known, coalesce(s.elsewhere, false),
       {_KEPT}
FROM asked a LEFT JOIN said s ON s.person_key = a.person_key
LEFT JOIN lead_worth w ON w.lead_id = a.lead_id
"""


class Tested(NamedTuple):
    """A lead to be tested."""

    lead_id: str
    segments: Segments
    known: Known
    kept: tuple[object, ...]
    """What ``Worth`` says between the lead and the moment, as it was tested last."""


async def known_of_employers(conn: AsyncConnection, employers: Collection[str]) -> list[Tested]:
    """Every lead of these employers that is not void, with what is known."""
    return await _known(conn, _OF_EMPLOYERS, employers)


async def known_of_persons(conn: AsyncConnection, persons: Collection[str]) -> list[Tested]:
    """The same of persons."""
    return await _known(conn, _OF_PERSONS, persons)


async def _known(conn: AsyncConnection, query: str, holders: Collection[str]) -> list[Tested]:
    driver = await raw(conn)
    cursor = await driver.execute(query.encode(), {"holders": list(holders)})
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    return [Tested(row[0], Segments(*row[1:4]), Known(*row[4:17]), row[17:]) for row in rows]


async def insert_worth(conn: AsyncConnection, rows: Sequence[Worth]) -> None:
    """Results of leads that are new in this transaction."""
    if rows:
        await copy_into(conn, models.lead_worth, Worth._fields, rows)


async def write_worth(conn: AsyncConnection, rows: Sequence[Worth]) -> None:
    """Bring the test's results to what they are now; the same result keeps its moment."""
    if not rows:
        return
    driver = await raw(conn)
    columns = Worth._fields
    await stage_into(conn, "stage_lead_worth", models.lead_worth, columns, rows)
    names = ", ".join(columns)
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns[1:])
    said = ", ".join(f"{{0}}.{name}" for name in columns[1:-1])
    await driver.execute(
        f"INSERT INTO lead_worth ({names}) SELECT {names} FROM stage_lead_worth ORDER BY lead_id "
        f"ON CONFLICT (lead_id) DO UPDATE SET {sets} WHERE ({said.format('lead_worth')}) "
        f"IS DISTINCT FROM ({said.format('EXCLUDED')})"
    )


class Sum(NamedTuple):
    """Leads of one group and the persons they would bring in."""

    key: str
    leads: int
    unknown: int
    """Of them those whose persons nobody can tell."""
    employees: int
    flexible: int
    """Persons who pay for themselves."""


_GROUPS: Mapping[str, str] = {
    "unit": "l.unit",
    "kind": "l.kind",
    "effect": "w.effect",
    "household": HOUSEHOLD,
    "ownership": OWNERSHIP,
    "trade": TRADE,
}


async def sums(conn: AsyncConnection, wanted: Wanted, by: str) -> list[Sum]:
    """The leads wanted, added up by unit, kind, effect, household, ownership or trade."""
    driver = await raw(conn)
    where, given = wanted.conditions()
    flexible = f"w.basis IN ({', '.join(repr(basis) for basis in FLEXIBLE_BASES)})"
    query = (
        f"SELECT {_GROUPS[by]}, count(*), count(*) FILTER (WHERE w.persons IS NULL), "
        f"coalesce(sum(w.persons) FILTER (WHERE NOT {flexible}), 0)::bigint, "
        f"coalesce(sum(w.persons) FILTER (WHERE {flexible}), 0)::bigint "
        f"FROM leads l JOIN lead_worth w ON w.lead_id = l.lead_id WHERE {where} "
        "GROUP BY 1 ORDER BY 1"
    )
    cursor = await driver.execute(query.encode(), given)
    return [Sum(*row) for row in await cursor.fetchall()]


async def reasons(conn: AsyncConnection, wanted: Wanted) -> dict[str, int]:
    """Reason → leads wanted that have it; a lead may have several."""
    driver = await raw(conn)
    where, given = wanted.conditions()
    query = (
        "SELECT reason, count(*) FROM leads l JOIN lead_worth w ON w.lead_id = l.lead_id "
        f"CROSS JOIN string_to_table(w.reasons, ',') AS s (reason) WHERE {where} "
        "AND reason <> '' GROUP BY 1 ORDER BY 1"
    )
    cursor = await driver.execute(query.encode(), given)
    return dict(await cursor.fetchall())


async def untested(
    conn: AsyncConnection, holder: Literal["employer_id", "person_key"], after: str, at_most: int
) -> list[str]:
    """Holders, in order and after this one, of leads that another version of the test has seen
    last, or none."""
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT DISTINCT l.{holder} FROM leads l JOIN lead_worth w ON w.lead_id = l.lead_id "
        f"WHERE w.rule_version <> %s AND NOT l.void AND l.{holder} > %s ORDER BY 1 LIMIT %s",
        (RULE_VERSION, after, at_most),
    )
    return [row[0] for row in await cursor.fetchall()]
