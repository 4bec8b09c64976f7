"""The projections made again from the journal: same facts, same figures (F56).

They are built a second time beside the living ones (``store.shadow``) while appliers apply and
readers read. Twice, for as long as it takes to replay the last few facts, appliers wait: once so
that both can be fingerprinted at one journal position (in a snapshot, when the appliers are long
at work again), once for the swap. What may be relied upon:

- Readers see the old figures whole or the new ones whole, never a mixture, and ids of entries
  keep their meaning.
- Nothing is swapped when the fingerprints differ, unless that was asked for (``accept``).
- An interruption at any point leaves the old figures. The next rebuild clears up and starts anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures import projections
from reporting.figures.postings import Counting
from reporting.figures.store import locks, replay, shadow, standing, sums, swapping
from reporting.figures.store.replay import Difference, JournalBlock
from reporting.figures.store.standing import CannotRebuild, Phase
from reporting.trust import projections as trust
from shared.database import Database
from shared.events import decode
from shared.plan import Plan

FACTS_AT_ONCE = 20_000
FEW_FACTS = 10_000
"""So few may be left when appliers are made to wait: about a second's work."""
SHOWN_DIFFERENCES = 20
READERS_SECONDS = 2.0
"""How long appliers wait for readers at one try to swap."""
PATIENCE_SECONDS = 600.0

Progress = Callable[[int, int], None]
"""Told how many facts of how many have been replayed."""


