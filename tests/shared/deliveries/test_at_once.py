"""A delivery dealt with while its sender waits comes to what it comes to in its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from shared.deliveries.feed import ApplyContext, JudgedRow
from tests.shared.deliveries import made_service
from tests.shared.deliveries.conftest import Door
from tests.shared.deliveries.made_service import METADATA, licence, lines
from tests.shared.deliveries.test_crash import mixed_body, outcome_of

SHORTLY = 0.2
"""Seconds to wait where no worker will do it in its turn."""


@pytest.fixture
def at_once(door: Door) -> Door:
    """The door with a worker at work in its process; it does nothing by itself."""
    door.runtime.at_work.worker = door.worker
    return door


async def test_it_comes_to_the_same(at_once: Door) -> None:
    """Good, repeated, corrected, broken and held records."""
    body = mixed_body(10)
    await at_once.push(body)
    expected = await outcome_of(at_once)
    (in_turn,) = await at_once.rows("deliveries")
    async with at_once.runtime.database.transaction() as conn:
        for table in reversed(METADATA.sorted_tables):
            await conn.execute(table.delete())

    answer = await at_once.post(body, wait=30, key="again")

    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in ("sent", "applied", "held", "rejected")} == {
        name: in_turn["receipt"][name] for name in ("sent", "applied", "held", "rejected")
    }
    await at_once.worker.drain()  # held records are due once, either way
    assert await outcome_of(at_once) == expected
    (row,) = await at_once.rows("deliveries")
    assert row["receipt_sha256"] is not None
    assert row.keys() == in_turn.keys()
    assert {name for name in row if (row[name] is None) != (in_turn[name] is None)} == set()
    again = await at_once.post(body, wait=30, key="again")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["delivery"] == answer.json()["delivery"]


async def test_it_waits_its_turn_behind_others(at_once: Door) -> None:
    await at_once.post(lines(licence(1, capital="1")))
    answer = await at_once.post(lines(licence(1, capital="2")), wait=SHORTLY)
    assert answer.status_code == 202
    await at_once.worker.drain()
    assert [row["capital_fen"] for row in await at_once.rows("licences")] == [200]


async def test_one_that_was_accepted_meanwhile_goes_first(at_once: Door) -> None:
    """Another process takes a delivery in, which this one then comes after."""
    came: list[int] = []

    async def another_comes(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> None:
        if not came:
            came.append((await at_once.post(lines(licence(1, capital="1")))).status_code)

    made_service.seams.append(another_comes)
    answer = await at_once.post(lines(licence(1, capital="2")), wait=SHORTLY)
    assert (came, answer.status_code) == ([202], 202)
    await at_once.worker.drain()
    (state,) = await at_once.rows("licences")
    assert (state["capital_fen"], state["revision"]) == (200, 2)
    # It may be so again: for a while none is tried in vain.
    assert (await at_once.post(lines(licence(3)), wait=SHORTLY)).status_code == 202


async def test_senders_who_come_together_are_all_dealt_with(at_once: Door) -> None:
    bodies = [lines(licence(no)) for no in range(1, 6)]
    answers = await asyncio.gather(*(at_once.post(body, wait=30) for body in bodies))
    assert [answer.status_code for answer in answers] == [201] * 5
    assert [row["status"] for row in await at_once.rows("deliveries")] == ["done"] * 5


@pytest.mark.parametrize(
    "query", [{"dry_run": True}, {"nil": True}, {"mode": "replace"}, {"wait": 0}]
)
async def test_what_takes_more_or_is_not_waited_for_goes_the_ordinary_way(
    at_once: Door, query: dict[str, Any]
) -> None:
    body = b"" if query.get("nil") else lines(licence(1))
    answer = await at_once.post(body, **{"wait": SHORTLY, **query})
    assert answer.status_code == 202
    await at_once.worker.drain()
    (row,) = await at_once.rows("deliveries")
    assert row["status"] == "done"


async def test_it_takes_no_longer_than_its_sender_waits(at_once: Door) -> None:
    never = asyncio.Event()

    async def hang(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> None:
        await never.wait()

    made_service.seams.append(hang)
    answer = await at_once.post(lines(licence(1)), wait=SHORTLY)
    assert answer.status_code == 202
    assert await at_once.rows("licences") == []
    made_service.seams.clear()
    await at_once.worker.drain()
    assert [row["status"] for row in await at_once.rows("deliveries")] == ["done"]


async def test_a_fault_of_ours_leaves_it_accepted(at_once: Door) -> None:
    async def fault(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> None:
        raise KeyError("210502196801010017")

    made_service.seams.append(fault)
    answer = await at_once.post(lines(licence(1)), wait=SHORTLY)
    assert answer.status_code == 202
    made_service.seams.clear()
    await at_once.worker.drain()
    assert [row["status"] for row in await at_once.rows("deliveries")] == ["done"]
    assert len(await at_once.rows("licences")) == 1
