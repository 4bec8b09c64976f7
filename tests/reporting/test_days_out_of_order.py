"""Days that arrive out of order: on every day, at every stage, each holder counts once and where
its states say (features F55 and F56)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from reporting.figures.postings import Counting, positions_of
from reporting.figures.rebuild import rebuild
from reporting.figures.rules import MEASURES, Segments, State, Window, state_on
from reporting.figures.store import members as members_store
from reporting.figures.store import reading, shadow
from reporting.figures.store.reading import Span
from shared.database import Database
from shared.events import Fact
from shared.plan import Plan
from tests.reporting.objects import apply, person, receipt
from tests.reporting.recount import lives, quantities

UNITS = ("210502", "210503", "L-BG")
FIRST = date(2008, 12, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(8)]
PERSONS = ("insured-total", "insured-active")

_persons = st.fixed_dictionaries(
    {
        "kind": st.just("person"),
        "number": st.integers(1, 2),
        "unit": st.sampled_from(UNITS),
        "status": st.sampled_from(("active", "active", "retired", "ended")),
        "effective_on": st.sampled_from(DAYS),
        "correction": st.booleans(),
        "again": st.integers(0, 9).map(lambda n: n == 0),
    }
)
_receipts = st.fixed_dictionaries(
    {
        "kind": st.just("receipt"),
        "number": st.integers(1, 1),
        "key": st.sampled_from(("oc:1", "oc:2")),
        "unit": st.sampled_from(UNITS[:2]),
        "received_on": st.sampled_from(DAYS),
        "correction": st.booleans(),
    }
)
_stories = st.lists(
    st.tuples(st.one_of(_persons, _persons, _persons, _receipts), st.booleans()),
    min_size=1,
    max_size=14,
)
"""What is told, and whether a batch ends after it."""


def _facts(told: Sequence[dict[str, Any]]) -> Iterator[Fact]:
    revisions: dict[tuple[str, int], int] = defaultdict(int)
    for given_state in told:
        state = dict(given_state)
        kind, number = state.pop("kind"), state.pop("number")
        if not state.pop("again", False) or not revisions[kind, number]:
            revisions[kind, number] += 1
        make = person if kind == "person" else receipt
        yield make(number, revisions[kind, number], **state)


class TestEveryDayAtEveryStage:
    @settings(
        max_examples=30,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(story=_stories)
    async def test_is_what_the_states_say(
        self, story: list[tuple[dict[str, Any], bool]], database: Database, plan: Plan
    ) -> None:
        facts = list(_facts([told for told, _ in story]))
        places = await _apply_anew(database, facts, [ends for _, ends in story])
        await _check_stages(database, facts, places, plan)
        await _check_figures(database, facts, plan)
        if len(facts) % 4:
            return  # a rebuild takes longer than all the rest
        assert (await rebuild(database, plan)).identical
        await _check_stages(database, facts, places, plan)


async def _apply_anew(
    database: Database, facts: Sequence[Fact], ends: Sequence[bool]
) -> list[tuple[int, int]]:
    """Into an emptied ledger; where each fact stands: its block and its place there."""
    async with database.transaction() as conn:
        for table in shadow.PROJECTIONS:
            await conn.execute(text(f"DELETE FROM {table}"))
        await conn.execute(text("DELETE FROM journal"))
    batches: list[list[Fact]] = [[]]
    for fact, last in zip(facts, ends, strict=True):
        if batches[-1] and type(fact).topic() != type(batches[-1][0]).topic():
            batches.append([])
        batches[-1].append(fact)
        if last:
            batches.append([])
    places, position = [], 1
    for batch in filter(None, batches):
        await apply(database, batch, first_position=position)
        position += len(batch)
        async with database.read() as conn:
            block = (await conn.execute(text("SELECT max(id) FROM journal"))).scalar_one()
        places += [(block, index) for index in range(len(batch))]
    return places


_ENTRIES = text(
    f"SELECT e.block, e.block_index, e.account, e.holder, e.effective_on, e.q1, e.q2, e.q3,"
    f" e.subject, u.code, {', '.join(f's.{name}' for name in Segments._fields)} FROM entries e"
    " JOIN unit_codes u ON u.id = e.unit JOIN segment_sets s ON s.id = e.segment"
)


async def _check_stages(
    database: Database, facts: Sequence[Fact], places: Sequence[tuple[int, int]], plan: Plan
) -> None:
    """Up to each fact, and on each day, the entries of each holder add up to its state."""
    async with database.read() as conn:
        entries = (await conn.execute(_ENTRIES)).all()
    for stage, place in enumerate(places, 1):
        for (account, holder), states in lives(facts[:stage], plan).items():
            own = [
                e for e in entries if (e[2], e[3]) == (account, holder) and (e[0], e[1]) <= place
            ]
            for day in DAYS:
                found: dict[tuple[Any, ...], int] = defaultdict(int)
                for entry in own:
                    if entry.effective_on <= day:
                        for slot in (1, 2, 3):
                            where = (entry.subject, entry.code, Segments(*entry[10:]), slot)
                            found[where] += entry[4 + slot] or 0
                held = state_on(states, day)
                assert {key: n for key, n in found.items() if n} == _weights(held), (stage, day)


def _weights(held: State | None) -> dict[tuple[Any, ...], int]:
    if held is None:
        return {}
    position = held.position
    return {
        (position.subject, position.unit, position.segments, MEASURES[name].slot): n
        for name, n in quantities(position)
    }


async def _check_figures(database: Database, facts: Sequence[Fact], plan: Plan) -> None:
    """Each unit's and all units' persons on each day: the value and the list of members."""
    told = lives(facts, plan)
    async with database.read(snapshot=True) as conn:
        numbers = await reading.units_by_code(conn)
        for day in DAYS:
            held = [state for states in told.values() if (state := state_on(states, day))]
            for codes in (UNITS[:1], UNITS):
                units = tuple(numbers[code] for code in codes if code in numbers)
                for name in PERSONS:
                    expected = {
                        state.position.subject
                        for state in held
                        if state.position.unit in codes and name in dict(quantities(state.position))
                    }
                    span = Span(MEASURES[name], units, Window(None, day))
                    members = await members_store.members_of(conn, span, None, 100)
                    assert {m.subject for m in members} == expected, (name, day)
                    assert all(m.quantity == 1 for m in members)
                    assert await reading.value_of(conn, span) == len(expected)
                    assert await members_store.count_members(conn, span) == len(expected)


def _on(day: int) -> date:
    return date(2008, 12, day)


SCENES: dict[str, tuple[list[Fact], dict[int, str | None]]] = {
    "leave told before an earlier enrolment elsewhere": (
        [
            person(1, effective_on=_on(1)),
            person(1, 2, status="ended", effective_on=_on(15)),
            person(1, 3, unit="L-BG", effective_on=_on(7)),
        ],
        {1: "210502", 6: "210502", 7: "L-BG", 14: "L-BG", 15: "L-BG", 31: "L-BG"},
    ),
    "a move that was re-dated to an earlier day": (
        [
            person(1, effective_on=_on(1)),
            person(1, 2, unit="L-BG", effective_on=_on(15)),
            person(1, 3, unit="L-BG", effective_on=_on(7), correction=True),
        ],
        {1: "210502", 6: "210502", 7: "L-BG", 31: "L-BG"},
    ),
    "a move that was re-dated to a later day": (
        [
            person(1, effective_on=_on(1)),
            person(1, 2, unit="L-BG", effective_on=_on(7)),
            person(1, 3, unit="L-BG", effective_on=_on(15), correction=True),
        ],
        {6: "210502", 7: "210502", 14: "210502", 15: "L-BG"},
    ),
    "a move that was re-dated twice, the second time before all that was": (
        [
            person(1, effective_on=_on(5)),
            person(1, 2, unit="L-BG", effective_on=_on(15)),
            person(1, 3, unit="L-BG", effective_on=_on(9), correction=True),
            person(1, 4, unit="210503", effective_on=_on(3), correction=True),
        ],
        {2: None, 3: "210503", 5: "210503", 9: "210503", 31: "210503"},
    ),
    "a change hid a later one, and then never was true": (
        [
            person(1, effective_on=_on(5)),
            person(1, 2, unit="L-BG", effective_on=_on(3)),
            person(1, 3, unit="L-BG", effective_on=_on(20), correction=True),
        ],
        {3: None, 5: "210502", 19: "210502", 20: "L-BG"},
    ),
    "the only state, re-dated": (
        [
            person(1, effective_on=_on(5)),
            person(1, 2, effective_on=_on(9), correction=True),
            person(1, 3, effective_on=_on(7), correction=True),
        ],
        {5: None, 6: None, 7: "210502", 9: "210502"},
    ),
    "the same state, told as of an earlier day": (
        [person(1, effective_on=_on(5)), person(1, 2, effective_on=_on(3))],
        {2: None, 3: "210502", 5: "210502"},
    ),
}


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
class TestScenes:
    async def test_the_unit_a_person_counts_in(
        self, scene: str, together: bool, database: Database, plan: Plan
    ) -> None:
        facts, expected = SCENES[scene]
        counting = Counting.of(plan)
        states = [
            State(fact.revision, fact.correction, position)
            for fact in facts
            for position in positions_of(fact, counting)
        ]
        await _apply_anew(database, facts, [not together] * len(facts))
        async with database.read() as conn:
            numbers = await reading.units_by_code(conn)
            for day, unit in expected.items():
                held = state_on(states, _on(day))
                assert (held.position.unit if held else None) == unit, day
                for code, number in numbers.items():
                    span = Span(MEASURES["insured-total"], (number,), Window(None, _on(day)))
                    members = await members_store.members_of(conn, span, None, 10)
                    assert len(members) == await reading.value_of(conn, span) == (code == unit)
