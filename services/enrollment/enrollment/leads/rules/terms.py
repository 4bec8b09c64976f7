"""What the rules of leads speak of: kinds, outcomes, events, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

UNENROLLED = "unenrolled-employer"
NOT_FULLY = "not-fully-enrolled"
PERSON = "unenrolled-person"
"""Of a person by itself: no employer is known, or payment was interrupted (``persons.rules``)."""

ENROLLED = "enrolled"
CEASED = "ceased"
WITHDRAWN = "evidence-withdrawn"
MERGED = "merged"
EXCLUDED = "excluded"
"""Both the outcome and what a decision says of a piece of evidence."""

# What an event says. The first two are of registration-feed, the next two of tax-feed, "reported"
# of the census, of complaints and of the inspection, the last two of the register; "gone": a later
# state of the subject is about another employer, or about none.
REGISTERED = "registered"
STRUCK_OFF = "struck-off"
FOUND_UNENROLLED = "found-unenrolled"
DECLARED = "declared"
REPORTED = "reported"
GONE = "gone"
ENTERED = "entered"
LEFT = "left"

FOUND = "found:"
"""How subjects of persons found by the census begin."""

WORD_OF = ("employer-checks", "headcounts")
"""Whose word on headcounts goes before others', the stronger later, by feed."""


class Event(NamedTuple):
    """One state of one subject, as its producer recorded it."""

    subject: str
    """``licence:…``, ``org-code:…``, ``tax-registration:…``, ``headcount:…``, ``declared:…``,
    ``unenrolled:…``, ``pre-levy:…``, ``found:…``, ``complaint:…``, ``inspection:…``,
    ``register:<employer_id>`` or ``decision:<lead>:<no>:<subject weighed>``."""
    revision: int
    what: str
    recorded_at: datetime
    effective_on: date
    feed: str
    unit: str
    period: str
    """Of a headcount, else empty; of a decision only where it is about a gap: of the headcount
    weighed, else the month of the decision."""
    taxable: int
    """Of a decision: what the headcount weighed said."""
    delivery_id: str | None
    record_no: int | None
    key: str = ""
    """The strongest key its record carries, by which it came to the employer."""
    insured: int | None = None
    """Persons contributions are paid for, as the tax office sees it; None where it does not say."""


class Entry(NamedTuple):
    """The employer's entry in the register as it is now."""

    unit: str
    active_count: int
    """Active insured persons."""
    missing: frozenset[str] = frozenset()
    """Subjects of persons the census found there who are not active there, one a person."""


@dataclass(slots=True)
class Desired:
    """A lead as it ought to stand."""

    kind: str
    unit: str
    gap: int
    opened_on: date
    sources: list[Event]
    """In the order they were recorded."""
    opened_by: Event
    outcome: str | None = None
    closed_on: date | None = None
    closed_by: Event | None = None


@dataclass(slots=True)
class Story:
    """What follows from an employer's events."""

    leads: list[Desired] = field(default_factory=list)
    """Its unenrolled-employer leads, oldest first; at most the last one is open."""
    ceased: bool = False
    entered_on: date | None = None
    """Since when it is in the register; None while it is not."""
    headcounts: list[Event] = field(default_factory=list)
    """The current state of each headcount, in the order they were recorded."""
    latest: Event | None = None
    """The headcount of the latest period."""
    dismissed: frozenset[str] = frozenset()
    """Headcounts whose gap was excluded as they stand, and persons found who were."""
    found: list[Event] = field(default_factory=list)
    """Persons the census found working there, as reports of them stand."""


def as_recorded(event: Event) -> tuple[datetime, str]:
    return (event.recorded_at, event.subject)
