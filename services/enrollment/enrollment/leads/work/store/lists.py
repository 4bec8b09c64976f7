"""Leads as work: the list, its counts, and assigning all of a list at once, by one filter.

What is due, how old and at which level is computed from dates whenever it is asked; nothing of it
is stored, so no job has to run for a lead to become overdue.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row, namedtuple_row
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads.work.rules import CLOSED, LEVELS, Entry, Limits, Wanted
from shared.database import raw


class WorkRow(NamedTuple):
    """A lead and how the work on it stands."""

    lead_id: str
    employer_id: str | None
    person_key: str | None
    employer_name: str
    kind: str
    status: str
    outcome: str | None
    gap: int
    sources: list[str]
    lead_unit: str
    lead_revision: int
    opened_on: date
    closed_on: date | None
    found_on: date
    age_days: int
    stage: str
    stage_on: date | None
    unit: str
    officer: str | None
    officer_name: str | None
    contacted_on: date | None
    last_contact_on: date | None
    contact_count: int
    never_contacted: bool
    promised_by: date | None
    next_step: str | None
    next_on: date | None
    register_by: date | None
    due_on: date | None
    due_for: str | None
    days_overdue: int
    level_no: int
    proposal_no: int | None
    decision_no: int | None
    version: int

    @property
    def level(self) -> str | None:
        """To whom it has gone, None while it is not overdue."""
        return LEVELS[min(self.level_no, len(LEVELS)) - 1] if self.level_no else None


_COLUMNS = """
l.lead_id, l.employer_id, l.person_key, coalesce(e.name, '') AS employer_name, l.kind, l.status,
l.outcome, l.gap, string_to_array(l.sources, ',') AS sources, l.unit AS lead_unit,
l.revision AS lead_revision, l.opened_on, l.closed_on, l.found_on,
%(today)s::date - l.found_on AS age_days, s.stage, w.stage_on, s.unit, s.officer,
CASE WHEN s.officer IS NOT NULL THEN w.officer_name END AS officer_name, w.contacted_on,
w.last_contact_on, coalesce(w.contact_count, 0) AS contact_count, s.never_contacted,
w.promised_by, w.next_step, w.next_on,
CASE WHEN s.standing THEN %(registration)s::int + coalesce(
  least(w.notified_on, (SELECT min(n.notified_on) FROM lead_events AS v JOIN lead_notices AS n
    ON n.subject = v.subject WHERE v.employer_id = l.employer_id AND v.what <> 'gone')),
  l.opened_on) END AS register_by,
d.due_on, CASE WHEN d.due_on IS NOT NULL THEN d.due_for END AS due_for, o.days_overdue,
width_bucket(o.days_overdue - 1, %(escalation)s::int[]) AS level_no,
CASE WHEN s.standing THEN w.proposal_no END AS proposal_no, w.decision_no,
coalesce(w.version, 0) AS version
"""
_FROM = """
FROM leads AS l
LEFT JOIN lead_work AS w ON w.lead_id = l.lead_id
LEFT JOIN employers AS e ON e.employer_id = l.employer_id
CROSS JOIN LATERAL (SELECT l.status <> 'closed' AS standing,
  -- Once the lead has moved to another unit, the assignment made at home is void.
  CASE WHEN w.home_unit = l.unit THEN coalesce(w.unit, l.unit) ELSE l.unit END AS unit,
  CASE WHEN w.home_unit = l.unit THEN w.officer END AS officer,
  CASE WHEN l.status <> 'closed' THEN coalesce(w.stage, 'found')
       WHEN l.outcome IN ('enrolled', 'excluded') THEN l.outcome ELSE 'ended' END AS stage,
  l.status <> 'closed' AND w.contacted_on IS NULL AS never_contacted) AS s
CROSS JOIN LATERAL (SELECT
  CASE WHEN NOT s.standing THEN NULL
       WHEN s.never_contacted THEN l.found_on + %(first_contact)s::int
       WHEN s.stage = 'promised' AND w.promised_by IS NOT NULL THEN w.promised_by
       WHEN w.next_on IS NOT NULL THEN w.next_on
       ELSE greatest(coalesce(w.notified_on, w.contacted_on),
                     CASE WHEN s.stage = 'in-enforcement' THEN w.stage_on END)
            + %(registration)s::int END AS due_on,
  CASE WHEN s.never_contacted THEN 'first-contact'
       WHEN s.stage = 'promised' AND w.promised_by IS NOT NULL THEN 'promise'
       WHEN w.next_on IS NOT NULL THEN 'next-step'
       ELSE 'registration' END AS due_for) AS d
CROSS JOIN LATERAL (
  SELECT greatest(coalesce(%(today)s::date - d.due_on, 0), 0) AS days_overdue) AS o
