"""The projections made again from the journal: same facts, same figures (F56).

Everything happens in one transaction that has the ledger to itself: appliers wait, readers go on
seeing the old figures until the new ones are committed, and an interruption leaves the old.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures import projections
from reporting.figures.postings import Counting
from reporting.figures.store import posting, replay
from reporting.figures.store.replay import JournalBlock
from reporting.trust import projections as trust
from shared.database import Database
from shared.events import decode
from shared.plan import Plan

FACTS_AT_ONCE = 5000
_BLOCKS_AT_ONCE = 200

Progress = Callable[[int, int], None]
"""Told how many facts of how many have been replayed."""


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did, and the fingerprint of the figures before and after."""

    facts: int
    blocks: int
    hash_before: str
    hash_after: str

    @property
    def identical(self) -> bool:
        return self.hash_before == self.hash_after


async def rebuild(database: Database, plan: Plan, progress: Progress | None = None) -> Rebuilt:
    """Wipe every projection and replay the journal in order, with its own recorded times.

    The hash may differ only when the plan's counting rules have changed. Raises DatabaseAway.
    """
    counting = Counting.of(plan)
    facts = blocks = after = 0
    async with database.transaction() as conn:
        await posting.lock_alone(conn)
        before = await hash_of(conn)
        total = await replay.count_facts(conn)
        await replay.wipe(conn)
        while found := await replay.blocks_after(conn, after, _BLOCKS_AT_ONCE):
            for group in _groups(found):
                facts += await _replay(conn, counting, group)
                if progress is not None:
                    progress(facts, total)
            blocks += len(found)
            after = found[-1].id
        return Rebuilt(facts, blocks, before, await hash_of(conn))


async def figures_hash(database: Database) -> str:
    """SHA-256 over the canonical holdings and rollups, hexadecimal."""
    async with database.read(snapshot=True) as conn:
        return await hash_of(conn)


async def hash_of(conn: AsyncConnection) -> str:
    """As ``figures_hash``, within a transaction."""
    digest = hashlib.sha256()
    async for line in replay.canonical_lines(conn):
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _groups(blocks: Sequence[JournalBlock]) -> Iterator[list[JournalBlock]]:
    """Runs of blocks of about ``FACTS_AT_ONCE`` facts: small blocks are posted together."""
    group: list[JournalBlock] = []
    size = 0
    for block in blocks:
        if group and size + block.fact_count > FACTS_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(block)
        size += block.fact_count
    if group:
        yield group


async def _replay(conn: AsyncConnection, counting: Counting, group: Sequence[JournalBlock]) -> int:
    located = [
        projections.Located(no, index, message.position, decode(message.type, message.data))
        for no, block in enumerate(group)
        for index, message in enumerate(projections.unpacked(block.payload))
    ]
    if await projections.take_positions(conn, counting, located):
        await projections.post(
            conn,
            {
                no: projections.block_of(
                    block.id, block.producer, block.partition, block.recorded_at
                )
                for no, block in enumerate(group)
            },
        )
    await trust.apply(conn, (item.fact for item in located))
    return len(located)
