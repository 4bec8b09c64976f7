"""Figures rebuilt beside the living ones: appliers apply, readers read, nothing is mixed, and what
is killed in the middle leaves the old (features F56)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures import rebuild as rebuilding
from reporting.figures.rebuild import RebuildRunning, figures_hash, rebuild
from reporting.figures.store import standing
from shared import migrate
from shared.database import Database
from shared.plan import Plan
from tests.reporting.objects import apply, person, receipt

BOUND_SECONDS = 60.0


@pytest.fixture
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many transactions, several rounds of catching up."""
    monkeypatch.setattr(rebuilding, "FACTS_AT_ONCE", 200)
    monkeypatch.setattr(rebuilding, "FEW_FACTS", 100)


@pytest.fixture
async def elsewhere(reporting_url: str) -> AsyncIterator[Database]:
    """The same database as other processes see it: appliers and readers."""
    opened = Database(reporting_url, 8, "test-elsewhere")
    try:
        yield opened
    finally:
        await opened.close()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        while not await condition():  # noqa: ASYNC110 - the condition lies in a database
            await asyncio.sleep(0.01)


async def phase(database: Database) -> str:
    async with database.read() as conn:
        found = await standing.read(conn)
    return found.phase if found else ""


async def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    async with database.read() as conn:
        return [tuple(row) for row in await conn.execute(text(query))]


async def persons_everywhere(conn: AsyncConnection) -> set[int]:
    """How many persons the journal has, and how many each table counts: one number when sound.

    Every fact of the test is a new person, active. The journal is asked first: with it a reader
    of a snapshot has chosen its moment.
    """
    found = {int((await conn.execute(text("SELECT sum(fact_count) FROM journal"))).scalar_one())}
    for query in (
        "SELECT sum(q1) FROM day_totals d JOIN unit_codes u ON u.id = d.unit WHERE account = 1",
        "SELECT sum(q1) FROM entries e JOIN segment_sets s ON s.id = e.segment",
        "SELECT sum(q1) FROM rollups r JOIN unit_codes u ON u.id = r.unit",
        "SELECT sum(q1) FROM holdings h JOIN segment_sets s ON s.id = h.segment",
    ):
        found.add(int((await conn.execute(text(query))).scalar_one()))
    return found


