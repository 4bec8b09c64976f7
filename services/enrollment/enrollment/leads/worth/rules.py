"""Whether a lead is an effective one, how many persons it would bring in, and for how much.

Pure. Each rule has a version that stands wherever its result is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Final, Literal, NamedTuple, Protocol, TypeVar

from enrollment.leads.rules import (
    CEASED,
    ENROLLED,
    FOUND,
    NOT_FULLY,
    PERSON,
    REGISTERED,
    REPORTED,
    STRUCK_OFF,
    Event,
)
from enrollment.leads.rules import EXCLUDED as DECIDED_AGAINST
from enrollment.leads.rules import GONE as TAKEN_BACK
from shared.plan import Plan, PlanLookupError

RULE_VERSION: Final = 1
"""Of ``test`` and ``estimate``."""

REASONS_LIST: Final = "lead-ineffective-reasons"
"""The plan's coded list of every code ``test`` may give."""

Effect = Literal["effective", "not-effective", "unclear"]
EFFECTIVE: Final = "effective"
NOT_EFFECTIVE: Final = "not-effective"
UNCLEAR: Final = "unclear"

# Each rules a lead out by itself.
ALREADY_ENROLLED: Final = "already-enrolled"
GONE: Final = "ceased"
NO_EVIDENCE: Final = "evidence-withdrawn"
EXCLUDED: Final = "excluded"
NO_STAFF: Final = "no-staff"
CANNOT_PAY: Final = "cannot-pay"
ELSEWHERE: Final = "insured-elsewhere"
# Each leaves open whether it is one.
IDENTITY_OPEN: Final = "identity-unsettled"
STAFF_UNKNOWN: Final = "staff-unknown"
AGE_UNKNOWN: Final = "age-unknown"

RULING_OUT: Final = (
    ALREADY_ENROLLED, GONE, NO_EVIDENCE, EXCLUDED, NO_STAFF, CANNOT_PAY, ELSEWHERE,
)  # fmt: skip
LEAVING_OPEN: Final = (IDENTITY_OPEN, STAFF_UNKNOWN, AGE_UNKNOWN)

_ENDED: Final = {ENROLLED: ALREADY_ENROLLED, CEASED: GONE}
_KNOWN_ENDS: Final = (ALREADY_ENROLLED, GONE, NO_EVIDENCE, EXCLUDED)


class Known(NamedTuple):
    """All the test looks at."""

    kind: str
    outcome: str | None
    """How the lead ended; None while it stands."""
    gap: int
    """Persons missing by the tax office's latest headcount, less those insured; 0 for none."""
    interrupted: int
    """Persons insured there whose payment is interrupted: each is a lead by themselves."""
    headcounts: int
    """Headcounts the tax office has told."""
    licensed: int | None
    """Staff the newest licence or certificate states; None where none does."""
    found: int
    """Persons the census found there."""
    affected: int | None
    """Persons a complaint or the inspection speaks of, at most; None where none says."""
    household: bool
    disputed: bool
    """A record says two employers are one and nobody has decided yet."""
    can_pay: bool | None
    """Whether any report says able to pay; None where none says either."""
    age_known: bool | None
    """Whether any report of a person tells that they are of working age."""
    elsewhere: bool
    """A report says that the person is insured in another place."""


class Trait(NamedTuple):
    """What a state of a subject says of a lead's worth; the order of the table's columns."""

    subject: str
    revision: int
    persons: int | None = None
    can_pay: bool | None = None
    age_known: bool | None = None
    elsewhere: bool = False
    ownership: str | None = None
    trade: str | None = None


_SPEAKS_NO_MORE: Final = frozenset({TAKEN_BACK, DECIDED_AGAINST})


class _State(Protocol):
    @property
    def subject(self) -> str: ...
    @property
    def revision(self) -> int: ...


_Told = TypeVar("_Told", bound=_State)


def newest(states: Iterable[_Told]) -> dict[str, _Told]:
    """The newest state of each subject, by subject; of one told twice the first."""
    last: dict[str, _Told] = {}
    for state in states:
        before = last.setdefault(state.subject, state)
        if before.revision < state.revision:
            last[state.subject] = state
    return last


class Evidence(NamedTuple):
    """What the evidence of an employer says of the worth of its leads."""

    headcounts: int = 0
    licensed: int | None = None
    found: int = 0
    affected: int | None = None
    can_pay: bool | None = None
    ownership: str | None = None
    trade: str | None = None


WITH_TRAITS: Final = (REGISTERED, STRUCK_OFF, REPORTED)
"""What is said in states of the subjects that a ``Trait`` is kept of."""


def evidence_of(events: Sequence[Event], traits: Mapping[str, Trait]) -> Evidence:
    """What an employer's subjects say as they stand, in any order. ``traits``: by subject."""
    last = events if len(events) == 1 else newest(events).values()
    standing = [one for one in last if one.what not in _SPEAKS_NO_MORE]
    if len(standing) > 1:  # the newest word first
        standing.sort(key=attrgetter("subject"))
        standing.sort(key=attrgetter("recorded_at"), reverse=True)
    headcounts = found = 0
    licensed = affected = can_pay = ownership = trade = None
    for event in standing:
        headcounts += event.period != ""
        met = event.subject.startswith(FOUND)
        found += met
        trait = traits.get(event.subject)
        if trait is None:
            continue
        persons = trait.persons
        if persons is not None and event.what == REGISTERED and licensed is None:
            licensed = persons
        elif persons is not None and event.what == REPORTED and not met:
            affected = persons if affected is None else max(affected, persons)
        if trait.can_pay is not None:
            can_pay = can_pay or trait.can_pay
        ownership = trait.ownership if ownership is None else ownership
        trade = trait.trade if trade is None else trade
    return Evidence(headcounts, licensed, found, affected, can_pay, ownership, trade)


