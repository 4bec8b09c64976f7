"""Every SQL statement of leads."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg.rows import namedtuple_row
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads import models
from enrollment.leads.changes import Cause, Step, Stored
from enrollment.leads.rules import FOUND, Entry, Event
from shared.copying import copy_into, stage_into
from shared.database import raw
from shared.periods import local_date

_EVENT_COLUMNS = ("employer_id", *Event._fields)
_DELIVERY = Event._fields.index("delivery_id")
_LEAD_COLUMNS = (*Stored._fields, "changed_at")


_SUBJECTS_LOCK = 0x656E726F6C6C02


async def lock_subjects(conn: AsyncConnection, states: Collection[tuple[str, int]]) -> None:
    """No other transaction is telling another state of these (subject, revision) unseen.

    A subject whose key changes comes by another partition, to a consumer that may run at the same
    time; each would miss that the subject has left the employer of the other's state. Of two such
    states the later lacks its predecessor, so a batch that lacks one has feed facts to itself
    until it ends; all others go side by side. To be taken before any other lock.
    """
    driver = await raw(conn)
    wanted = {(subject, revision - 1) for subject, revision in states if revision > 1}
    lacking = wanted.difference(states)
    if lacking:
        cursor = await driver.execute(
            "SELECT subject, revision FROM lead_events WHERE subject = ANY(%s)",
            (list({subject for subject, _ in lacking}),),
        )
        lacking.difference_update(await cursor.fetchall())
    lock = "pg_advisory_xact_lock" if lacking else "pg_advisory_xact_lock_shared"
    await driver.execute(f"SELECT {lock}(%s)", (_SUBJECTS_LOCK,))


async def known_of(conn: AsyncConnection, subjects: Collection[str]) -> set[tuple[str, str]]:
    """(subject, employer) of every employer that a state of these subjects was about."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT DISTINCT subject, employer_id FROM lead_events "
        "WHERE subject = ANY(%s) AND what <> 'gone'",
        (list(subjects),),
    )
    return set(await cursor.fetchall())


async def insert_events(
    conn: AsyncConnection,
    events: Sequence[tuple[str, Event]],
    about: Collection[tuple[str, str]] = (),
    minted: Collection[str] = (),
    untold: Collection[str] = (),
) -> dict[str, Cause]:
    """Keep (employer, event) pairs; a state of a subject that is known already stays as it is.

    ``about``: what was known of the subjects (``known_of``), of subjects that can be about several
    employers. When states of one subject are about different employers, the one before is told
    that the subject is gone. Returns those other employers with the cause. ``minted``: employers
    minted in this transaction, of whom nothing is kept yet; ``untold``: subjects of which nothing
    is, nor can be before this transaction ends.
    """
    driver = await raw(conn)
    first: list[tuple[str, Event]] = []
    later: list[tuple[str, Event]] = []
    for row in events:
        (first if row[0] in minted or row[1].subject in untold else later).append(row)
    if first:
        kept = {(employer, event[:2]): (employer, event) for employer, event in reversed(first)}
        rows = _event_rows(sorted(kept.values()))
        await copy_into(conn, models.lead_events, _EVENT_COLUMNS, rows)
    if later:
        others = _event_rows(later)
        await stage_into(conn, "stage_lead_events", models.lead_events, _EVENT_COLUMNS, others)
        names = ", ".join(_EVENT_COLUMNS)
        await driver.execute(
            f"INSERT INTO lead_events ({names}) SELECT {names} FROM stage_lead_events "
            "ORDER BY employer_id, subject, revision ON CONFLICT DO NOTHING"
        )
    told = Counter(
        subject
        for subject, _ in {*about, *((event.subject, employer) for employer, event in events)}
    )
    moved = [subject for subject, employers in told.items() if employers > 1]
    return await tell_they_are_gone(conn, moved) if moved else {}


def by_employer(
    events: Sequence[tuple[str, Event]], employers: Collection[str]
) -> dict[str, list[Event]]:
    """The events of these employers, in no order."""
    found: dict[str, list[Event]] = defaultdict(list)
    for employer, event in events:
        if employer in employers:
            found[employer].append(event)
    return found


