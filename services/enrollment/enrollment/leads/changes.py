"""From how an employer's leads stand to how they ought to stand: what changes, as values.

Pure, as ``rules``: no IO, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Literal, NamedTuple

from enrollment.leads.rules import (
    EXCLUDED,
    MERGED,
    NOT_FULLY,
    PERSON,
    REGISTERED,
    UNENROLLED,
    WITHDRAWN,
    Desired,
    Entry,
    Event,
    as_reported_last,
    gap_of,
    gap_outcome,
    story_of,
    weighed_by,
)

_LETTERS = {UNENROLLED: "U", NOT_FULLY: "N", PERSON: "P"}


class Stored(NamedTuple):
    """A lead as it stands."""

    lead_id: str
    employer_id: str | None
    """None for a lead of a person."""
    kind: str
    ordinal: int
    revision: int
    status: str
    unit: str
    gap: int
    opened_on: date
    closed_on: date | None
    outcome: str | None
    sources: str
    """Feeds whose records are attached, in the order they were recorded: ``a,b``."""
    records: str
    """The attached states, ``subject#revision`` a line."""
    void: bool
    person_key: str | None = None
    """None for a lead of an employer."""

    @property
    def holder(self) -> str:
        """Whose lead it is: the employer, else the person."""
        return self.employer_id or self.person_key or ""

    @property
    def subjects(self) -> list[str]:
        """Subjects attached."""
        return [record.rpartition("#")[0] for record in self.records.split("\n")]


class Cause(NamedTuple):
    """The record that made us work out an employer's leads again."""

    delivery_id: str | None
    record_no: int | None
    effective_on: date


class Step(NamedTuple):
    """One new state of one lead, hence one fact."""

    what: Literal["opened", "advanced", "closed"]
    lead: Stored
    effective_on: date
    delivery_id: str | None
    record_no: int | None
    correction: bool = False


def steps_of(
    employer_id: str,
    events: Sequence[Event],
    entry: Entry | None,
    stored: Sequence[Stored],
    cause: Cause,
    threshold: Callable[[date], int] = lambda _: 1,
) -> list[Step]:
    """What has to change so that the employer's leads are what follows from ``events``.
    ``threshold``: as in ``rules.gap_of``."""
    if not stored and entry is None and len(events) == 1 and events[0].what == REGISTERED:
        return [_first(employer_id, events[0])]
    story = story_of(events)
    if not stored and entry is None:
        return steps_to(employer_id, story.leads, (), cause)
    told = [lead for lead in stored if lead.kind == UNENROLLED]
    steps = steps_to(employer_id, story.leads, told, cause)

    gaps = [lead for lead in stored if lead.kind == NOT_FULLY]
    standing = gaps[-1] if gaps and _goes_on(gaps[-1], events) else None
    gap = gap_of(story, entry, standing.subjects if standing else (), threshold)
    if standing is None:
        if gap is not None:
            steps.append(_opened(employer_id, len(gaps) + 1, gap, cause))
    elif gap is not None:
        # Evidence of an earlier day may come later, from another producer; what has lost its weight
        # since was there all the same. One whose exclusion was revoked differs by its outcome.
        gap.opened_on = min(gap.opened_on, standing.opened_on)
        if _differs(standing, gap):
            steps.append(_moved(standing, gap, cause))
    else:
        outcome = gap_outcome(story, entry, events, standing.subjects)
        steps.append(_ended(standing, outcome, max(cause.effective_on, standing.opened_on), cause))
    return steps


def _first(employer_id: str, event: Event) -> Step:
    """The only step where a registration is all that is known, as of nearly all of a long list."""
    lead = Stored(
        f"{employer_id}-{_LETTERS[UNENROLLED]}1",
        employer_id,
        UNENROLLED,
        1,
        1,
        "open",
        event.unit,
        0,
        event.effective_on,
        None,
        None,
        event.feed,
        f"{event.subject}#{event.revision}",
        False,
    )
    return Step("opened", lead, event.effective_on, event.delivery_id, event.record_no)


def _goes_on(lead: Stored, events: Sequence[Event]) -> bool:
    """Whether a lead of a gap is open, or would be but for an exclusion that has been revoked: one
    that no decision that stands was made on, nor speaks against any of its evidence."""
    if lead.status != "closed":
        return True
    if lead.outcome != EXCLUDED:
        return False
    own, weighed = f"decision:{lead.lead_id}:", set(lead.subjects)
    return not any(
        event.subject.startswith(own) or (event.period and weighed_by(event) in weighed)
        for event in as_reported_last(list(events))
        if event.what == EXCLUDED
    )


