"""The inbox: once only, by position; dead letters, gaps, replay through the same gate."""

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import DatabaseAway
from shared.inbox import BadMessage, FactBatch, GapSeen, TooManyDeadLetters, list_letters
from shared.inbox.store import holes, without
from shared.telemetry import current_traceparent

positions = st.lists(st.integers(1, 30), unique=True).map(sorted)


@given(positions, st.integers(0, 30))
def test_holes_and_positions_cover_everything_above_the_mark_once(
    given_positions: list[int], mark: int
) -> None:
    new = [position for position in given_positions if position > mark]
    missing = [p for first, last in holes(mark, new) for p in range(first, last + 1)]
    assert sorted(missing + new) == list(range(mark + 1, new[-1] + 1 if new else mark + 1))


@given(positions, positions)
def test_what_came_late_is_no_longer_missing(missing: list[int], came: list[int]) -> None:
    spans = holes(0, [p for p in range(1, 32) if p not in missing])
    rest = without(spans, came)
    assert [p for first, last in rest for p in range(first, last + 1)] == [
        position for position in missing if position not in came
    ]
    assert all(first <= last for first, last in rest)


async def test_a_batch_has_its_effect_once(world: Any) -> None:
    inbox, messages = world.inbox(), world.messages(world.facts(5))
    first = await inbox.apply(world.batch(messages))
    again = await inbox.apply(world.batch(messages))
    assert (first.applied, first.dropped) == (5, 0)
    assert (again.applied, again.dropped) == (0, 5)
    assert [fen for _, fen in await world.effects()] == [1, 2, 3, 4, 5]


async def test_partitions_and_producers_have_marks_of_their_own(world: Any) -> None:
    inbox, messages = world.inbox(), world.messages(world.facts(4))
    for partition in (0, 1):
        assert (await inbox.apply(world.batch(messages, partition))).applied == 4
    async with world.consumer.read() as conn:
        status = await inbox.status(conn)
    assert [(m.partition, m.position) for m in status.marks] == [(0, 4), (1, 4)]


@pytest.mark.parametrize("seed", range(5))
async def test_duplicates_and_reordering_within_a_batch_change_nothing(
    world: Any, seed: int
) -> None:
    chance = random.Random(seed)
    messages = world.messages(world.facts(20))
    inbox = world.inbox()
    for start in range(0, 20, 5):
        shuffled = messages[max(0, start - 3) : start + 5] * 2
        chance.shuffle(shuffled)
        await inbox.apply(world.batch(shuffled))
    assert [fen for _, fen in await world.effects()] == list(range(1, 21))
    assert await world.value("SELECT count(*) FROM inbox_gaps") == 0


async def test_what_comes_over_the_bus_out_of_order_is_a_gap_and_then_fills_it(world: Any) -> None:
    messages = world.messages(world.facts(10))
    inbox = world.inbox()
    with pytest.raises(GapSeen) as seen:
        await inbox.apply(world.batch([*messages[:2], *messages[6:]]))
    assert seen.value.position == 3
    assert await world.effects() == [], "first it is only said"
    assert await world.rows("SELECT * FROM inbox_marks") == []
    done = await inbox.apply(world.batch([*messages[:2], *messages[6:]]), over_gaps=True)
    assert (done.applied, done.missing) == (6, 4)
    async with world.consumer.read() as conn:
        (gap,) = (await inbox.status(conn)).gaps
    assert (gap.first_position, gap.last_position) == (3, 6)
    late = await inbox.apply(world.batch([messages[4], messages[0], messages[4]]))
    assert (late.applied, late.missing) == (1, 0)
    spans = await world.rows("SELECT first_position, last_position FROM inbox_gaps ORDER BY 1")
    assert [tuple(row) for row in spans] == [(3, 4), (6, 6)]
    assert (await inbox.apply(world.batch(messages))).applied == 3
    assert (await inbox.apply(world.batch(messages))).applied == 0
    assert await world.value("SELECT count(*) FROM inbox_gaps") == 0
    assert sorted(fen for _, fen in await world.effects()) == list(range(1, 11))
    assert await world.value("SELECT position FROM inbox_marks") == 10