def _event_rows(events: Sequence[tuple[str, Event]]) -> Iterator[tuple[Any, ...]]:
    """Events with their deliveries' ids as the driver takes them; few deliveries, many events."""
    ids: dict[str | None, UUID | None] = {None: None}
    for employer, event in events:
        if event.delivery_id not in ids:
            ids[event.delivery_id] = UUID(event.delivery_id)
        yield (employer, *event[:_DELIVERY], ids[event.delivery_id], *event[_DELIVERY + 1 :])


async def tell_they_are_gone(conn: AsyncConnection, subjects: Sequence[str]) -> dict[str, Cause]:
    """Subjects known of several employers: each but that of the newest state learns the end."""
    driver = await raw(conn)
    cursor = await driver.execute(
        """
        INSERT INTO lead_events
        SELECT old.employer_id, new.subject, new.revision, 'gone', new.recorded_at,
               new.effective_on, new.feed, new.unit, '', 0, new.delivery_id, new.record_no
        FROM lead_events AS old JOIN lead_events AS new ON new.subject = old.subject
             AND new.revision > old.revision AND new.employer_id <> old.employer_id
        WHERE old.subject = ANY(%s) AND old.what <> 'gone' AND new.what <> 'gone'
        ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
        RETURNING employer_id, delivery_id::text, record_no, effective_on
        """,
        (subjects,),
    )
    return {row[0]: Cause(row[1], row[2], row[3]) for row in await cursor.fetchall()}


async def events_of(conn: AsyncConnection, employers: Collection[str]) -> dict[str, list[Event]]:
    """All events of each employer, in no order."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT employer_id, subject, revision, what, recorded_at, effective_on, feed, unit, "
        "period, taxable, delivery_id::text, record_no, coalesce(key, ''), insured "
        "FROM lead_events WHERE employer_id = ANY(%s)",
        (list(employers),),
    )
    found: dict[str, list[Event]] = defaultdict(list)
    for row in await cursor.fetchall():
        found[row[0]].append(Event._make(row[1:]))
    return found


async def leads_of(conn: AsyncConnection, employers: Collection[str]) -> dict[str, list[Stored]]:
    """The leads of each employer by kind and ordinal."""
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT {', '.join(Stored._fields)} FROM leads WHERE employer_id = ANY(%s) "
        "ORDER BY employer_id, kind, ordinal",
        (list(employers),),
    )
    found: dict[str, list[Stored]] = defaultdict(list)
    for row in await cursor.fetchall():
        found[row[1]].append(Stored._make(row))
    return found


async def entries_of(conn: AsyncConnection, employers: Collection[str]) -> dict[str, Entry]:
    """Where in the register each employer stands, for those that are in it."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT employer_id, unit, active_count FROM register_employers "
        "WHERE employer_id = ANY(%s)",
        (list(employers),),
    )
    return {row[0]: Entry(row[1], row[2]) for row in await cursor.fetchall()}


async def missing_of(
    conn: AsyncConnection, employers: Collection[str]
) -> dict[str, frozenset[str]]:
    """Employer → subjects of persons the census found there who are not active there now, one for
    each person that can be told apart by a number; for those that have any."""
    if not employers:
        return {}
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT DISTINCT ON (l.employer_id, c.person_key) l.employer_id, l.subject "
        "FROM lead_events l JOIN census_persons c ON c.natural_key = substr(l.subject, %s) "
        "WHERE l.employer_id = ANY(%s) AND l.feed = 'census-persons' AND l.what = 'reported' "
        "AND c.person_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM lead_events n "
        "WHERE n.employer_id = l.employer_id AND n.subject = l.subject "
        "AND n.revision > l.revision) "
        "AND NOT EXISTS (SELECT 1 FROM persons p WHERE p.person_key = c.person_key "
        "AND p.employer_id = l.employer_id AND p.status = 'active') "
        "ORDER BY l.employer_id, c.person_key, l.subject",
        (len(FOUND) + 1, list(employers)),
    )
    found: dict[str, set[str]] = defaultdict(set)
    for employer, subject in await cursor.fetchall():
        found[employer].add(subject)
    return {employer: frozenset(subjects) for employer, subjects in found.items()}


