"""When a lead is there, why, and how it ends: a pure function of everything known.

The bus may bring the facts of two producers in any order, before or after the register moves. So
nothing here depends on the order of arrival: what is known of an employer is sorted by the day it
took effect, and the leads are what follows from that story. Whoever learns something new works the
leads out again and publishes the difference. So a finding about an employer that was in the
register by then never was a lead, even where it came before the register was loaded.

* ``unenrolled-employer``: evidence (a licence, code certificate or tax registration not struck
  off, a standing finding or pre-levy of the tax office, a complaint, a finding of the inspection,
  someone the census found working there) while the employer is not in the register. Closed by the
  register (``enrolled``), by its being struck off (``ceased``), or when the last evidence is taken
  back (``evidence-withdrawn``), F20; or two officers decide against each piece of it
  (``excluded``).
  What was a lead of an employer found to be another is that other's: void here (``merged``).
* ``not-fully-enrolled``: in the register, with fewer active insured than the last known taxable
  headcount, or with persons the census found there who are not active there (F22). The larger of
  the two is the gap: the persons found may be among the headcount. It compares the present with
  the present and keeps no story.

A decision to exclude is told once for each piece of evidence it was made upon, and speaks against
that alone: whatever it did not weigh, told before or after it, keeps the lead open or opens
another. A larger headcount than the one weighed is new evidence. A decision revoked never was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
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

_HEADCOUNTS = (FOUND_UNENROLLED, DECLARED)
WORD_OF = ("employer-checks", "headcounts")
"""Whose word on headcounts goes before others', the stronger later, by feed."""
_WEIGHT = {feed: weight for weight, feed in enumerate(WORD_OF, 1)}


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


def story_of(events: Iterable[Event]) -> Story:
    """Tell the story of one employer. The order of ``events`` does not matter."""
    events = list(events)
    if len(events) == 1 and events[0].what in (REGISTERED, FOUND_UNENROLLED):
        return _beginning(events[0])
    teller = _Teller()
    standing = as_reported_last(events)
    for event in sorted(standing, key=_in_order):
        teller.hear(event)
    story = teller.end()
    story.found = [
        event for event in standing if event.what == REPORTED and event.subject.startswith(FOUND)
    ]
    excluded = {event.subject for event in story.found if (event.subject, True) in teller.excluded}
    story.dismissed |= excluded
    return story


def _beginning(event: Event) -> Story:
    """What ``_Teller`` says of an employer nothing but this evidence is known of, as of nearly all
    of a long list, without going through it."""
    headcounts = [event] if event.what == FOUND_UNENROLLED else []
    gap = event.taxable if headcounts else 0
    lead = Desired(UNENROLLED, event.unit, gap, event.effective_on, [event], event)
    return Story([lead], headcounts=headcounts, latest=headcounts[0] if headcounts else None)


def as_reported_last(events: list[Event]) -> list[Event]:
    """Reports and decisions as they stand: one told otherwise, or about nobody here any more,
    never was true as it was told before."""
    reported = {event.subject for event in events if event.what in (REPORTED, EXCLUDED)}
    if not reported:
        return events
    last = {event.subject: event for event in sorted(events, key=lambda event: event.revision)}
    return [
        event
        for event in events
        if event.subject not in reported
        or (event.what in (REPORTED, EXCLUDED) and event is last[event.subject])
    ]


def _at_least_one(_: date) -> int:
    return 1