"""


_AT_STAGE = {
    "found": "CASE WHEN s.stage = 'found' THEN true ELSE false END",
    "enrolled": "l.outcome = 'enrolled'",
    "excluded": "l.outcome = 'excluded'",
    "ended": "l.outcome NOT IN ('enrolled', 'excluded')",
}
"""``s.stage`` of leads of one status, said so that the planner knows how many there are."""


def _likely(clause: str) -> str:
    """A clause the planner takes for true of half the rows. An equation of computed values it
    takes for hardly ever true, and then reads and sorts all leads for the first page."""
    return f"CASE WHEN {clause} THEN true ELSE false END"


def _filtered(
    wanted: Wanted, limits: Limits, *, closed_too: bool = False
) -> tuple[str, dict[str, Any]]:
    """The filter as SQL and all parameters. A list says literally whether it is of standing or of
    closed leads, which lets the index of those serve. ``closed_too``: both, where no stage is
    asked for."""
    values = _parameters(limits)
    clauses = []
    if wanted.stage is not None or not closed_too:
        clauses.append(f"l.closed_on IS {'NOT NULL' if wanted.stage in CLOSED else 'NULL'}")
    if wanted.stage is not None:
        clauses.append(_AT_STAGE.get(wanted.stage, "w.stage = %(stage)s"))
    if wanted.units is not None:
        clauses.append(_likely("s.unit = ANY(%(units)s::text[])"))
    if wanted.officer is not None:
        mine = "w.officer = %(officer)s AND s.officer = %(officer)s"
        clauses.append(mine if wanted.officer else _likely("s.officer IS NULL"))
    if wanted.age is not None:
        clauses.append("l.found_on <= %(age_to)s::date")
        if wanted.age.last is not None:
            clauses.append("l.found_on >= %(age_from)s::date")
        values["age_from"], values["age_to"] = wanted.age.found_between(limits.today)
    for value, clause in (
        (wanted.overdue, "(o.days_overdue > 0) = %(overdue)s"),
        (wanted.never_contacted, "s.never_contacted = %(never_contacted)s"),
        (wanted.excluding, "(w.proposal_no IS NOT NULL) = %(excluding)s"),
        (wanted.kind, "l.kind = %(kind)s"),
        (wanted.q, "strpos(e.name, %(q)s) > 0"),
    ):
        if value is not None:
            clauses.append(clause)
    if wanted.level is not None:
        level = "least(width_bucket(o.days_overdue - 1, %(escalation)s::int[]), %(levels)s)"
        clauses.append(_likely(f"{level} = %(level_no)s"))
        values["level_no"], values["levels"] = LEVELS.index(wanted.level) + 1, len(LEVELS)
    plain = ("stage", "officer", "overdue", "never_contacted", "excluding", "kind", "q")
    values |= {name: getattr(wanted, name) for name in plain}
    values["units"] = None if wanted.units is None else sorted(wanted.units)
    return "".join(f" AND {clause}" for clause in clauses), values


def _parameters(limits: Limits) -> dict[str, Any]:
    return {
        "today": limits.today,
        "first_contact": limits.first_contact,
        "registration": limits.registration,
        "escalation": list(limits.escalation_steps),
        "ages": list(limits.age_steps),
    }


async def list_work(
    conn: AsyncConnection,
    wanted: Wanted,
    limits: Limits,
    after: tuple[date, str] | None,
    limit: int,
) -> list[WorkRow]:
    """The longest known first, at most ``limit`` of those after the place."""
    clauses, values = _filtered(wanted, limits)
    if after is not None:
        clauses += " AND (l.found_on, l.lead_id) > (%(after_on)s::date, %(after_id)s)"
        values["after_on"], values["after_id"] = after
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE NOT l.void {clauses} "
        "ORDER BY l.found_on, l.lead_id LIMIT %(limit)s",
        {**values, "limit": limit},
    )
    return [WorkRow._make(row) for row in await cursor.fetchall()]


async def find_work(conn: AsyncConnection, lead_id: str, limits: Limits) -> WorkRow | None:
    """The lead of the id, closed or not, and one that never was a lead: what was done about it
    stays readable."""
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE l.lead_id = %(lead_id)s",
        {**_parameters(limits), "lead_id": lead_id},
    )
    row = await cursor.fetchone()
    return None if row is None else WorkRow._make(row)


class Group(NamedTuple):
    """So many leads that are alike in all that is counted."""

    unit: str
    officer: str | None
    officer_name: str | None
    stage: str
    age_no: int
    level_no: int
    overdue: bool
    never_contacted: bool
    excluding: bool
    leads: int


async def count_work(conn: AsyncConnection, wanted: Wanted, limits: Limits) -> list[Group]:
    """All leads the filter wants, closed ones too unless it names a stage, in groups: each count
    is the length of the list that the same filter and the group's own values give."""
    clauses, values = _filtered(wanted, limits, closed_too=True)
    driver = await raw(conn)
    async with driver.cursor(row_factory=class_row(Group)) as cursor:
        await cursor.execute(
            f"""
            SELECT unit, officer, max(officer_name) AS officer_name, stage, age_no,
                   least(level_no, {len(LEVELS)}) AS level_no, overdue, never_contacted,
                   excluding, count(*)::int AS leads
            FROM (SELECT c.*, width_bucket(age_days - 1, %(ages)s::int[]) AS age_no,
                         days_overdue > 0 AS overdue, proposal_no IS NOT NULL AS excluding
                  FROM (SELECT {_COLUMNS} {_FROM} WHERE NOT l.void {clauses}) AS c) AS g
            GROUP BY 1, 2, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 4, 5, 6, 7, 8, 9
            """,
            values,
        )
        return await cursor.fetchall()