async def with_headcounts(conn: AsyncConnection, employers: Collection[str]) -> set[str]:
    """Which of the employers have any headcount, or person found, to compare with."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT e.id FROM unnest(%s::text[]) AS e (id) WHERE EXISTS "
        "(SELECT 1 FROM lead_events l WHERE l.employer_id = e.id "
        "AND (l.period <> '' OR l.feed = 'census-persons'))",
        (list(employers),),
    )
    return {row[0] for row in await cursor.fetchall()}


async def write_steps(conn: AsyncConnection, steps: Sequence[Step], changed_at: datetime) -> None:
    """Bring leads to their last step."""
    last = {step.lead.lead_id: (*step.lead, changed_at) for step in steps}
    new = {step.lead.lead_id for step in steps if step.what == "opened"}
    found_on = local_date(changed_at)
    if len(new) < len(last):
        driver = await raw(conn)
        rows = (row for lead_id, row in last.items() if lead_id not in new)
        await stage_into(conn, "stage_leads", models.leads, _LEAD_COLUMNS, rows)
        names = ", ".join(_LEAD_COLUMNS)
        sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in _LEAD_COLUMNS[1:])
        # Closed ones first: an employer never has two of a kind open, not even for a moment.
        # One that opens again is found again: nobody is late with what had an end.
        await driver.execute(
            f"INSERT INTO leads ({names}, found_on) SELECT {names}, %s FROM stage_leads "
            "ORDER BY status <> 'closed', lead_id "
            f"ON CONFLICT (lead_id) DO UPDATE SET {sets}, found_on = CASE WHEN "
            "leads.status = 'closed' AND EXCLUDED.status <> 'closed' THEN EXCLUDED.found_on "
            "ELSE leads.found_on END",
            (found_on,),
        )
    if new:
        fresh = ((*last[lead_id], found_on) for lead_id in sorted(new))
        await copy_into(conn, models.leads, (*_LEAD_COLUMNS, "found_on"), fresh)


async def stages_of(conn: AsyncConnection, leads: Collection[str]) -> dict[str, str]:
    """The stage work on each lead has reached, for those worked on."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT lead_id, stage FROM lead_work WHERE lead_id = ANY(%s)", (list(leads),)
    )
    return dict(await cursor.fetchall())


class LeadRow(NamedTuple):
    """A lead as it is shown."""

    lead_id: str
    employer_id: str | None
    employer_name: str | None
    person_id: str | None
    """Of a person who is or was in the register."""
    kind: str
    status: str
    unit: str
    gap: int
    opened_on: date
    closed_on: date | None
    outcome: str | None
    sources: list[str]
    effect: str
    reasons: list[str]
    persons: int | None
    basis: str
    revision: int
    changed_at: datetime


_SHOWN = """
SELECT l.lead_id, l.employer_id, e.name AS employer_name, p.person_id, l.kind, l.status, l.unit,
       l.gap, l.opened_on, l.closed_on, l.outcome, string_to_array(l.sources, ',') AS sources,
       coalesce(w.effect, 'unclear'), string_to_array(coalesce(w.reasons, 'not-tested'), ','),
       w.persons, coalesce(w.basis, 'unknown'), l.revision, l.changed_at
FROM leads AS l LEFT JOIN employers AS e ON e.employer_id = l.employer_id
LEFT JOIN persons AS p ON p.person_key = l.person_key
LEFT JOIN lead_worth AS w ON w.lead_id = l.lead_id
"""


HOUSEHOLD: Final = (
    "CASE WHEN l.person_key IS NOT NULL THEN 'none' WHEN w.household "
    "THEN 'household' ELSE 'enterprise' END"
)
OWNERSHIP: Final = "coalesce(nullif(w.ownership, ''), 'unknown')"
TRADE: Final = "coalesce(nullif(w.trade, ''), 'unknown')"
"""Of leads ``l`` and lead_worth ``w``: the groups in which they are listed and added up."""


