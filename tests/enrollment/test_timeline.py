"""Spells against the plainest account of them: a state for each day, written over by each step."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollment.register.timeline import (
    Since,
    Step,
    Timeline,
    Told,
    after,
    past,
    spell_kind,
    told,
)

FIRST = date(2008, 5, 1)
DAYS = 12

steps_told = st.lists(
    st.tuples(
        st.sampled_from(Told), st.integers(0, DAYS - 1), st.sampled_from(("active", "retired"))
    ).map(lambda one: Step(one[0], FIRST + timedelta(one[1]), (one[2],))),
    min_size=1,
    max_size=8,
)


def day_by_day(steps: list[Step]) -> list[str | None]:
    """The states by day: each told state is put where its rule says, with no thought of spells."""
    begun: dict[int, str] = {}  # day → state that begins then
    for step in steps:
        day, (state,) = (step.on - FIRST).days, step.state
        if step.told is Told.INSTEAD and begun:
            del begun[max(begun)]
        if step.told is not Told.BETWEEN:
            begun = {one: what for one, what in begun.items() if one < day}
        begun[day] = str(state)
    states: list[str | None] = []
    for day in range(DAYS):
        states.append(begun.get(day, states[-1] if states else None))
    return states


def on(timeline: Timeline, day: date) -> str | None:
    """The state of the spells on a day; no day has two."""
    spans = [(span.from_on, span.to_on, span.state) for span in past(timeline)]
    spans += [(timeline[-1].on, None, timeline[-1].state)]
    found = [state for begins, ends, state in spans if begins <= day and (not ends or day < ends)]
    assert len(found) <= 1
    return str(found[0][0]) if found else None


@settings(max_examples=150, deadline=None)
@given(steps_told)
def test_every_day_has_the_state_that_was_told_for_it(steps: list[Step]) -> None:
    timeline = after((), steps)
    days = [FIRST + timedelta(day) for day in range(DAYS)]
    assert [on(timeline, day) for day in days] == day_by_day(steps)
    assert [one.on for one in timeline] == sorted({one.on for one in timeline})


def _since(*days: int) -> Timeline:
    return tuple(Since(FIRST + timedelta(day), (f"s{day}",)) for day in days)


@pytest.mark.parametrize(
    ("how", "day", "left"),
    [
        (Told.FROM, 9, [1, 5, 9]),
        (Told.FROM, 5, [1, 5]),
        (Told.FROM, 3, [1, 3]),
        (Told.BETWEEN, 3, [1, 3, 5]),
        (Told.BETWEEN, 0, [0, 1, 5]),
        (Told.INSTEAD, 9, [1, 9]),
        (Told.INSTEAD, 3, [1, 3]),
    ],
)
def test_where_a_state_finds_its_place(how: Told, day: int, left: list[int]) -> None:
    timeline = told(_since(1, 5), Step(how, FIRST + timedelta(day), ("new",)))
    assert [(one.on - FIRST).days for one in timeline] == left


def test_what_was_told_for_another_day_never_began_then_and_what_stands_stands() -> None:
    for mistaken, left in ((2, [1, 4, 7]), (1, [2, 4, 7]), (7, [1, 2, 4, 7])):
        step = Step(
            Told.BETWEEN, FIRST + timedelta(4), ("new",), instead_of=FIRST + timedelta(mistaken)
        )
        timeline = told(_since(1, 2, 7), step)
        assert [(one.on - FIRST).days for one in timeline] == left


@pytest.mark.parametrize(
    ("status", "entry", "kind"),
    [
        ("active", "listed", "active"),
        ("active", None, "active"),
        ("enrolled", "enrol", "active"),
        ("active", "transfer-in", "transferred-in"),
        ("suspended", "suspended", "interrupted"),
        ("retired", "retired", "retired"),
        ("ended", "died", "left"),
        ("ended", "leave", "left"),
        ("ended", "moved-out", "transferred-out"),
        ("ended", "transfer-out", "transferred-out"),
    ],
)
def test_the_kinds_of_spells(status: str, entry: str | None, kind: str) -> None:
    assert spell_kind(status, entry) == kind
