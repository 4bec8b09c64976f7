"""Batches of several partitions given their effect together, where that is plain."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.contract import Batch, Message
from shared.database import DatabaseAway
from shared.inbox import Applied, FactBatch, Inbox
from shared.inbox.together import apply_together


def by_partition(world: Any, *sizes: int) -> list[Batch]:
    """One batch for each size, for partitions 0, 1, …, with positions from 1."""
    return [world.batch(world.messages(world.facts(n)), no) for no, n in enumerate(sizes)]


def counted(world: Any) -> tuple[Inbox, list[int]]:
    """An inbox whose handler notes how many batches each call gave it."""
    calls: list[int] = []
    inbox: Inbox = world.inbox()
    [(producer, joint)] = inbox.joint.items()

    async def noted(conn: AsyncConnection, batches: Sequence[FactBatch]) -> None:
        calls.append(len(batches))
        await joint(conn, batches)

    inbox.joint[producer] = noted
    return inbox, calls


async def test_have_their_effect_in_one_call_and_move_every_mark(world: Any) -> None:
    inbox, calls = counted(world)
    batches = by_partition(world, 3, 2, 4)
    assert await apply_together(inbox, batches) == [Applied(3), Applied(2), Applied(4)]
    assert calls == [3]
    marks = await world.rows("SELECT partition, position FROM inbox_marks ORDER BY 1")
    assert [tuple(row) for row in marks] == [(0, 3), (1, 2), (2, 4)]
    assert len(await world.effects()) == 9


async def test_what_was_had_is_dropped(world: Any) -> None:
    inbox, calls = counted(world)
    batches = by_partition(world, 3, 2)
    await inbox.apply(batches[0])
    assert await apply_together(inbox, batches) == [Applied(dropped=3), Applied(2)]
    assert await apply_together(inbox, batches) == [Applied(dropped=3), Applied(dropped=2)]
    assert calls == [1]
    assert len(await world.effects()) == 5


_with = msgspec.structs.replace
SPOILT: dict[str, Callable[[list[Message]], list[Message]]] = {
    "a hole before it": lambda m: [_with(one, position=one.position + 1) for one in m],
    "a hole within": lambda m: [m[0], *m[2:]],
    "a type nobody knows": lambda m: [*m[:1], _with(m[1], type="x.y.v1"), *m[2:]],
    "a broken payload": lambda m: [*m[:2], _with(m[2], data=b"{")],
    "another's message": lambda m: [_with(m[0], source="enrollment"), *m[1:]],
}


@pytest.mark.parametrize("what", SPOILT)
async def test_anything_unplain_leaves_all_as_it_was(world: Any, what: str) -> None:
    inbox = world.inbox()
    plain, other = by_partition(world, 3, 3)
    spoilt = world.batch(SPOILT[what](other.messages), 1)
    assert await apply_together(inbox, [plain, spoilt]) is None
    assert await world.effects() == []
    assert await world.rows("SELECT * FROM inbox_marks WHERE position > 0") == []
    assert await world.rows("SELECT * FROM dead_letters") == []


async def test_a_refusing_handler_sends_them_one_by_one(world: Any, plain_effect: Any) -> None:
    async def refuses(conn: AsyncConnection, batch: FactBatch) -> None:
        await plain_effect(conn, batch)
        if batch.partition == 1:
            raise ArithmeticError

    assert await apply_together(world.inbox(refuses), by_partition(world, 2, 2)) is None
    assert await world.effects() == []


async def test_the_database_away_is_said(world: Any) -> None:
    async def away(conn: AsyncConnection, batch: FactBatch) -> None:
        raise DatabaseAway("gone")

    with pytest.raises(DatabaseAway):
        await apply_together(world.inbox(away), by_partition(world, 2, 2))


async def test_late_positions_of_a_gap_go_one_by_one(world: Any) -> None:
    inbox = world.inbox()
    whole, other = by_partition(world, 4, 2)
    await inbox.apply(world.batch(whole.messages[2:], 0), over_gaps=True)  # 1 and 2 are missing
    assert await apply_together(inbox, [whole, other]) is None
    assert await inbox.apply(whole) == Applied(applied=2, dropped=2)
    assert await apply_together(inbox, [whole, other]) == [Applied(dropped=4), Applied(2)]


async def test_too_many_dead_letters_stop_this_way_too(world: Any) -> None:
    inbox = world.inbox(limit=0)
    [spoilt, *others] = by_partition(world, 1, 2, 2)
    unknown = msgspec.structs.replace(spoilt.messages[0], type="x.y.v1")
    await inbox.apply(world.batch([unknown], 0))
    assert await apply_together(inbox, others) is None
    assert await world.effects() == []