class Wanted(NamedTuple):
    """Which leads: None for any. Void ones are left out; ``l`` leads, ``w`` lead_worth."""

    units: Collection[str] | None = None
    kind: str | None = None
    status: str | None = None
    """``standing`` means not closed."""
    source: str | None = None
    feeds: Collection[str] | None = None
    """Only leads with a record of one of them."""
    employer_id: str | None = None
    person_id: str | None = None
    effect: str | None = None
    reason: str | None = None
    household: str | None = None
    """``enterprise``, ``household``, or ``none`` of a person's."""
    ownership: str | None = None
    trade: str | None = None

    def conditions(self) -> tuple[str, list[Any]]:
        """The condition and its parameters."""
        standing = self.status == "standing"
        wanted: list[tuple[str, Any]] = [
            ("l.unit = ANY(%s)", None if self.units is None else sorted(self.units)),
            ("l.kind = %s", self.kind),
            ("l.status = %s", None if standing else self.status),
            ("%s = ANY(string_to_array(l.sources, ','))", self.source),
            (
                "string_to_array(l.sources, ',') && %s::text[]",
                None if self.feeds is None else sorted(self.feeds),
            ),
            ("l.employer_id = %s", self.employer_id),
            (
                "l.person_key = (SELECT person_key FROM persons WHERE person_id = %s)",
                self.person_id,
            ),
            ("coalesce(w.effect, 'unclear') = %s", self.effect),
            (
                "%s = ANY(string_to_array(coalesce(w.reasons, 'not-tested'), ','))",
                self.reason,
            ),
            (f"{HOUSEHOLD} = %s", self.household),
            (f"{OWNERSHIP} = %s", self.ownership),
            (f"{TRADE} = %s", self.trade),
        ]
        given = [(clause, value) for clause, value in wanted if value is not None]
        clauses = ["NOT l.void", *(clause for clause, _ in given)]
        if standing:
            clauses.append("l.closed_on IS NULL")
        return " AND ".join(clauses), [value for _, value in given]


async def list_leads(
    conn: AsyncConnection,
    wanted: Wanted,
    *,
    after: str | None = None,
    limit: int = 1000,
) -> list[LeadRow]:
    """Leads by id, at most ``limit`` of those after it."""
    driver = await raw(conn)
    where, given = wanted.conditions()
    if after is not None:
        where, given = f"{where} AND l.lead_id > %s", [*given, after]
    query = f"{_SHOWN} WHERE {where} ORDER BY l.lead_id LIMIT %s"
    cursor = await driver.execute(query.encode(), [*given, limit])
    return [LeadRow._make(row) for row in await cursor.fetchall()]


async def find_lead(conn: AsyncConnection, lead_id: str) -> LeadRow | None:
    """The lead of the id, void ones included."""
    driver = await raw(conn)
    cursor = await driver.execute(f"{_SHOWN} WHERE l.lead_id = %s", (lead_id,))
    row = await cursor.fetchone()
    return None if row is None else LeadRow._make(row)


async def sources_of(conn: AsyncConnection, lead_id: str) -> list[Any]:
    """The records a lead rests on, each with its delivery and number, as they were recorded."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(
            """
            WITH s AS (
                SELECT l.employer_id, l.person_key, s.no, s.record
                FROM leads l CROSS JOIN string_to_table(l.records, E'\n')
                WITH ORDINALITY AS s (record, no) WHERE l.lead_id = %(lead)s
            )
            SELECT s.no, e.subject, e.revision, e.what, e.feed, e.period, e.taxable,
                   e.effective_on, e.recorded_at, e.delivery_id::text, e.record_no
            FROM s JOIN lead_events e ON e.employer_id = s.employer_id
                 AND e.subject || '#' || e.revision = s.record
            UNION ALL
            SELECT s.no, e.subject, e.revision, e.what, e.feed, '', 0,
                   e.effective_on, e.recorded_at, e.delivery_id::text, e.record_no
            FROM s JOIN person_events e ON e.person_key = s.person_key
                 AND e.subject || '#' || e.revision = s.record
            ORDER BY 1
            """,
            {"lead": lead_id},
        )
        return list(await cursor.fetchall())
