"""Two consumers at once: a subject that moves from one partition's employer to another's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from enrollment.identity.store import lock_employers
from enrollment.leads.handlers import on_feed_facts
from shared.bus import Message
from shared.events import Fact, encode
from shared.events.registration_feed import EnterpriseChanged
from shared.inbox import FactBatch, Received
from tests.enrollment.conftest import World
from tests.enrollment.records import licence, org_code, registered

FIRMS = 20


def _states(number: int) -> tuple[Fact, Fact]:
    """One licence under one firm's code, then under another firm's."""
    paper: dict[str, Any] = {"subject": f"licence:{licence(number + 500)}", "licence_no": None}
    code = org_code(number + 100)
    there: dict[str, Any] = {**paper, "key": f"oc:{code}", "org_code": code}
    return (
        registered(number, **paper),
        registered(number, 2, what=EnterpriseChanged, revision=2, **there),
    )


def _batch(facts: Sequence[Fact], partition: int) -> FactBatch:
    received = [
        Received(
            no,
            Message(
                fact.fact_id, fact.type_name(), fact.producer, fact.key, no, "", None, encode(fact)
            ),
            fact,
        )
        for no, fact in enumerate(facts, 1)
    ]
    return FactBatch(facts[0].producer, partition, 1, received)


async def _take(world: World, facts: Sequence[Fact], partition: int) -> None:
    async with world.runtime.database.transaction() as conn:
        await on_feed_facts(conn, world.runtime, _batch(facts, partition))


async def _waits_or_is_done(world: World, task: asyncio.Task[None]) -> None:
    for _ in range(1000):
        waiting = await world.rows(
            "SELECT 1 FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        if task.done() or waiting:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("neither done nor waiting")


async def _known_firms(world: World) -> None:
    """Every firm is known: nobody has to mint, which would make the two wait for each other."""
    firms = [*range(FIRMS), *range(100, 100 + FIRMS)]
    await _take(world, [registered(number) for number in firms], 0)


async def _subjects_of_two(world: World) -> int:
    """Subjects that still stand under two employers."""
    (row,) = await world.rows(
        "SELECT count(*) AS n FROM lead_events old JOIN lead_events new"
        " ON new.subject = old.subject AND new.revision > old.revision"
        " AND new.employer_id <> old.employer_id AND new.what <> 'gone' AND old.what <> 'gone'"
        " WHERE NOT EXISTS (SELECT FROM lead_events g WHERE g.subject = new.subject"
        " AND g.employer_id = old.employer_id AND g.what = 'gone')"
    )
    return int(row["n"])


@pytest.mark.parametrize("newer_first", [False, True])
async def test_neither_misses_the_other(newer_first: bool, world: World) -> None:
    await _known_firms(world)
    first, second = sorted(_states(3), key=lambda fact: fact.revision, reverse=newer_first)
    async with world.runtime.database.transaction() as conn:
        await on_feed_facts(conn, world.runtime, _batch([first], 0))
        other = asyncio.create_task(_take(world, [second], 1))
        await _waits_or_is_done(world, other)
    await asyncio.wait_for(other, 30)
    gone = await world.rows("SELECT employer_id, revision FROM lead_events WHERE what = 'gone'")
    assert [row["revision"] for row in gone] == [2]
    assert await _subjects_of_two(world) == 0


async def test_many_at_once_end_as_one_after_another(world: World) -> None:
    await _known_firms(world)
    for number in range(FIRMS):
        one, two = _states(number)
        await asyncio.wait_for(
            asyncio.gather(_take(world, [one], 0), _take(world, [two], 1)), timeout=30
        )
    gone = await world.rows("SELECT DISTINCT subject FROM lead_events WHERE what = 'gone'")
    assert len(gone) == FIRMS
    assert await _subjects_of_two(world) == 0


async def test_ordinary_batches_do_not_wait_for_each_other(world: World) -> None:
    await _known_firms(world)
    async with world.runtime.database.transaction() as conn:
        await on_feed_facts(conn, world.runtime, _batch([_states(1)[0]], 0))
        await asyncio.wait_for(_take(world, [_states(2)[0]], 1), 30)


async def test_who_brings_firms_in_locks_those_known_in_one_order(world: World) -> None:
    """A licence moves from the first firm to the second in a batch with a firm nobody knew: while
    the first is in another's hand the second is free, so nobody waits crosswise."""
    await _take(world, [registered(0), registered(1), _states(0)[0]], 0)
    first, second = "E000000001", "E000000002"
    paper: dict[str, Any] = {"subject": f"licence:{licence(500)}", "licence_no": None}
    there: dict[str, Any] = {**paper, "key": f"oc:{org_code(1)}", "org_code": org_code(1)}
    moved = registered(0, 2, what=EnterpriseChanged, revision=2, **there)
    async with world.runtime.database.transaction() as conn:
        await lock_employers(conn, [first])
        task = asyncio.create_task(_take(world, [moved, registered(7)], 1))
        await _waits_or_is_done(world, task)
        free = await conn.execute(
            sa.text(
                "SELECT employer_id FROM employers WHERE employer_id = :id "
                "FOR NO KEY UPDATE SKIP LOCKED"
            ),
            {"id": second},
        )
        assert (task.done(), free.scalars().all()) == (False, [second])
    await task
    assert await _subjects_of_two(world) == 0