def gap_of(
    story: Story,
    entry: Entry | None,
    attached: Collection[str] = (),
    threshold: Callable[[date], int] = _at_least_one,
) -> Desired | None:
    """The not-fully-enrolled lead that ought to be open now, if any.

    Its sources are the headcounts that exceed the register, the persons found who are missing
    from it, and those ``attached`` before; a new one is open since the earliest of them, but not
    before the employer was in the register. ``threshold``: the least gap that makes a lead, on
    the day of the newest of them.
    """
    if entry is None or story.entered_on is None or story.ceased:
        return None
    latest, exceeding = story.latest, list[Event]()
    if latest is not None and latest.taxable > entry.active_count:
        exceeding = [event for event in story.headcounts if event.taxable > entry.active_count]
    if latest is not None and latest.subject in story.dismissed:
        exceeding = []
    exceeding = [event for event in exceeding if event.subject not in story.dismissed]
    missing = [
        event
        for event in story.found
        if event.subject in entry.missing and event.subject not in story.dismissed
    ]
    by_tax = latest.taxable - entry.active_count if latest is not None and exceeding else 0
    evidence = [*exceeding, *missing]
    days = [event.effective_on for event in evidence]
    gap = max(by_tax, len(missing))
    if not evidence or gap < threshold(max(days)):
        return None
    bearing = {event.subject for event in evidence}.union(attached)
    return Desired(
        kind=NOT_FULLY,
        unit=entry.unit,
        gap=gap,
        opened_on=max(min(days), story.entered_on),
        sources=sorted(
            (event for event in (*story.headcounts, *story.found) if event.subject in bearing),
            key=as_recorded,
        ),
        opened_by=latest if latest is not None and by_tax == gap else missing[-1],
    )


def gap_outcome(
    story: Story, entry: Entry | None, events: Iterable[Event], attached: Collection[str]
) -> str:
    """Why a not-fully-enrolled lead that ought not to be open any more ends.

    ``evidence-withdrawn`` when a headcount attached was corrected and the register would still
    fall short of what it said before, or when a person found is not reported any more.
    """
    if story.ceased or story.entered_on is None or entry is None:
        return CEASED
    latest = story.latest
    dismissed = story.dismissed.intersection(attached)
    if latest and latest.subject in dismissed and latest.taxable > entry.active_count:
        return EXCLUDED
    if any(event.subject in dismissed and event.subject in entry.missing for event in story.found):
        return EXCLUDED
    found = {event.subject for event in story.found}
    if any(subject.startswith(FOUND) and subject not in found for subject in attached):
        return WITHDRAWN
    current = {event.subject: event for event in story.headcounts}
    for event in events:
        if event.subject not in attached or event.taxable <= entry.active_count:
            continue
        now = current.get(event.subject)
        if now is None or (now.revision > event.revision and now.period == _period(story)):
            return WITHDRAWN
    return ENROLLED


def _period(story: Story) -> str:
    return story.latest.period if story.latest is not None else ""


def _in_order(event: Event) -> tuple[date, bool, datetime, str, int]:
    # On one and the same day evidence comes before the register's answer to it, or an officer's.
    crossing = event.what in (ENTERED, LEFT, EXCLUDED)
    return (event.effective_on, crossing, event.recorded_at, event.subject, event.revision)


def as_recorded(event: Event) -> tuple[datetime, str]:
    return (event.recorded_at, event.subject)


def _decided(event: Event) -> tuple[str, str]:
    """The decision, and the subject that it speaks against."""
    _, lead, no, weighed = event.subject.split(":", 3)
    return f"{lead}:{no}", weighed


def _register_of(event: Event) -> str:
    """``licence``, ``org-code`` or ``tax-registration``: whose register it stands in."""
    return event.subject.partition(":")[0]


def _latest(headcounts: Sequence[Event]) -> Event | None:
    """Of the latest period; a headcount declared as such goes before the check standing in, and
    that before a finding made for another end."""
    return max(
        headcounts,
        key=lambda event: (event.period, _WEIGHT.get(event.feed, 0), event.recorded_at),
        default=None,
    )


