"""What each fact says about the ledger: fact in, positions out. Pure, one case per fact type.

A fact carries the whole state of its subject, so its positions replace the holder's earlier
ones; posting new minus old is the ledger's work (``store``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from reporting.figures.rules import NO_SEGMENTS, Account, Position, Segments
from shared.events import Fact
from shared.events.enrollment import (
    CensusVisited,
    EmployerChanged,
    EmployerEnded,
    EmployerEnrolled,
    LeadAdvanced,
    LeadClosed,
    LeadOpened,
    PersonChanged,
    PersonEnded,
    PersonEnrolled,
)
from shared.events.registration_feed import (
    EnterpriseChanged,
    EnterpriseDeregistered,
    EnterpriseRegistered,
)
from shared.events.tax_feed import ArrearsRecorded, ArrearsSettled, ContributionCollected
from shared.plan import Plan


@dataclass(frozen=True, slots=True)
class Counting:
    """Which person statuses the plan counts (``Plan.counts_in``), looked up once."""

    total: frozenset[str]
    active: frozenset[str]

    @classmethod
    def of(cls, plan: Plan) -> Counting:
        return cls(
            frozenset(plan.measure("insured-total").counts),
            frozenset(plan.measure("insured-active").counts),
        )


# There are few, and making one takes longer than looking it up.
_segments = lru_cache(maxsize=4096)(Segments)


def positions_of(fact: Fact, counting: Counting) -> tuple[Position, ...]:
    """The positions the fact states; empty for facts that move no figure."""
    case = _CASES.get(type(fact))
    return case(fact, counting) if case else ()


def fact_type_of(number: int) -> type[Fact]:
    """The fact class an entry's type number stands for."""
    return FACT_TYPES[number]


def _person(
    fact: PersonEnrolled | PersonChanged | PersonEnded, counting: Counting
) -> tuple[Position, ...]:
    status = fact.status
    return (
        Position(
            Account.PERSON,
            fact.subject,
            fact.subject,
            fact.unit,
            _segments(status, fact.worker_class, fact.ownership, fact.trade),
            (int(status in counting.total), int(status in counting.active), None),
            fact.effective_on,
        ),
    )


def _receipt(fact: ContributionCollected, _: Counting) -> tuple[Position, ...]:
    # Under the unit that collected it, wherever the firm moves later, known employer or not.
    return (
        Position(
            Account.RECEIPT,
            fact.subject,
            fact.key,
            fact.unit,
            NO_SEGMENTS,
            (fact.pooled_fen, fact.individual_fen, fact.arrears_pooled_fen),
            fact.received_on,
        ),
    )


def _arrears(fact: ArrearsRecorded | ArrearsSettled, _: Counting) -> tuple[Position, ...]:
    """Balance minus carried, so that the months of one employer telescope to its latest balance.

    What is carried from another unit is a position of its own there: the firm moved.
    """
    moved = fact.carried_unit is not None and fact.carried_unit != fact.unit
    own = fact.balance_fen - (0 if moved else fact.carried_fen)
    away = -fact.carried_fen if moved else 0
    carried_unit = fact.carried_unit if moved and fact.carried_unit else fact.unit
    return tuple(
        Position(
            Account.ARREARS, holder, fact.key, unit, NO_SEGMENTS, (fen, None, None), fact.as_at
        )
        for holder, unit, fen in (
            (fact.subject, fact.unit, own),
            (f"{fact.subject}/carried", carried_unit, away),
        )
    )


def _lead(fact: LeadOpened | LeadAdvanced | LeadClosed, _: Counting) -> tuple[Position, ...]:
    return (
        Position(
            Account.LEAD,
            fact.subject,
            fact.subject,
            fact.unit,
            _segments(fact.status, "", "", "", fact.lead_kind),
            (int(fact.status != "closed"), None, None),
            fact.effective_on,
        ),
    )


def _employer(
    fact: EmployerEnrolled | EmployerChanged | EmployerEnded, _: Counting
) -> tuple[Position, ...]:
    return (
        Position(
            Account.EMPLOYER,
            fact.subject,
            fact.subject,
            fact.unit,
            _segments(fact.status, "", fact.ownership, fact.trade),
            (int(fact.status != "ended"), None, None),
            fact.effective_on,
        ),
    )


def _census(fact: CensusVisited, _: Counting) -> tuple[Position, ...]:
    return (
        Position(
            Account.CENSUS,
            fact.subject,
            fact.subject,
            fact.unit,
            NO_SEGMENTS,
            (int(fact.visited), None, None),
            fact.visited_on,
        ),
    )


def _enterprise(
    fact: EnterpriseRegistered | EnterpriseChanged | EnterpriseDeregistered, _: Counting
) -> tuple[Position, ...]:
    # A firm has a licence and a certificate; counting licences only counts it once.
    if fact.feed != "business-licences":
        return ()
    gone = isinstance(fact, EnterpriseDeregistered)
    return (
        Position(
            Account.ENTERPRISE,
            fact.subject,
            fact.subject,
            fact.unit,
            _segments(
                "deregistered" if gone else "registered",
                "",
                "individual" if fact.household else "",
            ),
            (0 if gone else 1, None, None),
            fact.effective_on,
        ),
    )


_CASES: Final[dict[type[Fact], Callable[[Any, Counting], tuple[Position, ...]]]] = {
    PersonEnrolled: _person,
    PersonChanged: _person,
    PersonEnded: _person,
    ContributionCollected: _receipt,
    ArrearsRecorded: _arrears,
    ArrearsSettled: _arrears,
    LeadOpened: _lead,
    LeadAdvanced: _lead,
    LeadClosed: _lead,
    EmployerEnrolled: _employer,
    EmployerChanged: _employer,
    EmployerEnded: _employer,
    EnterpriseRegistered: _enterprise,
    EnterpriseChanged: _enterprise,
    EnterpriseDeregistered: _enterprise,
    CensusVisited: _census,
}

FACT_TYPES: Final[dict[int, type[Fact]]] = {
    1: PersonEnrolled,
    2: PersonChanged,
    3: PersonEnded,
    4: ContributionCollected,
    5: ArrearsRecorded,
    6: ArrearsSettled,
    7: LeadOpened,
    8: LeadAdvanced,
    9: LeadClosed,
    10: EmployerEnrolled,
    11: EmployerChanged,
    12: EmployerEnded,
    13: EnterpriseRegistered,
    14: EnterpriseChanged,
    15: EnterpriseDeregistered,
    16: CensusVisited,
}
"""Entries store the number; never renumber."""

FACT_NUMBERS: Final = {fact: number for number, fact in FACT_TYPES.items()}
