"""The bus door: a batch of facts becomes a journal block and everything that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures import projections as figures
from reporting.figures.postings import Counting
from reporting.figures.store import posting
from reporting.trust import projections as trust
from shared.inbox import FactBatch

if TYPE_CHECKING:
    from shared.runtime import Runtime


async def take_facts(conn: AsyncConnection, runtime: Runtime, batch: FactBatch) -> None:
    """Journal the batch and bring every projection up to it, in the mark's transaction.

    Raises BadMessage for a fact that cannot be kept.
    """
    await take_all_facts(conn, runtime, [batch])


async def take_all_facts(
    conn: AsyncConnection, runtime: Runtime, batches: Sequence[FactBatch]
) -> None:
    """The same of several batches, of whichever producers: a journal block each, everything else
    once for all of them."""
    await posting.lock_shared(conn)
    await figures.apply(conn, Counting.of(runtime.plan), batches, runtime.clock.now())
    await trust.apply(conn, [received.fact for batch in batches for received in batch.facts])
