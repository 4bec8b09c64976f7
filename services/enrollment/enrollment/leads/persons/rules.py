"""When a person is a lead, and how it ends: a pure function of everything known of the person.

As for employers (``leads.rules``), what is known is sorted by the day it took effect, so that the
order of arrival does not matter. Evidence is a report of somebody without an employer (the census)
and an interruption of payment in the register. A lead ends by the register only: ``enrolled`` when
the person is active (again), ``ceased`` when retired or gone from the insurance. Somebody the
register had as active or retired on the day of a report never was a lead by it. A decision to
exclude speaks against the evidence it weighed only, as for employers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

from enrollment.leads.rules import (
    CEASED,
    ENROLLED,
    ENTERED,
    EXCLUDED,
    LEFT,
    PERSON,
    REPORTED,
    Desired,
    Event,
    as_recorded,
    as_reported_last,
)

INTERRUPTED: Final = "interrupted"
RETIRED: Final = "retired"

_WHAT: Final = {"active": ENTERED, "suspended": INTERRUPTED, "retired": RETIRED}
"""Status in the register → what an event says; every other status is ``left``."""


class Standing(NamedTuple):
    """How the register has a person at one moment."""

    status: str
    enrolled_on: date
    effective_on: date


def crossing(before: str | None, after: Standing) -> tuple[str, date]:
    """What a move in the register says of a person, and since when.

    Somebody new to the register has been insured since the day it states, whenever it was told.
    """
    what = _WHAT.get(after.status, LEFT)
    begins = what in (ENTERED, RETIRED) and before not in ("active", "suspended", "retired")
    return what, after.enrolled_on if begins else after.effective_on


def bears_on_leads(before: str | None, after: str, told_of: bool) -> bool:
    """Whether a move is kept: into or out of an interruption, or of someone ``told_of`` before."""
    return before != after and (told_of or "suspended" in (before, after))


def leads_of(person_events: Iterable[Event]) -> list[Desired]:
    """The person's leads, oldest first; at most the last one is open."""
    leads: list[Desired] = []
    standing: dict[str, Event] = {}
    current: Desired | None = None
    insured = False
    heard: dict[str, int] = {}
    for event in sorted(as_reported_last(list(person_events)), key=_in_order):
        if heard.get(event.subject, 0) >= event.revision:
            continue
        heard[event.subject] = event.revision
        if event.what in (REPORTED, INTERRUPTED):
            insured = insured and event.what == REPORTED
            if insured:
                continue
            standing[event.subject] = event
            if current is None:
                current = Desired(PERSON, event.unit, 1, event.effective_on, [], event)
                leads.append(current)
            current.sources = sorted(standing.values(), key=as_recorded)
            current.unit = current.sources[-1].unit
        elif event.what == EXCLUDED:
            _, _, _, weighed = event.subject.split(":", 3)
            stood = standing.pop(weighed, None) is not None
            if current is None or not stood:
                continue
            if standing:
                current.sources = sorted(standing.values(), key=as_recorded)
            else:
                _end(current, EXCLUDED, event)
                current = None
        elif event.what in (ENTERED, RETIRED, LEFT):
            insured = event.what != LEFT
            standing.clear()
            if current is not None:
                _end(current, ENROLLED if event.what == ENTERED else CEASED, event)
                current = None
    return leads


def _end(lead: Desired, outcome: str, event: Event) -> None:
    lead.outcome = outcome
    lead.closed_on = max(event.effective_on, lead.opened_on)
    lead.closed_by = event


def _in_order(event: Event) -> tuple[date, bool, int, str]:
    # Evidence of one day comes before the register's answer; the register in its own order.
    crosses = event.what in (ENTERED, RETIRED, LEFT, EXCLUDED)
    return (event.effective_on, crosses, event.revision, event.subject)
