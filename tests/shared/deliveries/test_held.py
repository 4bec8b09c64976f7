"""Held records: put aside, released by what they wait for, judged again through the same gate."""

import asyncio
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from shared.deliveries.feed import ApplyContext, JudgedRow
from shared.events.deliveries import DeliveryReceived
from shared.events.registration_feed import EnterpriseRegistered
from tests.shared.deliveries import made_service
from tests.shared.deliveries.conftest import Door, until
from tests.shared.deliveries.made_service import LICENCES_FEED, SHOPS_FEED, licence, lines


def shops(*numbers: str) -> bytes:
    return lines(*({"shop_no": number} for number in numbers))


async def push_shops(door: Door, *numbers: str) -> None:
    await door.push(shops(*numbers), "shops", period="2008-06-D1")


async def received(door: Door) -> list[tuple[str, int, int, int]]:
    return [
        (fact.feed, fact.revision, fact.applied_count, fact.held_count)
        for fact in await door.facts(DeliveryReceived)
        if isinstance(fact, DeliveryReceived) and fact.feed == "business-licences"
    ]


async def waiting(door: Door, lock: str) -> bool:
    """Whether somebody waits for a lock of the kind."""
    async with door.runtime.database.read() as conn:
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = :kind"
        return bool(await conn.scalar(sa.text(query), {"kind": lock}))


class TestRelease:
    async def test_applies_what_waited_and_keeps_the_receipt(self, door: Door) -> None:
        body = lines(*(licence(no, shop_no=f"s{no % 3}") for no in range(1, 31)))
        before = await door.push(body)
        assert before["receipt"]["held"] == 30
        await push_shops(door, "s0", "s1")
        after = await door.delivery(before["delivery"])
        assert after["counts"] == {"applied": 20, "duplicate": 0, "rejected": 0, "held": 10}
        assert after["problems"] == {"shop-unknown": 10}
        assert after["receipt"] == before["receipt"]
        assert len(await door.facts(EnterpriseRegistered)) == 20
        # Two rounds, a chunk each.
        assert await received(door) == [
            ("business-licences", 1, 0, 30),
            ("business-licences", 2, 10, 20),
            ("business-licences", 3, 20, 10),
        ]
        await push_shops(door, "s2")
        after = await door.delivery(before["delivery"])
        assert after["counts"]["applied"] == 30
        listed = await door.get(f"/deliveries/{before['delivery']}/records", disposition="held")
        assert listed.json()["items"] == []

    async def test_facts_of_a_delivery_have_ids_of_their_own(self, door: Door) -> None:
        await door.push(lines(licence(1, shop_no="s0"), licence(2, shop_no="s1")))
        await push_shops(door, "s0")
        await push_shops(door, "s1")
        ids = [fact.fact_id for fact in await door.facts()]
        assert len(ids) == len(set(ids))

    async def test_what_another_delivery_brings_later_counts_for_all_that_wait(
        self, door: Door
    ) -> None:
        first = await door.push(lines(licence(1, shop_no="s0")))
        second = await door.push(lines(licence(1, shop_no="s0"), licence(2, shop_no="s0")))
        await push_shops(door, "s0")
        counts = [(await door.delivery(one["delivery"]))["counts"] for one in (first, second)]
        assert counts[0]["applied"] == 1
        assert (counts[1]["applied"], counts[1]["duplicate"]) == (1, 1)

    async def test_an_older_version_does_not_undo_a_newer_one(self, door: Door) -> None:
        older = await door.push(lines(licence(1, shop_no="s0", capital="1")))
        await door.push(lines(licence(1, capital="2")))
        await push_shops(door, "s0")
        assert (await door.delivery(older["delivery"]))["counts"]["applied"] == 1
        (state,) = await door.rows("licences")
        assert (state["revision"], state["capital_fen"]) == (1, 200)
        (version,) = await door.rows("superseded_versions")
        assert version["revision"] is None
        assert len(await door.facts(EnterpriseRegistered)) == 1

    async def test_an_interrupted_release_is_made_good(self, door: Door) -> None:
        before = await door.push(lines(*(licence(no, shop_no="s0") for no in range(1, 26))))
        await door.post(shops("s0"), "shops", period="2008-06-D1")
        await door.worker.step(SHOPS_FEED)

        async def strike(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> None:
            made_service.seams.clear()
            raise asyncio.CancelledError

        made_service.seams.append(strike)
        with pytest.raises(asyncio.CancelledError):
            await door.worker.step(LICENCES_FEED)
        assert (await door.delivery(before["delivery"]))["counts"]["held"] == 25
        await (await door.fresh_worker()).drain()
        assert (await door.delivery(before["delivery"]))["counts"]["applied"] == 25


class TestRace:
    async def test_a_token_that_comes_while_a_record_is_being_held(self, door: Door) -> None:
        """The licences are held without seeing the shop, the shop releases without seeing the
        licences; they must not wait for ever."""
        body = lines(*(licence(no, shop_no="s0") for no in range(1, 12)))
        licences = (await door.post(body)).json()["delivery"]
        await door.post(shops("s0"), "shops", period="2008-06-D1")
        async with door.runtime.database.transaction() as conn:
            # The shop comes as far as its facts, behind its release, and no further.
            await conn.execute(sa.text("LOCK TABLE outbox_blocks IN EXCLUSIVE MODE"))
            shop = asyncio.create_task(door.worker.step(SHOPS_FEED))
            await until(lambda: waiting(door, "relation"))
            assert await door.worker.step(LICENCES_FEED)
            assert (await door.delivery(licences))["counts"]["held"] == 10
            again = asyncio.create_task(door.worker.step(LICENCES_FEED))

            async def waits_for_the_shop() -> bool:
                return again.done() or await waiting(door, "advisory")

            await until(waits_for_the_shop)
        await asyncio.gather(shop, again)
        await door.worker.drain()
        assert (await door.delivery(licences))["counts"]["applied"] == 11

    async def test_a_token_that_comes_while_a_record_is_being_judged_again(
        self, door: Door
    ) -> None:
        """The second look has seen no shop; the shop comes before that look is committed."""
        licences = (await door.post(lines(licence(1, shop_no="s0")))).json()["delivery"]
        assert await door.worker.step(LICENCES_FEED)
        await door.post(shops("s0"), "shops", period="2008-06-D1")

        async def the_shop_comes(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> None:
            if ctx.replay:
                made_service.seams.clear()
                assert await door.worker.step(SHOPS_FEED)

        made_service.seams.append(the_shop_comes)
        assert await door.worker.step(LICENCES_FEED)
        assert (await door.delivery(licences))["counts"]["held"] == 1
        await door.worker.drain()
        assert (await door.delivery(licences))["counts"]["applied"] == 1

    async def test_a_held_record_does_not_keep_the_worker_busy(self, door: Door) -> None:
        await door.push(lines(licence(1, shop_no="s0")))
        assert not await door.worker.step(LICENCES_FEED)