class _Teller:
    """Goes through an employer's events in the order they took effect."""

    def __init__(self) -> None:
        self.leads: list[Desired] = []
        self.standing: dict[str, Event] = {}
        self.headcounts: dict[str, Event] = {}
        self.heard: dict[str, int] = {}
        self.entered_on: date | None = None
        self.struck_off: Event | None = None
        self.open: Desired | None = None
        self.excluded: dict[tuple[str, bool], int] = {}
        """(subject decided against, as a gap or not) → the headcount that was weighed."""
        self.deciding = ""

    def hear(self, event: Event) -> None:
        if self.heard.get(event.subject, 0) >= event.revision:
            return
        self.heard[event.subject] = event.revision
        what = event.what
        if what in _HEADCOUNTS:
            self.headcounts[event.subject] = event
        elif what == GONE:
            self.headcounts.pop(event.subject, None)
        if what in (DECLARED, GONE):
            self._withdraw(event)
        elif what in (REGISTERED, FOUND_UNENROLLED, REPORTED):
            self._stand(event)
        elif what == STRUCK_OFF:
            self._strike_off(event)
        elif what == EXCLUDED:
            self._exclude(event)
        elif what == ENTERED:
            self.entered_on = event.effective_on
            self._refresh()
            self._close(ENROLLED, event)
        else:
            self.entered_on = None
            self._open(event)

    def end(self) -> Story:
        self._refresh()
        headcounts = sorted(self.headcounts.values(), key=as_recorded)
        return Story(
            self.leads,
            self.struck_off is not None,
            self.entered_on,
            headcounts,
            _latest(headcounts),
            frozenset(one.subject for one in headcounts if self._is_excluded(one, gap=True)),
        )

    def _is_excluded(self, event: Event, *, gap: bool = False) -> bool:
        return event.taxable <= self.excluded.get((event.subject, gap), -1)

    def _exclude(self, event: Event) -> None:
        (decision, subject), gap = _decided(event), bool(event.period)
        weighed = max(event.taxable, self.excluded.get((subject, gap), 0))
        self.excluded[subject, gap] = weighed
        stood = self.standing.get(subject)
        if gap or stood is None or not self._is_excluded(stood):
            return
        if self.deciding != decision:  # the lead keeps all of what it was decided upon
            self.deciding = decision
            self._refresh()
        del self.standing[subject]
        if not self.standing:
            self._close(EXCLUDED, event)

    def _stand(self, event: Event) -> None:
        if self._is_excluded(event):
            return
        self.standing[event.subject] = event
        gone = self.struck_off
        if (
            gone is not None
            and event.what == REGISTERED
            and _register_of(event) == _register_of(gone)
        ):
            self.struck_off = None  # registered anew, or the striking off was taken back
        self._open(event)

    def _withdraw(self, event: Event) -> None:
        self._refresh()
        stood = self.standing.pop(event.subject, None) is not None
        if self.struck_off is not None and self.struck_off.subject == event.subject:
            self.struck_off = None
            self._open(event)
        if stood and not self.standing:
            self._close(WITHDRAWN, event)

    def _strike_off(self, event: Event) -> None:
        self._refresh()
        self.standing.pop(event.subject, None)
        others = (other for other in self.standing.values() if other.what == REGISTERED)
        if any(_register_of(other) == _register_of(event) for other in others):
            return  # it has another licence: it goes on under that number
        self.struck_off = event
        self._close(CEASED, event)

    def _open(self, event: Event) -> None:
        nothing_against = self.entered_on is None and self.struck_off is None
        if self.open is None and self.standing and nothing_against:
            self.open = Desired(UNENROLLED, event.unit, 0, event.effective_on, [], event)
            self.leads.append(self.open)

    def _close(self, outcome: str, event: Event) -> None:
        """End the open lead; call ``_refresh`` before the event takes its evidence away."""
        lead, self.open = self.open, None
        if lead is not None:
            lead.outcome = outcome
            lead.closed_on = max(event.effective_on, lead.opened_on)
            lead.closed_by = event

    def _refresh(self) -> None:
        """Sources, unit and gap of the open lead as they stand at this point of the story."""
        lead = self.open
        if lead is None or not self.standing:
            return
        lead.sources = sorted(self.standing.values(), key=as_recorded)
        registered = [event for event in lead.sources if event.what == REGISTERED]
        lead.unit = (registered or lead.sources)[-1].unit
        latest = _latest(list(self.headcounts.values()))
        lead.gap = latest.taxable if latest is not None else 0
