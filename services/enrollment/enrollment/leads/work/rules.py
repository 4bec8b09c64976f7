"""What officers did to a lead, folded from its log; ages, levels. No IO, no clock.

A lead's log only grows. How the work stands is a function of the log, so that a correction (a
further entry that takes an earlier one's place) leaves nothing behind of what was wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

FOUND: Final = "found"
NOTIFIED: Final = "notified"
PROMISED: Final = "promised"
ENFORCED: Final = "in-enforcement"
ENROLLED: Final = "enrolled"
EXCLUDED: Final = "excluded"
ENDED: Final = "ended"
"""Closed for another reason: struck off, or its evidence taken back."""

CLOSED: Final = (ENROLLED, EXCLUDED, ENDED)
STAGES: Final = (FOUND, NOTIFIED, PROMISED, ENFORCED, *CLOSED)

TRANSITIONS: Final[Mapping[str, tuple[str, ...]]] = {
    FOUND: (NOTIFIED, PROMISED, ENFORCED),
    NOTIFIED: (PROMISED, ENFORCED, FOUND),
    PROMISED: (NOTIFIED, ENFORCED),
    ENFORCED: (NOTIFIED, PROMISED),
}
"""Stage → where an officer may bring it. Back to notified: a promise broken, an enforcement given
up; back to found: nobody was notified after all. Closed stages are in nobody's hand."""

STAGE: Final = "stage"
CONTACT: Final = "contact"
MEASURE: Final = "measure"
ASSIGNMENT: Final = "assignment"
PROPOSED: Final = "exclusion-proposed"
REFUSED: Final = "exclusion-refused"
DECIDED: Final = "excluded"
REVOKED: Final = "exclusion-revoked"
JOINED: Final = "joined"
"""The work on the lead of an employer found to be this one counts here; ``code`` names the lead."""
PARTED: Final = "parted"
"""It counts there again."""
CORRECTABLE: Final = (CONTACT, MEASURE)

MEANS: Final = ("visit", "phone", "letter", "notice")

LEVELS: Final = ("officer", "unit", "leading-group-office", "supervision")
"""To whom an overdue lead goes, one step after the other (O19)."""


class Entry(NamedTuple):
    """One line of a lead's log."""

    no: int
    kind: str
    on: date
    recorded_at: datetime
    made_by: str
    department: str
    code: str | None = None
    """Of a stage: which; of an exclusion: the reason."""
    means: str | None = None
    """Of a contact or a stage: visit, phone, letter or notice."""
    text: str | None = None
    """Result, reason, measure, in the officer's words."""
    next_step: str | None = None
    next_on: date | None = None
    promised_by: date | None = None
    unit: str | None = None
    """Of an assignment: to which unit, None for the lead's own."""
    home_unit: str | None = None
    """Of an assignment: the lead's own unit then."""
    officer: str | None = None
    officer_name: str | None = None
    corrects: int | None = None


class State(NamedTuple):
    """How the work on a lead stands."""

    stage: str = FOUND
    stage_on: date | None = None
    home_unit: str | None = None
    """The lead's own unit when it was assigned: once it has moved, the assignment is void."""
    unit: str | None = None
    officer: str | None = None
    officer_name: str | None = None
    contacted_on: date | None = None
    """First contact."""
    last_contact_on: date | None = None
    contact_count: int = 0
    notified_on: date | None = None
    promised_by: date | None = None
    next_step: str | None = None
    next_on: date | None = None
    proposal_no: int | None = None
    """The entry that proposes to exclude the lead and waits for a second person."""
    decision_no: int | None = None
    """The entry that excluded it, unless revoked."""


def stage_of(status: str, outcome: str | None, worked: str) -> str:
    """The stage a lead is at: where work brought it, or how it was closed."""
    if status != "closed":
        return worked
    return outcome if outcome in (ENROLLED, EXCLUDED) else ENDED


def state_of(log: Iterable[Entry], others: Iterable[Sequence[Entry]] = ()) -> State:
    """Fold a lead's log. A correction counts where the entry it corrects stood.

    ``others``: logs of the leads of absorbed employers, whose contacts, measures and stages count
    when they were recorded; a stage takes nothing back that was reached here, an assignment counts
    where nobody was assigned here, and what was proposed or decided there was about less.
    """
    own = _placed(log)
    assigned = any(entry.kind == ASSIGNMENT for _, entry in own)
    told = [(at, True, entry) for at, entry in own]
    for other in others:
        told += [
            (at, False, entry)
            for at, entry in _placed(other)
            if entry.kind in _CARRIED and not (assigned and entry.kind == ASSIGNMENT)
        ]
        told.sort(key=lambda one: one[0])
    state = State()
    for _, mine, entry in told:
        if entry.kind in (JOINED, PARTED):
            continue
        if not mine and entry.kind == STAGE and _reached(entry.code) < _reached(state.stage):
            state = _touched(state, entry)
        else:
            state = _after(state, entry)
    return state


