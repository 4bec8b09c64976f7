"""Held records that will not be applied any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.deliveries import store
from shared.deliveries.feed import Disposition, RowProblem
from shared.deliveries.receipts import CODES, Counts, merged
from shared.deliveries.store import DeliveryRow
from shared.deliveries.store import held as held_store


async def end_held(
    conn: AsyncConnection,
    row: DeliveryRow,
    numbers: Sequence[int],
    problem: RowProblem,
    now: datetime,
) -> DeliveryRow:
    """End held records as rejected for this reason. Returns the row with its counts of then."""
    rejected = CODES[Disposition.REJECTED]
    before = await held_store.take_problems(conn, row.id, numbers)
    await held_store.resolve(conn, row.id, numbers, now)
    await held_store.rewrite_chunks(conn, row.id, dict.fromkeys(numbers, rejected))
    await store.write_problems(
        conn, row.id, [(no, Disposition.REJECTED, (problem,)) for no in numbers]
    )
    counts = row.counts + Counts(rejected=len(numbers)) - Counts(held=len(numbers))
    counts.conserve(row.counts.total)
    codes = [one.code for found in before.values() for one in found]
    problems = merged(merged(row.problem_counts, codes, -1), [problem.code] * len(numbers))
    return replace(
        row,
        rejected_count=counts.rejected,
        held_count=counts.held,
        problem_counts=problems,
    )
