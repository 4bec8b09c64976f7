"""Nothing is lost, nothing is counted twice: whatever happens in whatever order, the effects sum
up to the facts written."""

import random
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import DatabaseAway
from shared.inbox import BadMessage, FactBatch, list_letters
from shared.inbox.together import apply_together

STEPS = 120


class Chaos:
    """Writers, relays and consumers taking steps in an order drawn from a seed.

    Relays die between any two of their steps or wake up as zombies; consumers die between fetch,
    apply and commit, go back to the beginning, and find their database away; messages come twice
    and in the wrong order; some facts are refused until somebody mends the handler.
    """

    def __init__(self, world: Any, plain_effect: Any, seed: int) -> None:
        self.world = world
        self.plain_effect = plain_effect
        self.chance = random.Random(seed)
        self.written: list[Any] = []
        self.mended = False
        self.together = 0
        self.inbox = world.inbox(self.effect, limit=10_000)
        self.relays: dict[int, tuple[str, list[Any]]] = {0: ("idle", []), 1: ("idle", [])}
        self.consumer: Any = None
        self.hand: list[Any] = []

    async def effect(self, conn: AsyncConnection, batch: FactBatch) -> None:
        """Half of the work is done before it fails, when it fails."""
        for received in batch.facts:
            if not self.mended and received.fact.pooled_fen % 17 == 0:  # type: ignore[attr-defined]
                raise BadMessage(received.position, "a multiple of seventeen")
            if not self.mended and received.fact.pooled_fen % 29 == 0:  # type: ignore[attr-defined]
                raise ArithmeticError("a multiple of twenty-nine")
        await self.plain_effect(conn, batch)
        if not self.mended and self.chance.random() < 0.1:
            raise DatabaseAway("the connection broke")

    async def step(self) -> None:
        steps = [self.write, self.relay, self.relay, self.consume, self.consume, self.inject]
        await self.chance.choice(steps)()

    async def write(self) -> None:
        facts = self.world.facts(self.chance.randint(1, 15), keys=6)
        await self.world.write(facts)
        self.written += facts

    async def relay(self) -> None:
        no = self.chance.randrange(len(self.relays))
        state, blocks = self.relays[no]
        relay = self.world.relay(facts_per_turn=self.chance.choice([1, 10, 50]))
        if self.chance.random() < 0.1:
            self.relays[no] = ("idle", [])
        elif state == "taken":
            await relay.publish(blocks)
            self.relays[no] = ("sent", blocks)
        else:
            blocks = await relay.take(blocks if state == "sent" else [])
            self.relays[no] = ("taken", blocks) if blocks else ("idle", [])

    async def consume(self) -> None:
        if self.consumer is None:
            self.consumer = self.world.bus.consumer("reporting", [self.world.topic])
            await self.consumer.start()
            self.hand = []
            if self.chance.random() < 0.3:
                await self.consumer.seek_to_beginning()
        self.hand = self.hand or await self.consumer.fetch(self.chance.randint(1, 40), 0)
        done = {}
        if self.chance.random() < 0.5:
            done = await self.apply_together()
        while self.hand and self.chance.random() < 0.9:
            try:
                await self.inbox.apply(self.hand[0])
            except DatabaseAway:
                break  # it stays in hand, to be tried again
            batch = self.hand.pop(0)
            done[batch.topic, batch.partition] = batch.next_offset
        if self.chance.random() < 0.2:
            await self.consumer.close()  # dies without committing
            self.consumer = None
        elif done:
            await self.consumer.commit(done)

    async def apply_together(self) -> dict[tuple[str, int], int]:
        try:
            applied = await apply_together(self.inbox, self.hand) if self.hand else None
        except DatabaseAway:
            applied = None
        if applied is None:
            return {}
        self.together += 1
        hand, self.hand = self.hand, []
        return {(batch.topic, batch.partition): batch.next_offset for batch in hand}

    async def inject(self) -> None:
        """What is on the bus already comes once more, shuffled."""
        on_the_bus = await self.world.on_the_bus()
        if on_the_bus:
            partition = self.chance.choice(list(on_the_bus))
            messages = on_the_bus[partition]
            some = self.chance.choices(messages, k=min(8, len(messages)))
            await self.world.bus.publish(self.world.topic, {partition: some})

    async def settle(self) -> None:
        """Calm returns: everything is sent, fetched and applied; the handler is mended."""
        for state, blocks in self.relays.values():
            if state == "taken":
                await self.world.relay().publish(blocks)
        await self.world.relay().turn()
        self.mended = True
        if self.consumer is not None:
            await self.consumer.close()
        consumer = self.world.bus.consumer("reporting", [self.world.topic])
        await consumer.start()
        while batches := await consumer.fetch(10_000, 0):
            for batch in batches:
                await self.inbox.apply(batch)
        await consumer.close()


@pytest.mark.parametrize("seed", range(6))
async def test_effects_and_dead_letters_sum_up_to_the_facts_written(
    world: Any, plain_effect: Any, seed: int
) -> None:
    chaos = Chaos(world, plain_effect, seed)
    for _ in range(STEPS):
        await chaos.step()
    assert chaos.together > 0
    await chaos.settle()
    written = sorted(fact.fact_id for fact in chaos.written)
    async with world.consumer.read() as conn:
        letters = await list_letters(conn, limit=10_000)
    effects = await world.effects()
    assert sorted([*(i for i, _ in effects), *(letter.fact_id for letter in letters)]) == written
    assert await world.rows("SELECT * FROM inbox_gaps") == []

    answers = await chaos.inbox.replay([letter.id for letter in letters])
    assert {answer.outcome for answer in answers} <= {"applied"}
    effects = await world.effects()
    assert sorted(fact_id for fact_id, _ in effects) == written
    assert sum(fen for _, fen in effects) == sum(fact.pooled_fen for fact in chaos.written)
    await _in_order(world, {letter.fact_id for letter in letters})


async def _in_order(world: Any, replayed: set[str]) -> None:
    """Per key the effects came in the order of writing, but for what was replayed later."""
    last: dict[str, int] = {}
    for row in await world.rows("SELECT key, fact_id, revision FROM effects ORDER BY no"):
        if row.fact_id not in replayed:
            assert row.revision > last.get(row.key, 0)
            last[row.key] = row.revision