def _reached(stage: str | None) -> int:
    return STAGES.index(stage or FOUND)


_CARRIED: Final = (STAGE, CONTACT, MEASURE, ASSIGNMENT)


def joined_of(log: Iterable[Entry]) -> list[str]:
    """The leads whose work counts with this one's, in the order they joined."""
    found: dict[str, None] = {}
    for entry in sorted(log):
        if entry.kind == JOINED and entry.code is not None:
            found[entry.code] = None
        elif entry.kind == PARTED:
            found.pop(entry.code or "", None)
    return list(found)


def as_corrected(log: Iterable[Entry]) -> list[Entry]:
    """The entries that hold, each where the first one of its line of corrections stood."""
    return [entry for _, entry in _placed(log)]


def _placed(log: Iterable[Entry]) -> list[tuple[datetime, Entry]]:
    """The same, each with the moment of that first one."""
    place: dict[int, int] = {}
    holds: dict[int, Entry] = {}
    moments: dict[int, datetime] = {}
    for entry in sorted(log):
        at = place[entry.no] = place.get(entry.corrects or 0, entry.no)
        moments.setdefault(at, entry.recorded_at)
        holds[at] = entry
    return [(moments[at], holds[at]) for at in sorted(holds)]


def _after(state: State, entry: Entry) -> State:
    if entry.kind == STAGE:
        return _touched(_staged(state, entry), entry)
    if entry.kind == CONTACT:
        return _touched(state, entry)
    if entry.kind == MEASURE:
        if entry.next_on is None:
            return state
        return state._replace(next_on=entry.next_on, next_step=entry.next_step)
    if entry.kind == ASSIGNMENT:
        return state._replace(
            home_unit=entry.home_unit,
            unit=entry.unit,
            officer=entry.officer,
            officer_name=entry.officer_name,
        )
    decision = entry.no if entry.kind == DECIDED else state.decision_no
    return state._replace(
        proposal_no=entry.no if entry.kind == PROPOSED else None,
        decision_no=None if entry.kind == REVOKED else decision,
    )


def _staged(state: State, entry: Entry) -> State:
    stage = entry.code or FOUND
    notified = entry.on if stage == NOTIFIED else state.notified_on
    return state._replace(
        stage=stage, stage_on=entry.on, notified_on=None if stage == FOUND else notified
    )


def _touched(state: State, entry: Entry) -> State:
    """What was agreed last is what comes next; by whatever means, there was contact."""
    state = state._replace(
        promised_by=entry.promised_by or state.promised_by,
        next_on=entry.next_on,
        next_step=entry.next_step,
    )
    if entry.means is None:
        return state
    noticed = entry.means == "notice" and state.notified_on is None
    return state._replace(
        contacted_on=min(state.contacted_on or entry.on, entry.on),
        last_contact_on=max(state.last_contact_on or entry.on, entry.on),
        contact_count=state.contact_count + 1,
        notified_on=entry.on if noticed else state.notified_on,
    )


class AgeBucket(NamedTuple):
    """Leads that have been known for so many days, both inclusive; ``last`` None for no end."""

    code: str
    first: int
    last: int | None

    def found_between(self, today: date) -> tuple[date | None, date]:
        """First and last day on which a lead of this age was found."""
        earliest = None if self.last is None else today - timedelta(days=self.last)
        return earliest, today - timedelta(days=self.first)


def age_buckets(steps: Sequence[int]) -> list[AgeBucket]:
    """The plan's steps as buckets: 10, 30 are ``0-10``, ``11-30`` and ``31-``."""
    firsts = [0, *(step + 1 for step in steps)]
    lasts: list[int | None] = [*steps, None]
    return [
        AgeBucket(f"{first}-{'' if last is None else last}", first, last)
        for first, last in zip(firsts, lasts, strict=True)
    ]


class Limits(NamedTuple):
    """The plan's time limits as of a day; every one in days."""

    today: date
    first_contact: int
    registration: int
    age_steps: tuple[int, ...]
    escalation_steps: tuple[int, ...]
    """Days overdue beyond which a lead goes to each of ``LEVELS``."""


class Wanted(NamedTuple):
    """Which leads a list, a count or an assignment is about; None for any."""

    units: frozenset[str] | None = None
    stage: str | None = None
    """None for any that is not closed."""
    officer: str | None = None
    """Subject of the officer; empty for nobody's."""
    age: AgeBucket | None = None
    overdue: bool | None = None
    never_contacted: bool | None = None
    level: str | None = None
    excluding: bool | None = None
    """Whether an exclusion waits for its second person."""
    kind: str | None = None
    q: str | None = None
    """Part of the employer's name."""