def merged_away(stored: Sequence[Stored], cause: Cause) -> list[Step]:
    """End the leads of an employer found to be another: they never were its own."""
    return [
        _ended(lead, MERGED, lead.opened_on, cause, void=True) for lead in stored if not lead.void
    ]


def steps_to(
    holder: str, leads: Sequence[Desired], stored: Sequence[Stored], cause: Cause
) -> list[Step]:
    """From the leads of a holder and kind as they stand to those its story comes to; both oldest
    first. What was told beyond the story never was a lead."""
    steps: list[Step] = []
    for index, desired in enumerate(leads):
        steps += _told(holder, index + 1, desired, stored[index : index + 1], cause)
    return steps + [_void(lead, cause) for lead in stored[len(leads) :] if not lead.void]


def _told(
    holder: str, ordinal: int, desired: Desired, before: Sequence[Stored], cause: Cause
) -> list[Step]:
    """Bring the lead of one chapter of the story to where it ought to be."""
    if before:
        return [_moved(before[0], desired, cause)] if _differs(before[0], desired) else []
    by = desired.opened_by
    opened_by = Cause(by.delivery_id, by.record_no, by.effective_on)
    opened = _opened(holder, ordinal, desired, opened_by)
    if desired.outcome is None:
        return [opened]
    return [opened, _moved(opened.lead, desired, cause)]


def _differs(lead: Stored, desired: Desired) -> bool:
    return lead.void or (
        lead.unit,
        lead.gap,
        lead.opened_on,
        lead.closed_on,
        lead.outcome,
        lead.subjects,
    ) != (
        desired.unit,
        desired.gap,
        desired.opened_on,
        desired.closed_on,
        desired.outcome,
        [source.subject for source in desired.sources],
    )


def _opened(holder: str, ordinal: int, desired: Desired, cause: Cause) -> Step:
    of_person = desired.kind == PERSON
    lead = Stored(
        f"{holder}-{_LETTERS[desired.kind]}{ordinal}",
        None if of_person else holder,
        desired.kind,
        ordinal,
        1,
        "open",
        desired.unit,
        desired.gap,
        desired.opened_on,
        None,
        None,
        _feeds(desired.sources),
        _records(desired.sources),
        False,
        holder if of_person else None,
    )
    return Step("opened", lead, lead.opened_on, cause.delivery_id, cause.record_no)


def _moved(before: Stored, desired: Desired, cause: Cause) -> Step:
    """The next state: advanced, or closed by what the story says closed it."""
    closed_by = desired.closed_by
    lead = Stored(
        before.lead_id,
        before.employer_id,
        before.kind,
        before.ordinal,
        before.revision + 1,
        "advanced" if desired.outcome is None else "closed",
        desired.unit,
        desired.gap,
        desired.opened_on,
        desired.closed_on,
        desired.outcome,
        _feeds(desired.sources),
        _records(desired.sources),
        False,
        before.person_key,
    )
    # The story was told differently before: what was published is taken back at its own date.
    retold = before.outcome is not None or before.opened_on != desired.opened_on
    if closed_by is not None and desired.closed_on is not None:
        on, cause = (
            desired.closed_on,
            Cause(closed_by.delivery_id, closed_by.record_no, closed_by.effective_on),
        )
    else:
        on = desired.opened_on if retold else max(cause.effective_on, desired.opened_on)
    return Step(
        "advanced" if desired.outcome is None else "closed",
        lead,
        on,
        cause.delivery_id,
        cause.record_no,
        retold,
    )


def _ended(before: Stored, outcome: str, on: date, cause: Cause, *, void: bool = False) -> Step:
    lead = before._replace(
        revision=before.revision + 1, status="closed", closed_on=on, outcome=outcome, void=void
    )
    retold = void or before.outcome is not None
    return Step("closed", lead, on, cause.delivery_id, cause.record_no, retold)


def _void(before: Stored, cause: Cause) -> Step:
    """It turns out never to have been a lead."""
    return _ended(before, WITHDRAWN, before.opened_on, cause, void=True)


def _feeds(sources: Sequence[Event]) -> str:
    if len(sources) == 1:
        return sources[0].feed
    return ",".join(dict.fromkeys([source.feed for source in sources]))


def _records(sources: Sequence[Event]) -> str:
    if len(sources) == 1:
        return f"{sources[0].subject}#{sources[0].revision}"
    return "\n".join([f"{source.subject}#{source.revision}" for source in sources])