async def test_an_effect_that_fails_leaves_nothing_and_moves_nothing(world: Any) -> None:
    class Away(DatabaseAway):
        pass

    async def effect(conn: AsyncConnection, batch: FactBatch) -> None:
        await conn.execute(text("INSERT INTO effects VALUES (DEFAULT, 'x', 'x', 1, 1, 0, 1)"))
        raise Away("just now")

    with pytest.raises(DatabaseAway):
        await world.inbox(effect).apply(world.batch(world.messages(world.facts(3))))
    assert await world.effects() == []
    assert await world.rows("SELECT * FROM inbox_marks") == []
    assert await world.rows("SELECT * FROM dead_letters") == []


async def test_two_consumers_of_one_partition_do_not_both_apply(
    world: Any, until: Any, plain_effect: Any
) -> None:
    """A rebalance in the middle: the second waits for the first's mark, then drops."""
    first_inside, second_inside, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(conn: AsyncConnection, batch: FactBatch) -> None:
        first_inside.set()
        await go_on.wait()
        await plain_effect(conn, batch)

    async def quick(conn: AsyncConnection, batch: FactBatch) -> None:
        second_inside.set()
        await plain_effect(conn, batch)

    async def second_waits_or_is_inside() -> bool:
        return second_inside.is_set() or bool(
            await world.value("SELECT count(*) FROM pg_locks WHERE NOT granted")
        )

    messages = world.messages(world.facts(6))
    await world.inbox().apply(world.batch(messages[:1]))
    first = asyncio.create_task(world.inbox(slow).apply(world.batch(messages[:4])))
    await first_inside.wait()
    second = asyncio.create_task(world.inbox(quick).apply(world.batch(messages)))
    await until(second_waits_or_is_inside)
    go_on.set()
    assert ((await first).applied, (await second).applied) == (3, 2)
    assert [fen for _, fen in await world.effects()] == [1, 2, 3, 4, 5, 6]


# -- messages that cannot be understood ------------------------------------------------------


def refusing(plain_effect: Any, how: dict[int, Exception]) -> Any:
    """An effect that raises for facts of these amounts, after having done half its work."""

    async def effect(conn: AsyncConnection, batch: FactBatch) -> None:
        for received in batch.facts:
            await plain_effect(
                conn,
                FactBatch(batch.producer, batch.partition, batch.first_position, [received]),
            )
            error = how.get(received.fact.pooled_fen)  # type: ignore[attr-defined]
            if isinstance(error, BadMessage):
                raise BadMessage(received.position, error.reason)
            if error is not None:
                raise error

    return effect


async def test_an_unknown_type_and_data_that_do_not_fit_are_dead_the_rest_applied(
    world: Any,
) -> None:
    messages = world.messages(world.facts(5))
    messages[1] = _with(messages[1], type="tax-feed.never-heard-of.v9")
    messages[3] = _with(messages[3], data=b'{"key": "\xff"')
    done = await world.inbox().apply(world.batch(messages))
    assert (done.applied, done.dead, done.left) == (3, 2, 0)
    assert [fen for _, fen in await world.effects()] == [1, 3, 5]
    async with world.consumer.read() as conn:
        letters = await list_letters(conn)
    assert [letter.message() for letter in letters] == [messages[1], messages[3]]
    assert "unknown fact type 'tax-feed.never-heard-of.v9'" in letters[0].reason
    assert await world.value("SELECT position FROM inbox_marks") == 5


async def test_a_refused_fact_is_dead_with_its_reason_in_order(
    world: Any, plain_effect: Any
) -> None:
    bad = BadMessage(0, "单位未知 · unit unknown")
    inbox = world.inbox(refusing(plain_effect, {3: bad, 4: bad, 9: bad}))
    done = await inbox.apply(world.batch(world.messages(world.facts(10))))
    assert (done.applied, done.dead) == (7, 3)
    assert [fen for _, fen in await world.effects()] == [1, 2, 5, 6, 7, 8, 10]
    async with world.consumer.read() as conn:
        letters = await list_letters(conn)
    assert {letter.reason for letter in letters} == {"单位未知 · unit unknown"}
    assert [letter.position for letter in letters] == [3, 4, 9]