class Appliers:
    """Two partitions applied to without a pause, and readers who count what they see."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.applied = 0
        self.seen: list[set[int]] = []
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Appliers:
        self._tasks = [asyncio.create_task(self._apply(partition)) for partition in (1, 2)]
        self._tasks += [asyncio.create_task(self._read()) for _ in range(2)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _apply(self, partition: int) -> None:
        first = 1
        while not self._stop.is_set():
            facts = [person(partition * 100_000 + first + n) for n in range(7)]
            await apply(self.database, facts, first_position=first, partition=partition)
            first += 7
            self.applied += 7

    async def _read(self) -> None:
        while not self._stop.is_set():
            async with self.database.read(snapshot=True) as conn:
                self.seen.append(await persons_everywhere(conn))


class TestBesideTheLiving:
    @pytest.mark.usefixtures("in_small_pieces")
    async def test_appliers_and_readers_go_on_and_hashes_are_equal(
        self, database: Database, elsewhere: Database, plan: Plan
    ) -> None:
        for block in range(40):
            facts = [person(block * 20 + n) for n in range(20)]
            await apply(database, facts, first_position=block * 20 + 1)
        (old_table,) = await rows(database, "SELECT 'entries'::regclass::oid")
        async with Appliers(elsewhere) as others:
            await until(lambda: _true(others.applied > 20 and len(others.seen) > 2))
            before = others.applied
            for _ in range(2):
                rebuilt = await rebuild(database, plan)
                assert rebuilt.identical and rebuilt.swapped
                # What came while it ran is in it.
                assert rebuilt.facts > 800
            assert others.applied > before, "no fact was applied during the rebuild"
        assert [seen for seen in others.seen if len(seen) > 1] == []
        assert await rows(database, "SELECT 'entries'::regclass::oid") != [old_table]
        async with database.read(snapshot=True) as conn:
            assert await persons_everywhere(conn) == {800 + others.applied}
        assert (await rebuild(database, plan)).identical

    async def test_a_snapshot_taken_before_is_served_whole_before_the_swap(
        self, database: Database, elsewhere: Database, plan: Plan
    ) -> None:
        await apply(database, [person(n) for n in range(10)])
        async with elsewhere.read(snapshot=True) as reader:
            await reader.execute(text("SELECT count(*) FROM inbox_marks"))
            await apply(database, [person(n) for n in range(10, 20)], first_position=11)
            running = asyncio.create_task(rebuild(database, plan))
            await until(lambda: _is(elsewhere, "swapping"))
            await asyncio.wait({running}, timeout=1.0)
            assert not running.done(), "swapped under a reader"
            assert await persons_everywhere(reader) == {10}
        assert (await running).swapped
        async with database.read(snapshot=True) as conn:
            assert await persons_everywhere(conn) == {20}

    async def test_a_block_that_commits_after_a_later_one_is_not_missed(
        self, database: Database, elsewhere: Database, plan: Plan
    ) -> None:
        written, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> None:
            from reporting.figures import projections
            from reporting.figures.postings import Counting
            from reporting.figures.store import posting
            from tests.reporting.objects import AT, batch

            async with elsewhere.transaction() as conn:
                await posting.lock_shared(conn)
                facts = batch([person(1)], 2, 1)
                await projections.apply(conn, Counting.of(plan), [facts], AT)
                written.set()
                await go_on.wait()

        # The names are known, so that the two have no row in common.
        await apply(database, [person(2)])
        await apply(database, [receipt(2)])
        late = asyncio.create_task(slow())
        await written.wait()
        await apply(database, [receipt(1)], first_position=2)
        journal = await rows(database, "SELECT id FROM journal ORDER BY id")
        assert journal == [(1,), (2,), (4,)], "the trap was not set"
        running = asyncio.create_task(rebuild(database, plan))
        await asyncio.wait({running}, timeout=0.3)
        assert not running.done()
        go_on.set()
        await late
        rebuilt = await running
        assert (rebuilt.facts, rebuilt.identical) == (4, True)

    async def test_only_one_at_a_time(self, database: Database, plan: Plan) -> None:
        await apply(database, [person(1)])

        def in_the_middle(done: int, total: int) -> None:
            second.append(asyncio.create_task(rebuild(database, plan)))

        second: list[asyncio.Task[Any]] = []
        # Held up by a reader, so that the second meets the first.
        async with database.read(snapshot=True) as reader:
            await reader.execute(text("SELECT count(*) FROM inbox_marks"))
            first = asyncio.create_task(rebuild(database, plan, in_the_middle))
            await until(lambda: _true(bool(second) and second[0].done()))
        with pytest.raises(RebuildRunning):
            await second[0]
        assert (await first).swapped


class TestWhatIsLeft:
    async def test_tables_are_as_migrated_in_every_name(
        self, database: Database, reporting_url: str, plan: Plan
    ) -> None:
        async with database.transaction() as conn:
            await conn.execute(text("GRANT SELECT ON holdings TO PUBLIC"))
        queries = (
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
            "SELECT relname, relkind, relpersistence, relacl::text FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
            "SELECT table_name, column_name, ordinal_position, column_default, is_nullable,"
            " data_type, identity_generation FROM information_schema.columns"
            " WHERE table_schema = 'public' ORDER BY 1, 3",
        )
        await apply(database, [person(1)])
        before = [await rows(database, query) for query in queries]
        assert (await rebuild(database, plan)).swapped
        assert [await rows(database, query) for query in queries] == before
        from reporting.app import SERVICE

        found = await asyncio.to_thread(migrate.differences, reporting_url, SERVICE.metadata)
        assert found == []
        left = "SELECT relname FROM pg_class WHERE relnamespace = 'rebuilding'::regnamespace"
        assert await rows(database, left) == [("standing",)]

    async def test_entries_keep_their_ids_and_new_ones_get_new_ones(
        self, database: Database, plan: Plan
    ) -> None:
        ids = (
            "SELECT e.id, block, block_index, holder, code, q1 FROM entries e"
            " JOIN unit_codes u ON u.id = e.unit ORDER BY e.id"
        )
        await apply(database, [person(1), person(2), person(1, 2, unit="210503")])
        await apply(database, [receipt(1), receipt(1, 2, pooled_fen=5)], first_position=4)
        # As when two appliers ran at a time: ids do not follow the journal.
        async with database.transaction() as conn:
            await conn.execute(text("ALTER TABLE entries ALTER id SET GENERATED BY DEFAULT"))
            await conn.execute(
                text("UPDATE entries SET id = CASE WHEN block = 1 THEN id + 100 ELSE id END")
            )
            await conn.execute(
                text("ALTER TABLE entries ALTER id SET GENERATED ALWAYS, ALTER id RESTART WITH 200")
            )
        before = await rows(database, ids)
        assert (await rebuild(database, plan)).swapped
        assert await rows(database, ids) == before
        await apply(database, [person(3)], first_position=6)
        assert [row[0] for row in await rows(database, ids)] == [*(r[0] for r in before), 200]

    async def test_entries_that_had_been_lost_get_ids_of_their_own(
        self, database: Database, plan: Plan
    ) -> None:
        await apply(database, [person(n) for n in range(5)])
        async with database.transaction() as conn:
            await conn.execute(text("DELETE FROM entries WHERE id = 3"))
        assert (await rebuild(database, plan)).swapped
        await apply(database, [person(9)], first_position=6)
        ids = [row[0] for row in await rows(database, "SELECT id FROM entries ORDER BY 1")]
        assert ids[:4] == [1, 2, 4, 5]
        assert len(set(ids)) == 6


class TestDifferences:
    async def test_are_named_and_not_swapped_unless_accepted(
        self, database: Database, plan: Plan
    ) -> None:
        await apply(database, [person(1), person(2, unit="210503")])
        sound = await figures_hash(database)
        async with database.transaction() as conn:
            await conn.execute(text("UPDATE rollups SET q1 = 5 WHERE unit = 1"))
        spoilt = await figures_hash(database)
        refused = await rebuild(database, plan)
        assert (refused.swapped, refused.identical) == (False, False)
        assert (refused.hash_before, refused.hash_after) == (spoilt, sound)
        (found,) = refused.differences
        assert (found.unit, str(found.effective_on)) == ("210502", "2008-04-30")
        assert found.by_measure() == [("insured-total", 5, 1)]
        assert await figures_hash(database) == spoilt
        assert await phase(database) == "differs"
        assert (await rebuild(database, plan, accept=True)).swapped
        assert await figures_hash(database) == sound
        assert await phase(database) == "swapped"

    async def test_of_what_the_hash_leaves_out_are_counted(
        self, database: Database, plan: Plan
    ) -> None:
        await apply(database, [person(1), person(2, unit="210503")])
        async with database.transaction() as conn:
            await conn.execute(text("UPDATE day_totals SET q1 = 5 WHERE unit = 1"))
        refused = await rebuild(database, plan)
        assert (refused.hash_before == refused.hash_after, refused.swapped) == (True, False)
        assert refused.differing_rows == {"day_totals": 2}
        assert (await rebuild(database, plan, accept=True)).swapped
        assert (await rebuild(database, plan)).identical


KILLED = """
import asyncio, sys, time
from reporting.figures import rebuild as rebuilding
from shared.database import Database
from shared.plan import load_plan

