"""Every SQL statement of what leads are worth."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads import models
from enrollment.leads.store import HOUSEHOLD, OWNERSHIP, TRADE, Wanted
from enrollment.leads.worth.rules import FLEXIBLE_BASES, RULE_VERSION, Known, Trait
from shared.database import copy_into, raw, stage_into


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


async def write_traits(
    conn: AsyncConnection, traits: Mapping[str, Trait], untold: Collection[str] = ()
) -> None:
    """Keep what subjects say (``rules.newest``) unless a newer state is kept. ``untold``: subjects
    of which nothing is, nor can be before this transaction ends."""
    columns = Trait._fields
    first = [trait for subject, trait in traits.items() if subject in untold]
    if first:
        await copy_into(conn, models.evidence_traits, columns, first)
    if len(first) == len(traits):
        return
    driver = await raw(conn)
    later = (trait for subject, trait in traits.items() if subject not in untold)
    await stage_into(conn, "stage_evidence_traits", models.evidence_traits, columns, later)
    names = ", ".join(columns)
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns[1:])
    await driver.execute(
        f"INSERT INTO evidence_traits ({names}) SELECT {names} FROM stage_evidence_traits "
        f"ORDER BY subject ON CONFLICT (subject) DO UPDATE SET {sets} "
        "WHERE evidence_traits.revision < EXCLUDED.revision"
    )


async def traits_of(conn: AsyncConnection, subjects: Collection[str]) -> dict[str, Trait]:
    """Subject → what its newest state says, for those that say anything."""
    if not subjects:
        return {}
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT {', '.join(Trait._fields)} FROM evidence_traits WHERE subject = ANY(%s)",
        (list(subjects),),
    )
    return {row[0]: Trait._make(row) for row in await cursor.fetchall()}


_KEPT = ", ".join(f"w.{name}" for name in Worth._fields[1:-1])


class Beside(NamedTuple):
    """What bears on the worth of an employer's leads beside their evidence."""

    household: bool
    disputed: bool
    ownership: str | None = None
    """As the register has it."""
    trade: str | None = None


async def beside_of(conn: AsyncConnection, employers: Collection[str]) -> dict[str, Beside]:
    """What is kept of each of these employers."""
    driver = await raw(conn)
    wanted = list(employers)
    cursor = await driver.execute(
        "SELECT e.employer_id, e.household, false, r.ownership, r.trade FROM employers e "
        "LEFT JOIN register_employers r ON r.employer_id = e.employer_id "
        "WHERE e.employer_id = ANY(%s)",
        (wanted,),
    )
    found = {row[0]: Beside._make(row[1:]) for row in await cursor.fetchall()}
    cursor = await driver.execute(
        "SELECT employer_id FROM link_conflicts WHERE employer_id = ANY(%(wanted)s) "
        "AND resolved_at IS NULL UNION SELECT owner_id FROM link_conflicts "
        "WHERE owner_id = ANY(%(wanted)s) AND resolved_at IS NULL",
        {"wanted": wanted},
    )
    for (employer,) in await cursor.fetchall():
        found[employer] = found[employer]._replace(disputed=True)
    return found


async def interrupted_at(conn: AsyncConnection, employers: Collection[str]) -> dict[str, int]:
    """Employer → persons insured there whose payment is interrupted."""
    if not employers:
        return {}
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT employer_id, count(*) FROM persons WHERE employer_id = ANY(%s) "
        "AND status = 'suspended' GROUP BY employer_id",
        (list(employers),),
    )
    return dict(await cursor.fetchall())


async def kept_of(conn: AsyncConnection, leads: Collection[str]) -> dict[str, Worth]:
    """Lead → how it was tested last, for those that were."""
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT {', '.join(Worth._fields)} FROM lead_worth WHERE lead_id = ANY(%s)",
        (list(leads),),
    )
    return {row[0]: Worth._make(row) for row in await cursor.fetchall()}


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


async def known_of_persons(conn: AsyncConnection, persons: Collection[str]) -> list[Tested]:
    """Every lead of these persons that is not void, with what is known."""
    driver = await raw(conn)
    cursor = await driver.execute(_OF_PERSONS.encode(), {"holders": list(persons)})
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
