"""The bus door: a batch of facts becomes a journal block and everything that follows from it."""

from __future__ import annotations

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
    await posting.lock_shared(conn)
    await figures.apply(conn, Counting.of(runtime.plan), batch, runtime.clock.now())
    await trust.apply(conn, (received.fact for received in batch.facts))
