"""The effectiveness test run over the leads of many holders at once, and its results kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads.changes import Step
from enrollment.leads.rules import EXCLUDED, FOUND, GONE, REGISTERED, REPORTED, Event
from enrollment.leads.worth import rules, store
from enrollment.leads.worth.rules import Known
from enrollment.leads.worth.store import Segments, Tested, Trait, Worth


async def assess_employers(
    conn: AsyncConnection, employers: Collection[str], assessed_at: datetime
) -> None:
    """Test every lead of these employers anew, as their evidence stands in this transaction: one
    read and one write for any number. The caller holds the employers' row locks."""
    found = await store.known_of_employers(conn, employers)
    await store.write_worth(conn, _tested(found, assessed_at))


async def assess_persons(
    conn: AsyncConnection, persons: Collection[str], assessed_at: datetime
) -> None:
    """The same of persons; the caller holds the register's lock."""
    found = await store.known_of_persons(conn, persons)
    await store.write_worth(conn, _tested(found, assessed_at))


async def assess_first(
    conn: AsyncConnection,
    steps: Iterable[Step],
    known: Mapping[str, tuple[Event, bool]],
    traits: Mapping[str, Trait],
    disputed: Collection[str],
    assessed_at: datetime,
) -> None:
    """Test the leads of employers minted for one record each, of whom nothing else is known; the
    same result as ``assess_employers`` has, without a read.

    ``known``: employer → that record, and whether it is a household. ``traits``: by subject.
    ``disputed``: employers whose identity nobody has decided.
    """
    last = {step.lead.lead_id: step.lead for step in steps if step.lead.employer_id in known}
    rows = []
    for lead_id, lead in last.items():
        employer = lead.employer_id or ""
        event, household = known[employer]
        trait = None
        if not lead.void and event.what not in (GONE, EXCLUDED):
            trait = traits.get(event.subject)
        said = event.what not in (GONE, EXCLUDED)
        found = event.subject.startswith(FOUND)
        persons = trait.persons if trait is not None else None
        one = Known(
            kind=lead.kind,
            outcome=lead.outcome,
            gap=lead.gap,
            interrupted=0,
            headcounts=int(said and event.period != ""),
            licensed=persons if event.what == REGISTERED else None,
            found=int(said and found),
            affected=persons if event.what == REPORTED and not found else None,
            household=household,
            disputed=employer in disputed,
            can_pay=trait.can_pay if trait is not None else None,
            age_known=None,
            elsewhere=False,
        )
        segments = Segments(
            household,
            (trait.ownership if trait is not None else None) or "",
            (trait.trade if trait is not None else None) or "",
        )
        if not lead.void:
            rows.append(_worth(lead_id, segments, one, assessed_at))
    await store.insert_worth(conn, rows)


def _tested(found: Sequence[Tested], assessed_at: datetime) -> list[Worth]:
    """The results that are others than those kept."""
    rows = []
    for lead_id, segments, known, kept in found:
        row = _worth(lead_id, segments, known, assessed_at)
        if row[1:-1] != kept:
            rows.append(row)
    return rows


def _worth(lead_id: str, segments: Segments, known: Known, assessed_at: datetime) -> Worth:
    effect, reasons, (persons, basis) = rules.assess(known)
    return Worth(
        lead_id, effect, reasons, persons, basis, *segments, rules.RULE_VERSION, assessed_at
    )
