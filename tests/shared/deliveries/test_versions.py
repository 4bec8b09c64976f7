"""Corrections, duplicates, order of acceptance, and two pushes at once."""

import asyncio
from typing import Any

from shared.events.registration_feed import EnterpriseRegistered
from tests.shared.deliveries.conftest import Door
from tests.shared.deliveries.made_service import licence, lines

A, B = licence(1, capital="1"), licence(1, capital="2")


async def history(door: Door) -> list[tuple[Any, ...]]:
    return [
        (row["revision"], row["record_no"], row["superseded_by_no"])
        for row in await door.rows("superseded_versions", "id")
    ]


class TestOneChunk:
    async def test_there_and_back_again_is_three_versions(self, door: Door) -> None:
        receipt = (await door.push(lines(A, B, A)))["receipt"]
        assert (receipt["applied"], receipt["duplicate"]) == (3, 0)
        (state,) = await door.rows("licences")
        assert (state["revision"], state["record_no"], state["capital_fen"]) == (3, 3, 100)
        assert await history(door) == [(1, 1, 2), (2, 2, 3)]
        (fact,) = await door.facts(EnterpriseRegistered)
        assert (fact.revision, fact.record_no) == (3, 3)

    async def test_the_same_again_is_a_duplicate(self, door: Door) -> None:
        receipt = (await door.push(lines(A, A, B, B)))["receipt"]
        assert (receipt["applied"], receipt["duplicate"]) == (2, 2)

    async def test_what_ends_as_it_was_is_new_revisions_all_the_same(self, door: Door) -> None:
        await door.push(lines(A))
        receipt = (await door.push(lines(B, A)))["receipt"]
        assert receipt["applied"] == 2
        (state,) = await door.rows("licences")
        assert (state["revision"], state["capital_fen"]) == (3, 100)
        assert [fact.revision for fact in await door.facts(EnterpriseRegistered)] == [1, 3]


class TestDeliveries:
    async def test_are_applied_in_the_order_of_acceptance(self, door: Door) -> None:
        for body in (A, B, A, B):
            assert (await door.post(lines(body))).status_code == 202
        await door.worker.drain()
        (state,) = await door.rows("licences")
        assert (state["revision"], state["capital_fen"]) == (4, 200)

    async def test_a_record_shows_its_versions(self, door: Door) -> None:
        first = await door.push(lines(A))
        second = await door.push(lines(licence(2), B))
        answer = await door.get(f"/deliveries/{first['delivery']}/records/1")
        versions = answer.json()["versions"]
        assert [(one["delivery"], one["no"], one["current"]) for one in versions] == [
            (first["delivery"], 1, False),
            (second["delivery"], 2, True),
        ]
        alone = await door.get(f"/deliveries/{second['delivery']}/records/1")
        assert [one["current"] for one in alone.json()["versions"]] == [True]

    async def test_the_same_records_in_another_order_end_in_the_same_state(
        self, door: Door
    ) -> None:
        records = [licence(no) for no in range(1, 40)]
        await door.push(lines(*records))
        before = await door.rows("licences", "natural_key")
        receipt = (await door.push(lines(*reversed(records))))["receipt"]
        assert receipt["duplicate"] == 39
        assert await door.rows("licences", "natural_key") == before


class TestAtOnce:
    async def test_two_pushes_of_one_number_are_one_delivery(self, door: Door) -> None:
        body = lines(*(licence(no) for no in range(1, 30)))
        answers = await asyncio.gather(*(door.post(body, key="k1") for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409, 409, 409]
        assert len(await door.rows("deliveries")) == 1
        assert len(await door.rows("delivery_segments")) == 3

    async def test_pushes_of_many_numbers_are_each_applied_once(self, door: Door) -> None:
        bodies = [lines(*(licence(n) for n in range(first, first + 15))) for first in range(8)]
        answers = await asyncio.gather(*(door.post(body) for body in bodies))
        await door.worker.drain()
        receipts = [
            (await door.delivery(answer.json()["delivery"]))["receipt"] for answer in answers
        ]
        assert sum(receipt["applied"] for receipt in receipts) == 22
        assert sum(receipt["duplicate"] for receipt in receipts) == 8 * 15 - 22
        rows = await door.rows("deliveries", "seq")
        assert [row["completed_at"] for row in rows] == sorted(row["completed_at"] for row in rows)
