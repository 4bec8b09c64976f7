"""Whether an employer in the register falls short of what is known of it, and how that ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date

from enrollment.leads.rules.terms import (
    CEASED,
    ENROLLED,
    EXCLUDED,
    FOUND,
    NOT_FULLY,
    WITHDRAWN,
    Desired,
    Entry,
    Event,
    Story,
    as_recorded,
)


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