class Estimate(NamedTuple):
    """How many persons a lead would bring in, and whose word that is."""

    persons: int | None
    basis: str
    """``register-gap``, ``tax-headcount``, ``licence-headcount``, ``census-found``, ``report``,
    ``household-owner``, ``person`` or ``unknown``."""


NOBODY_SAYS: Final = Estimate(None, "unknown")


def estimate(known: Known) -> Estimate:
    """The best word there is: the tax office's headcount before the staff a licence states, that
    before what the census found, that before what a complaint or the inspection says, that before
    the owner of a household alone. Where the tax office says there is no staff, only people met
    there or complained of say otherwise. Nobody is counted twice: of a gap, those whose payment is
    interrupted are leads by themselves."""
    words = (
        (known.kind == PERSON, 1, "person"),
        (known.kind == NOT_FULLY, max(known.gap - known.interrupted, 0), "register-gap"),
        (known.gap > 0, known.gap, "tax-headcount"),
        (bool(known.licensed) and not known.headcounts, known.licensed, "licence-headcount"),
        (known.found > 0, known.found, "census-found"),
        (bool(known.affected), known.affected, "report"),
        (known.household, 1, "household-owner"),
        (known.headcounts > 0, 0, "tax-headcount"),
    )
    return next((Estimate(persons, basis) for holds, persons, basis in words if holds), NOBODY_SAYS)


def test(known: Known) -> tuple[Effect, tuple[str, ...]]:
    """Whether the lead is effective, with the codes of every reason why it is not or may not be.

    Ruled out by any reason of ``RULING_OUT``; unclear by any of ``LEAVING_OPEN`` alone. One that
    ended is ruled out by its end and asked nothing else.
    """
    if known.outcome is not None:
        ended = _ENDED.get(known.outcome, known.outcome)
        return NOT_EFFECTIVE, (ended if ended in _KNOWN_ENDS else NO_EVIDENCE,)
    reasons = _of_person(known) if known.kind == PERSON else _of_employer(known)
    if any(reason in RULING_OUT for reason in reasons):
        return NOT_EFFECTIVE, reasons
    return (UNCLEAR if reasons else EFFECTIVE), reasons


def _of_employer(known: Known) -> tuple[str, ...]:
    persons = estimate(known).persons
    asked = (
        (NO_STAFF, persons == 0 and known.kind != NOT_FULLY),
        (STAFF_UNKNOWN, persons is None),
        (CANNOT_PAY, known.can_pay is False and known.gap == 0),
        (IDENTITY_OPEN, known.disputed),
    )
    return tuple(reason for reason, holds in asked if holds)


def _of_person(known: Known) -> tuple[str, ...]:
    asked = (
        (CANNOT_PAY, known.can_pay is False),
        (ELSEWHERE, known.elsewhere),
        (AGE_UNKNOWN, known.age_known is False),
    )
    return tuple(reason for reason, holds in asked if holds)


@lru_cache(maxsize=4096)
def assess(known: Known) -> tuple[Effect, str, Estimate]:
    """``test``, its codes as ``a,b``, and ``estimate``; many leads are alike."""
    effect, reasons = test(known)
    return effect, ",".join(reasons), estimate(known)


class Amounts(NamedTuple):
    """Pooled part of one person's contributions for a year, in fen, rounded half up."""

    employee: int | None
    """By the employer's rate on the base; None where a parameter is not known."""
    flexible: int | None
    """By a flexible worker's rate on the lowered floor (O79)."""
    base: Literal["floor", "mean", "unknown"]
    missing: tuple[str, ...]
    """Names of the parameters the plan has no value of on the day."""


_BASE_AT_MEAN: Final = "potential-base-at-mean"


def amounts(plan: Plan, on: date) -> Amounts:
    """What a person brings a year by the parameters in force on the day.

    The base is the mean wage of the year before, by the floor ratio unless the plan's
    ``potential-base-at-mean`` is true.
    """
    missing: list[str] = []

    def value(name: str) -> Decimal | None:
        try:
            return plan.parameter(name, on).as_decimal()
        except PlanLookupError:
            missing.append(name)
            return None

    try:
        at_mean = plan.parameter(_BASE_AT_MEAN, on).as_flag()
    except PlanLookupError:
        return Amounts(None, None, "unknown", (_BASE_AT_MEAN,))
    mean = value("mean-wage-previous-year")
    one = Decimal(1)
    floor = one if at_mean else value("base-floor-ratio")
    flexible_floor = one if at_mean else value("freelancer-base-floor-ratio")
    return Amounts(
        _product(mean, floor, value("employer-pooled-rate")),
        _product(mean, flexible_floor, value("flexible-pooled-rate")),
        "mean" if at_mean else "floor",
        tuple(missing),
    )


def _product(*factors: Decimal | None) -> int | None:
    total = Decimal(1)
    for factor in factors:
        if factor is None:
            return None
        total *= factor
    return int(total.quantize(Decimal(1), ROUND_HALF_UP))


def pooled_fen(employees: int, flexible: int, by: Amounts) -> int | None:
    """A year's pooled part of so many persons; None where an amount that is needed is unknown."""
    total = 0
    for persons, each in ((employees, by.employee), (flexible, by.flexible)):
        if persons and each is None:
            return None
        total += persons * (each or 0)
    return total


FLEXIBLE_BASES: Final = ("person", "household-owner")
"""Bases of those who pay for themselves, by a flexible worker's rate."""


def pooled_of(persons: int | None, basis: str, by: Amounts) -> int | None:
    """The same of one lead; None as well where its persons are not known."""
    if persons is None:
        return None
    flexible = basis in FLEXIBLE_BASES
    return pooled_fen(0 if flexible else persons, persons if flexible else 0, by)
