"""The effectiveness test run over the leads of many holders at once, and its results kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads import store as leads_store
from enrollment.leads.changes import Stored
from enrollment.leads.rules import NOT_FULLY, Event
from enrollment.leads.worth import rules, store
from enrollment.leads.worth.rules import Known, Trait
from enrollment.leads.worth.store import Beside, Segments, Tested, Worth


class Holding(NamedTuple):
    """An employer whose leads are tested: all that is known of it, and all of its leads."""

    events: Sequence[Event]
    leads: Sequence[Stored]


async def assess_employers(
    conn: AsyncConnection, employers: Collection[str], assessed_at: datetime
) -> None:
    """Test every lead of these employers anew, as their evidence stands in this transaction: five
    reads and one write for any number. The caller holds the employers' row locks."""
    events = await leads_store.events_of(conn, employers)
    leads = await leads_store.leads_of(conn, employers)
    holdings = {one: Holding(events.get(one, ()), found) for one, found in leads.items()}
    await assess_known(conn, holdings, assessed_at)


async def assess_known(
    conn: AsyncConnection,
    holdings: Mapping[str, Holding],
    assessed_at: datetime,
    moved: Collection[str] = (),
) -> None:
    """``assess_employers`` of those whose evidence and leads have been read. ``moved``: leads that
    are not as they were, whose test hardly comes out as it did."""
    if not holdings:
        return
    asked = {
        event.subject
        for holding in holdings.values()
        for event in holding.events
        if event.what in rules.WITH_TRAITS
    }
    traits = await store.traits_of(conn, asked)
    beside = await store.beside_of(conn, holdings)
    of_gaps = [
        employer
        for employer, holding in holdings.items()
        if any(_is_standing_gap(lead) for lead in holding.leads)
    ]
    interrupted = await store.interrupted_at(conn, of_gaps)
    unmoved = [
        lead.lead_id
        for holding in holdings.values()
        for lead in holding.leads
        if lead.lead_id not in moved
    ]
    kept = await store.kept_of(conn, unmoved) if unmoved else {}
    rows = []
    for employer, holding in holdings.items():
        waiting = interrupted.get(employer, 0)
        for row in _worths(holding, traits, beside[employer], assessed_at, waiting):
            before = kept.get(row.lead_id)
            if before is None or row[1:-1] != before[1:-1]:
                rows.append(row)
    await store.write_worth(conn, rows)


async def assess_first(
    conn: AsyncConnection,
    holdings: Mapping[str, tuple[Holding, Beside]],
    traits: Mapping[str, Trait],
    assessed_at: datetime,
) -> None:
    """Test the leads of employers minted in this transaction, with all that is known of them; the
    same result as ``assess_employers`` has, without a read. ``traits``: by subject."""
    await store.insert_worth(
        conn,
        [
            row
            for holding, beside in holdings.values()
            for row in _worths(holding, traits, beside, assessed_at)
        ],
    )


def _is_standing_gap(lead: Stored) -> bool:
    return lead.kind == NOT_FULLY and lead.outcome is None and not lead.void


def _worths(
    holding: Holding,
    traits: Mapping[str, Trait],
    beside: Beside,
    assessed_at: datetime,
    interrupted: int = 0,
) -> Iterator[Worth]:
    """The test of each lead that is one."""
    leads = [lead for lead in holding.leads if not lead.void]
    if not leads:
        return
    said = rules.evidence_of(holding.events, traits)
    ownership = said.ownership if beside.ownership is None else beside.ownership
    trade = said.trade if beside.trade is None else beside.trade
    segments = Segments(beside.household, ownership or "", trade or "")
    for lead in leads:
        known = Known(
            lead.kind,
            lead.outcome,
            lead.gap,
            interrupted if _is_standing_gap(lead) else 0,
            said.headcounts,
            said.licensed,
            said.found,
            said.affected,
            beside.household,
            beside.disputed,
            said.can_pay,
            None,
            False,
        )
        yield _worth(lead.lead_id, segments, known, assessed_at)


async def assess_persons(
    conn: AsyncConnection, persons: Collection[str], assessed_at: datetime
) -> None:
    """The same of persons in one read; the caller holds the register's lock."""
    found = await store.known_of_persons(conn, persons)
    await store.write_worth(conn, _tested(found, assessed_at))


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