class RebuildRunning(CannotRebuild):
    """Another rebuild of this database is running."""

    def __init__(self) -> None:
        super().__init__("另一次重建正在进行 · another rebuild is running")


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did, and the fingerprint of the figures before and after, both at the same
    journal position. ``waited_seconds``: how long appliers were kept waiting, in all."""

    facts: int
    blocks: int
    hash_before: str
    hash_after: str
    swapped: bool
    waited_seconds: float
    differences: Sequence[Difference] = ()
    """The first sums that differ, by effective day."""
    differing_rows: dict[str, int] = field(default_factory=dict)
    """Rows that differ in tables the fingerprint leaves out."""

    @property
    def identical(self) -> bool:
        return self.hash_before == self.hash_after and not self.differing_rows


async def rebuild(
    database: Database, plan: Plan, progress: Progress | None = None, *, accept: bool = False
) -> Rebuilt:
    """Build every projection anew from the journal, with its own recorded times, and swap.

    What is not ``identical`` is swapped only with ``accept``: as when the plan's counting rules
    have changed, or the figures were damaged. Takes two connections of the pool and one beside.
    Raises DatabaseAway, and CannotRebuild: another one runs, somebody reads for ten minutes, the
    tables were migrated meanwhile.
    """
    async with database.direct() as line:
        if not await locks.try_to_be_the_one(line):
            raise RebuildRunning
        return await _Rebuild(database, line, Counting.of(plan), progress).run(accept=accept)


async def figures_hash(database: Database) -> str:
    """SHA-256 over the canonical holdings and rollups, hexadecimal."""
    async with database.read(snapshot=True) as conn:
        return await hash_of(conn)


async def hash_of(conn: AsyncConnection) -> str:
    """As ``figures_hash``, within a transaction."""
    digest = hashlib.sha256()
    async for part in replay.fingerprints(conn):
        digest.update(part.encode())
    return digest.hexdigest()


@dataclass
class _Rebuild:
    """One run. ``after``: the last journal block in the shadow."""

    database: Database
    line: locks.Line
    counting: Counting
    progress: Progress | None
    run_id: UUID = field(default_factory=uuid4)
    phase: Phase = "replaying"
    after: int = 0
    facts: int = 0
    blocks: int = 0
    total: int = 0
    numbered_to: int = 0
    new_ids: int = 0
    waited: float = 0.0

    async def run(self, *, accept: bool) -> Rebuilt:
        head = await locks.settled_head(self.line)
        async with self.database.transaction() as conn:
            await shadow.clear(conn)
            await shadow.lay_out(conn)
            await sums.begin(conn)
            self.total = (await replay.extent(conn, 0, head)).facts
            await standing.begin(conn, self.run_id, self.total)
        await self._catch_up()
        await self._finish()
        before, after, found, rows = await self._compare()
        same = before == after and not rows
        if same or accept:
            await self._swap()
        await self._end("swapped" if same or accept else "differs", (before, after))
        return Rebuilt(
            self.facts, self.blocks, before, after, same or accept, self.waited, found, rows
        )

    async def _catch_up(self) -> None:
        """Replay until few facts are left, or until more come than are caught up with: then only
        making appliers wait helps, and what is left is what came during the last round."""
        came: float = float("inf")
        while True:
            before, last = self.facts, came
            await self._replay(await locks.settled_head(self.line))
            came = self.facts - before
            if came <= FEW_FACTS or came > last / 2:
                return

    async def _replay(self, head: int) -> None:
        """Bring the shadow up to a block, a group of facts in each transaction."""
        async with self.database.read() as conn:
            more = await replay.extent(conn, self.after, head)
        self.total = self.facts + more.facts
        group = await self._prepare(self.after, head) if more.blocks else None
        while group is not None:
            following = asyncio.create_task(self._prepare(group.blocks[-1].id, head))
            try:
                await self._apply(group)
                group = await following
            finally:
                following.cancel()

    async def _prepare(self, after: int, head: int) -> _Group | None:
        """The next group, decoded while the database is at work on the one before."""
        async with self.database.read() as conn:
            blocks = await replay.blocks_of(conn, after, head, FACTS_AT_ONCE)
        return await asyncio.to_thread(_decoded, blocks) if blocks else None

    async def _apply(self, group: _Group) -> None:
        async with self.database.transaction() as conn:
            await conn.execute(text("SET LOCAL synchronous_commit = off"))
            await shadow.within(conn)
            moved = await projections.take_positions(conn, self.counting, group.facts)
            if moved is not None:
                await self._post(conn, group, moved)
            await trust.apply(conn, [located.fact for located in group.facts])
            self.facts += len(group.facts)
            self.blocks += len(group.blocks)
            self.after = group.blocks[-1].id
            await standing.note(conn, self.run_id, self.phase, self.facts, self.total)
        if self.progress is not None:
            self.progress(self.facts, self.total)

    async def _post(self, conn: AsyncConnection, group: _Group, moved: projections.Moved) -> None:
        """Entries, with their sums unless all is to be added up at the end."""
        blocks = {
            no: projections.block_of(b.id, b.producer, b.partition, b.recorded_at)
            for no, b in enumerate(group.blocks)
        }
        if self.phase == "replaying":
            await projections.post_entries_only(conn, moved, blocks)
            await sums.note_blocks(conn, blocks.values())
        else:
            await projections.post(conn, moved, blocks)

    async def _enter(self, phase: Phase) -> None:
        self.phase = phase
        async with self.database.transaction() as conn:
            await standing.note(conn, self.run_id, phase, self.facts, self.total)

    async def _finish(self) -> None:
        await self._enter("finishing")
        self.numbered_to = self.after
        async with self.database.transaction() as conn:
            await sums.add_up(conn)
            self.new_ids = await swapping.number(conn)
            await swapping.finish(conn, self.numbered_to)

    async def _compare(self) -> tuple[str, str, list[Difference], dict[str, int]]:
        await self._enter("catching-up")
        await self._catch_up()
        await self._enter("comparing")
        async with self.database.read(snapshot=True) as conn:
            async with self._ledger_alone():
                await self._replay_tail()
                await replay.head(conn)  # the first statement takes the snapshot
            rows = await replay.differing_rows(conn)
            before = await hash_of(conn)
            await shadow.within(conn)
            after = await hash_of(conn)
            found = [] if before == after else await replay.differences(conn, SHOWN_DIFFERENCES)
        return before, after, found, rows

    async def _swap(self) -> None:
        await self._enter("swapping")
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            await self._catch_up()
            await self._number_late()
            async with self.database.transaction() as conn:
                await swapping.shoo_vacuum(conn)
            try:
                async with self._ledger_alone():
                    await self._replay_tail()
                    await self._number_late()
                    if not await locks.older_readers_gone(self.line, READERS_SECONDS):
                        raise swapping.ReadersInTheWay
                    async with self.database.transaction() as conn:
                        await swapping.swap(conn, self.after, new_ids=self.new_ids > 0)
                return
            except swapping.ReadersInTheWay:
                if time.monotonic() > give_up_at:
                    raise
                await asyncio.sleep(READERS_SECONDS)

    async def _end(self, phase: Phase, hashes: tuple[str, str]) -> None:
        """Keep how it ended, drop what was not swapped."""
        async with self.database.transaction() as conn:
            await shadow.drop_tables(conn)
            await standing.note(conn, self.run_id, phase, self.facts, self.total, hashes)

    async def _number_late(self) -> None:
        async with self.database.transaction() as conn:
            self.new_ids += await swapping.number_late(conn, self.numbered_to)
        self.numbered_to = self.after

    async def _replay_tail(self) -> None:
        async with self.database.read() as conn:
            head = await replay.head(conn)
        await self._replay(head)

    @asynccontextmanager
    async def _ledger_alone(self) -> AsyncIterator[None]:
        began = time.monotonic()
        try:
            async with locks.ledger_alone(self.line):
                yield
        finally:
            self.waited += time.monotonic() - began


@dataclass(frozen=True)
class _Group:
    """Blocks posted together, and their facts."""

    blocks: Sequence[JournalBlock]
    facts: Sequence[projections.Located]


def _decoded(blocks: Sequence[JournalBlock]) -> _Group:
    return _Group(
        blocks,
        [
            projections.Located(no, index, message.position, decode(message.type, message.data))
            for no, block in enumerate(blocks)
            for index, message in enumerate(projections.unpacked(block.payload))
        ],
    )
