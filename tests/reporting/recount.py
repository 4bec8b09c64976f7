"""The ledger counted again from its definition, ``state_on``, by asking it about every day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from reporting.figures.postings import Counting, positions_of
from reporting.figures.rules import EVENT_ACCOUNTS, MEASURES, Position, State, state_on
from shared.events import Fact
from shared.plan import Plan

Holder = tuple[int, str]
Line = tuple[str, str, str, Any, date]
"""Measure, unit, subject, segments, day."""


def lives(facts: Sequence[Fact], plan: Plan) -> dict[Holder, list[State]]:
    """Every holder's states in the order they were recorded."""
    counting = Counting.of(plan)
    found: dict[Holder, list[State]] = defaultdict(list)
    for fact in facts:
        for position in positions_of(fact, counting):
            corrects = fact.correction or position.account in EVENT_ACCOUNTS
            state = State(fact.revision, corrects, position)
            found[position.account, position.holder].append(state)
    return found


def recount(facts: Sequence[Fact], plan: Plan) -> dict[Line, int]:
    """Line → by how much it differs on its day from the day before."""
    found: dict[Line, int] = defaultdict(int)
    for states in lives(facts, plan).values():
        days = [state.position.effective_on for state in states]
        day, before = min(days), None
        while day <= max(days):
            held = state_on(states, day)
            now = held.position if held else None
            for sign, position in ((-1, before), (1, now)):
                for measure, quantity in quantities(position):
                    assert position is not None
                    key = (measure, position.unit, position.subject, position.segments, day)
                    found[key] += sign * quantity
            day, before = day + timedelta(days=1), now
    return {key: quantity for key, quantity in found.items() if quantity}


def quantities(position: Position | None) -> Iterator[tuple[str, int]]:
    """What the position weighs in each measure, where that is not nothing."""
    for measure in MEASURES.values() if position else ():
        assert position is not None
        quantity = position.quantities[measure.slot - 1]
        if measure.account == position.account and quantity:
            yield measure.name, quantity