async def test_the_fact_a_handler_stumbles_over_is_found_by_halving(
    world: Any, plain_effect: Any
) -> None:
    inbox = world.inbox(refusing(plain_effect, {6: KeyError("unit"), 13: ZeroDivisionError()}))
    done = await inbox.apply(world.batch(world.messages(world.facts(16))))
    assert (done.applied, done.dead) == (14, 2)
    assert sorted(fen for _, fen in await world.effects()) == [
        *range(1, 6),
        *range(7, 13),
        *range(14, 17),
    ]
    async with world.consumer.read() as conn:
        assert [letter.reason for letter in await list_letters(conn)] == [
            "KeyError: 'unit'",
            "ZeroDivisionError: ",
        ]


async def test_data_the_database_refuses_are_the_messages_fault(
    world: Any, plain_effect: Any
) -> None:
    async with world.consumer.transaction() as conn:
        await conn.execute(text("ALTER TABLE effects ADD CHECK (fen <> 3)"))
    facts = [*world.facts(4), world.fact("a", revision=2**40)]  # an integer too large, too
    done = await world.inbox().apply(world.batch(world.messages(facts)))
    assert (done.applied, done.dead) == (3, 2)
    async with world.consumer.read() as conn:
        reasons = [letter.reason for letter in await list_letters(conn)]
    assert reasons[0].startswith("CheckViolation: ")
    assert "out of range" in reasons[1]


async def test_the_databases_own_troubles_are_not(world: Any) -> None:
    """A schema not there yet, a statement cancelled, a deadlock: wait, dead-letter nothing."""
    inbox, batch = world.inbox(), world.batch(world.messages(world.facts(3)))
    async with world.consumer.transaction() as conn:
        await conn.execute(text("ALTER TABLE effects RENAME TO not_migrated_yet"))
    with pytest.raises(Exception, match="effects"):
        await inbox.apply(batch)

    async def cancelled(conn: AsyncConnection, batch: FactBatch) -> None:
        await conn.execute(text("SET LOCAL statement_timeout = '1ms'"))
        await conn.execute(text("SELECT pg_sleep(10)"))

    with pytest.raises(Exception, match="statement timeout"):
        await world.inbox(cancelled).apply(batch)

    async def gives_way(conn: AsyncConnection, batch: FactBatch) -> None:
        raise_it = "DO $$ BEGIN RAISE EXCEPTION 'gave way' USING ERRCODE = '40P01'; END $$"
        await conn.execute(text(raise_it))

    with pytest.raises(Exception, match="gave way"):
        await world.inbox(gives_way).apply(batch)
    assert await world.rows("SELECT * FROM dead_letters") == []
    async with world.consumer.transaction() as conn:
        await conn.execute(text("ALTER TABLE not_migrated_yet RENAME TO effects"))
    assert (await inbox.apply(batch)).applied == 3


async def test_a_stranger_on_the_topic_is_buried_and_moves_no_mark(world: Any) -> None:
    own, strange = world.messages(world.facts(2)), world.messages(world.facts(1), 900)
    strange = [_with(message, source="somebody-else") for message in strange]
    done = await world.inbox().apply(world.batch([*strange, *own]))
    assert (done.applied, done.dead, done.missing) == (2, 1, 0)
    assert await world.value("SELECT position FROM inbox_marks") == 2


async def test_above_the_limit_it_stops_where_it_stands(world: Any, plain_effect: Any) -> None:
    bad = BadMessage(0, "no")
    inbox = world.inbox(refusing(plain_effect, dict.fromkeys((2, 4, 6), bad)), limit=1)
    batch = world.batch(world.messages(world.facts(8)))
    done = await inbox.apply(batch)
    assert (done.applied, done.dead, done.left) == (2, 2, 4)
    assert [fen for _, fen in await world.effects()] == [1, 3], "what came before is kept"
    assert await world.value("SELECT position FROM inbox_marks") == 4
    with pytest.raises(TooManyDeadLetters):
        await inbox.apply(batch)
    async with world.consumer.read() as conn:
        status = await inbox.status(conn)
    assert status.stopped and status.dead_letters_open == 2 and status.dead_letter_limit == 1
    mended = world.inbox(limit=1)
    await mended.replay([letter.id for letter in await _letters(world)])
    assert (await mended.apply(batch)).applied == 4
    assert sorted(fen for _, fen in await world.effects()) == list(range(1, 9))