rebuilding.FACTS_AT_ONCE = 20

def told(done, total):
    if done >= int(sys.argv[2]):
        print(done, flush=True)
        time.sleep(600)

asyncio.run(rebuilding.rebuild(Database(sys.argv[1], 4), load_plan(), told))
"""


class TestKilled:
    async def test_in_the_middle_the_old_figures_stay_and_the_next_one_works(
        self, database: Database, reporting_url: str, plan: Plan
    ) -> None:
        for block in range(10):
            facts = [person(block * 10 + n) for n in range(10)]
            await apply(database, facts, first_position=block * 10 + 1)
        before = await figures_hash(database)
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", KILLED, reporting_url, "40"),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert child.stdout is not None
            async with asyncio.timeout(BOUND_SECONDS):
                assert int(await child.stdout.readline()) == 40
            async with database.read() as conn:
                told = await standing.read(conn)
            assert told is not None
            assert (told.running, told.phase, told.facts_done, told.facts_total) == (
                *(True, "replaying"),
                *(40, 100),
            )
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGKILL)
            await child.wait()
        assert await figures_hash(database) == before
        await until(lambda: _not_running(database))
        await apply(database, [person(1000)], first_position=101)
        rebuilt = await rebuild(database, plan)
        assert (rebuilt.facts, rebuilt.identical, rebuilt.swapped) == (101, True, True)


async def _is(database: Database, wanted: str) -> bool:
    return await phase(database) == wanted


async def _not_running(database: Database) -> bool:
    async with database.read() as conn:
        found = await standing.read(conn)
    return found is not None and not found.running


async def _true(value: bool) -> bool:
    return value