async def assign_all(conn: AsyncConnection, wanted: Wanted, limits: Limits, entry: Entry) -> int:
    """Assign every lead the filter wants as the entry says; one statement for any number.

    Returns how many. One that somebody works on at the same time is left out, so that a count
    that differs from what was expected tells of it.
    """
    clauses, values = _filtered(wanted, limits)
    driver = await raw(conn)
    cursor = await driver.execute(
        f"""
        WITH wanted AS (SELECT l.lead_id, l.unit AS home, coalesce(w.version, 0) AS version
                        {_FROM} WHERE NOT l.void {clauses}),
        done AS (
            INSERT INTO lead_work AS old (lead_id, version, stage, home_unit, unit, officer,
                                          officer_name, contact_count)
            SELECT lead_id, version + 1, 'found', home, %(to_unit)s, %(to_officer)s,
                   %(to_name)s, 0 FROM wanted ORDER BY lead_id
            ON CONFLICT (lead_id) DO UPDATE SET version = EXCLUDED.version,
                home_unit = EXCLUDED.home_unit, unit = EXCLUDED.unit,
                officer = EXCLUDED.officer, officer_name = EXCLUDED.officer_name
            WHERE old.version = EXCLUDED.version - 1
            RETURNING lead_id, version, home_unit)
        INSERT INTO lead_entries (lead_id, no, kind, "on", recorded_at, made_by, department,
                                  text, unit, home_unit, officer, officer_name)
        SELECT lead_id, version, %(entry_kind)s, %(on)s, %(recorded_at)s, %(made_by)s,
               %(department)s, %(text)s, %(to_unit)s, home_unit, %(to_officer)s, %(to_name)s
        FROM done
        """,
        {
            **values,
            "to_unit": entry.unit,
            "to_officer": entry.officer,
            "to_name": entry.officer_name,
            "entry_kind": entry.kind,
            "on": entry.on,
            "recorded_at": entry.recorded_at,
            "made_by": entry.made_by,
            "department": entry.department,
            "text": entry.text,
        },
    )
    return cursor.rowcount


class LoggedRow(NamedTuple):
    """An entry of any lead's log."""

    lead_id: str
    employer_name: str
    lead_unit: str
    stage: str
    no: int
    kind: str
    on: date
    recorded_at: datetime
    made_by: str
    department: str
    means: str | None
    text: str | None
    next_step: str | None
    next_on: date | None
    corrects: int | None
    followed_by: int
    """Entries that came after it: what was done since."""


async def list_entries(
    conn: AsyncConnection,
    kind: str,
    units: frozenset[str] | None,
    after: tuple[datetime, str, int] | None,
    limit: int,
) -> list[LoggedRow]:
    """Entries of a kind that hold (not those corrected) of all leads of the units, as recorded."""
    driver = await raw(conn)
    place = "" if after is None else "AND (n.recorded_at, n.lead_id, n.no) > (%s, %s, %s)"
    async with driver.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(
            f"""
            SELECT n.lead_id, coalesce(e.name, '') AS employer_name, l.unit AS lead_unit,
                   CASE WHEN l.status <> 'closed' THEN w.stage
                        WHEN l.outcome IN ('enrolled', 'excluded') THEN l.outcome
                        ELSE 'ended' END AS stage,
                   n.no, n.kind, n."on", n.recorded_at, n.made_by, n.department, n.means,
                   n.text, n.next_step, n.next_on, n.corrects,
                   w.version - n.no AS followed_by
            FROM lead_entries AS n JOIN leads AS l ON l.lead_id = n.lead_id
            JOIN lead_work AS w ON w.lead_id = n.lead_id
            LEFT JOIN employers AS e ON e.employer_id = l.employer_id
            WHERE n.kind = %s AND (%s::text[] IS NULL OR l.unit = ANY(%s))
              AND (NOT l.void OR l.outcome = 'merged')
              AND NOT EXISTS (SELECT 1 FROM lead_entries AS c
                              WHERE c.lead_id = n.lead_id AND c.corrects = n.no) {place}
            ORDER BY n.recorded_at, n.lead_id, n.no LIMIT %s
            """,
            (
                kind,
                None if units is None else sorted(units),
                None if units is None else sorted(units),
                *(after or ()),
                limit,
            ),
        )
        return [LoggedRow._make(row) for row in await cursor.fetchall()]
