"""An employer's story, told from its events in the order they took effect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from enrollment.leads.rules.terms import (
    CEASED,
    DECLARED,
    ENROLLED,
    ENTERED,
    EXCLUDED,
    FOUND,
    FOUND_UNENROLLED,
    GONE,
    LEFT,
    REGISTERED,
    REPORTED,
    STRUCK_OFF,
    UNENROLLED,
    WITHDRAWN,
    WORD_OF,
    Desired,
    Event,
    Story,
    as_recorded,
)

_HEADCOUNTS = (FOUND_UNENROLLED, DECLARED)
_UNDISTURBED = frozenset({REGISTERED, *_HEADCOUNTS})
_WEIGHT = {feed: weight for weight, feed in enumerate(WORD_OF, 1)}


def story_of(events: Iterable[Event]) -> Story:
    """Tell the story of one employer. The order of ``events`` does not matter."""
    events = list(events)
    if len(events) == 1 and events[0].what in (REGISTERED, FOUND_UNENROLLED):
        return _beginning(events[0])
    if _UNDISTURBED.issuperset([event.what for event in events]) and len(
        {event.subject for event in events}
    ) == len(events):
        return _undisturbed(events)
    teller = Teller()
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
    """What ``Teller`` says of an employer nothing but this evidence is known of, as of nearly all
    of a long list, without going through it."""
    headcounts = [event] if event.what == FOUND_UNENROLLED else []
    gap = event.taxable if headcounts else 0
    lead = Desired(UNENROLLED, event.unit, gap, event.effective_on, [event], event)
    return Story([lead], headcounts=headcounts, latest=headcounts[0] if headcounts else None)


def _undisturbed(events: Sequence[Event]) -> Story:
    """What ``Teller`` says where evidence was told and nothing taken back, answered or changed, as
    of nearly all employers outside the register."""
    headcounts = [event for event in events if event.what in _HEADCOUNTS]
    if len(headcounts) > 1:  # two that weigh alike: the gap goes by the one that took effect first
        headcounts.sort(key=_in_order)
    heaviest = _latest(headcounts)
    standing = sorted((event for event in events if event.what != DECLARED), key=as_recorded)
    leads = []
    if standing:
        registered = [event for event in standing if event.what == REGISTERED]
        gap = heaviest.taxable if heaviest is not None else 0
        first = min(standing, key=_in_order)
        unit = (registered or standing)[-1].unit
        leads.append(Desired(UNENROLLED, unit, gap, first.effective_on, standing, first))
    headcounts.sort(key=as_recorded)
    return Story(leads, headcounts=headcounts, latest=_latest(headcounts))


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


def _in_order(event: Event) -> tuple[date, bool, datetime, str, int]:
    # On one and the same day evidence comes before the register's answer to it, or an officer's.
    crossing = event.what in (ENTERED, LEFT, EXCLUDED)
    return (event.effective_on, crossing, event.recorded_at, event.subject, event.revision)


def _decided(event: Event) -> tuple[str, str]:
    """The decision, and the subject that it speaks against."""
    _, lead, no, weighed = event.subject.split(":", 3)
    return f"{lead}:{no}", weighed


def weighed_by(event: Event) -> str:
    """The subject that a decision speaks against."""
    return _decided(event)[1]


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


class Teller:
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
