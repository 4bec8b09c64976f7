"""Statements of rebuilding: reading the journal, wiping projections, fingerprinting figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.rules import Segments

PROJECTIONS: Final = (
    "entries",
    "holdings",
    "rollups",
    "day_totals",
    "segment_sets",
    "unit_codes",
    "delivery_facts",
    "employer_keys",
    "employer_links",
)
"""Everything the journal can make again."""


class JournalBlock(NamedTuple):
    """A block as it was kept."""

    id: int
    producer: str
    partition: int
    recorded_at: datetime
    fact_count: int
    payload: bytes


async def wipe(conn: AsyncConnection) -> None:
    """Empty the projections. DELETE, so that readers see the old figures until the commit."""
    for table in PROJECTIONS:
        await conn.execute(text(f"DELETE FROM {table}"))


async def count_facts(conn: AsyncConnection) -> int:
    """How many facts the journal holds."""
    found = await conn.execute(text("SELECT coalesce(sum(fact_count), 0) FROM journal"))
    return int(found.scalar_one())


async def blocks_after(conn: AsyncConnection, after: int, limit: int) -> Sequence[JournalBlock]:
    """The next blocks in order, at most ``limit`` of them."""
    rows = await conn.execute(
        text(
            "SELECT id, producer, partition, recorded_at, fact_count, payload FROM journal"
            " WHERE id > :after ORDER BY id LIMIT :limit"
        ),
        {"after": after, "limit": limit},
    )
    return [JournalBlock(*row) for row in rows]


_SEGMENT = " || '|' || ".join(f"s.{name}" for name in Segments._fields)
_HOLDINGS = text(
    f"SELECT concat_ws(' ', h.account, h.holder, h.subject, u.code, {_SEGMENT}, h.q1, h.q2, h.q3,"
    " h.effective_on, h.touched_on, h.revision) FROM holdings h JOIN unit_codes u ON u.id = h.unit"
    ' JOIN segment_sets s ON s.id = h.segment ORDER BY h.account, h.holder COLLATE "C"'
)
_ROLLUPS = text(
    f"SELECT concat_ws(' ', r.account, u.code, {_SEGMENT}, r.effective_on, r.recorded_on, r.slot,"
    " r.q1, r.q2, r.q3) AS line FROM rollups r JOIN unit_codes u ON u.id = r.unit"
    " JOIN segment_sets s ON s.id = r.segment"
    " WHERE coalesce(r.q1, 0) <> 0 OR coalesce(r.q2, 0) <> 0 OR coalesce(r.q3, 0) <> 0"
    " ORDER BY concat_ws(' ', r.account, u.code, r.effective_on, r.recorded_on, r.slot, "
    f'{_SEGMENT}) COLLATE "C"'
)


async def canonical_lines(conn: AsyncConnection) -> Any:
    """Holdings, then rollups that are not nothing, one text per row, in an order and with names
    that do not depend on how numbers were given out."""
    for statement in (_HOLDINGS, _ROLLUPS):
        result = await conn.stream(statement)
        async for line in result.scalars():
            yield line