# -- replay ----------------------------------------------------------------------------------


async def test_replay_has_its_effect_once_however_often_and_at_once(
    world: Any, plain_effect: Any
) -> None:
    bad = BadMessage(0, "not yet")
    await world.inbox(refusing(plain_effect, {2: bad, 3: bad})).apply(
        world.batch(world.messages(world.facts(4)))
    )
    ids = [letter.id for letter in await _letters(world)]
    inbox = world.inbox()
    answers = await asyncio.gather(*(inbox.replay([*ids, 4711]) for _ in range(4)))
    outcomes = sorted(answer.outcome for answers_of in answers for answer in answers_of)
    assert outcomes == ["already-replayed"] * 6 + ["applied"] * 2 + ["unknown"] * 4
    assert sorted(fen for _, fen in await world.effects()) == [1, 2, 3, 4]
    async with world.consumer.read() as conn:
        status = await inbox.status(conn)
        assert await list_letters(conn) == []
        assert len(await list_letters(conn, open_only=False)) == 2
    assert (status.dead_letters_open, status.dead_letters_replayed) == (0, 2)
    # And the message coming once more over the bus still finds its position had.
    again = await inbox.apply(world.batch(world.messages(world.facts(4))))
    assert (again.applied, again.dropped) == (0, 4)


async def test_a_replay_that_fails_again_stays_open_with_the_new_reason(
    world: Any, plain_effect: Any
) -> None:
    await world.inbox(refusing(plain_effect, {1: BadMessage(0, "first")})).apply(
        world.batch(world.messages(world.facts(1)))
    )
    (letter,) = await _letters(world)
    inbox = world.inbox(refusing(plain_effect, {1: ValueError("second")}))
    (answer,) = await inbox.replay([letter.id])
    assert (answer.outcome, answer.reason) == ("failed", "ValueError: second")
    (letter,) = await _letters(world)
    assert (letter.reason, letter.failed_replays) == ("ValueError: second", 1)
    assert await world.effects() == []


async def test_replay_while_the_database_is_away_is_no_failure_of_the_letter(
    world: Any, plain_effect: Any
) -> None:
    await world.inbox(refusing(plain_effect, {1: BadMessage(0, "first")})).apply(
        world.batch(world.messages(world.facts(1)))
    )
    (letter,) = await _letters(world)
    with pytest.raises(DatabaseAway):
        await world.inbox(refusing(plain_effect, {1: DatabaseAway("gone")})).replay([letter.id])
    assert await _letters(world) == [letter]


async def test_the_handler_runs_within_the_trace_of_its_facts(world: Any) -> None:
    seen: list[tuple[list[str | None], str | None]] = []

    async def effect(conn: AsyncConnection, batch: FactBatch) -> None:
        carried = [received.message.traceparent for received in batch.facts]
        seen.append((carried, current_traceparent()))

    one = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    other = one.replace("0af7", "1af7")
    messages = world.messages(world.facts(4))
    inbox = world.inbox(effect)
    await inbox.apply(world.batch([_with(m, traceparent=one) for m in messages[:2]]))
    await inbox.apply(
        world.batch([_with(messages[2], traceparent=one), _with(messages[3], traceparent=other)])
    )
    (first, trace), (mixed, new_trace) = seen
    assert first == [one, one] and trace is not None and trace[3:35] == one[3:35]
    assert mixed == [one, other] and new_trace is not None
    assert new_trace[3:35] not in (one[3:35], other[3:35])


async def _letters(world: Any) -> Any:
    async with world.consumer.read() as conn:
        return await list_letters(conn)


def _with(message: Any, **changes: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(message, **changes)
