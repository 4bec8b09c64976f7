"""Holders nobody knows yet: their first states go straight into holdings and entries.

Nearly every fact of a long list is the first of its holder. It replaces nothing, so nothing has to
be upserted, staged again, compared and taken back: it is one holding and at most one entry.
``moving`` and ``posting`` would write the same, at half as much again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.store.moving import IN_ORDER, STAGE, TAKEN
from reporting.figures.store.posting import (
    BLOCKS,
    NOT_NOTHING,
    ROLLUP_KEY,
    SUMMED,
    SUMS,
    Block,
    blocks_given,
    enter,
)
from shared.database import raw

ROUND: Final = 0
"""Stands for the round of lines whose holder nobody should know; the others' begin with 1."""

_HOLD: Final = f"""
INSERT INTO holdings (account, holder, {", ".join(TAKEN)}, touched_on, revision, stands_since)
SELECT account, holder, {", ".join(TAKEN)}, effective_on, revision,
  CASE WHEN correction THEN 0 ELSE revision END
FROM {STAGE} WHERE round = {ROUND} ORDER BY {IN_ORDER}
"""
_NOT_FRESH: Final = f"UPDATE {STAGE} SET round = 1 WHERE round = {ROUND}"
_FRESH: Final = f"(SELECT * FROM {STAGE} WHERE round = {ROUND}) AS fresh"
_ENTER: Final = f"WITH {BLOCKS} {enter(_FRESH)}"
_POST: Final = f"""
WITH {BLOCKS}, entered AS ({enter(_FRESH)}
)
INSERT INTO {SUMS} ({ROLLUP_KEY}, q1, q2, q3)
SELECT {ROLLUP_KEY}, {SUMMED}
FROM {_FRESH} JOIN blocks ON blocks.no = block_no WHERE {NOT_NOTHING} GROUP BY {ROLLUP_KEY}
"""


async def hold(conn: AsyncConnection) -> bool:
    """Give the staged lines of round 0 their holdings.

    False when the ledger has one of the holders after all: then all of them are of round 1. To
    ask for each beforehand would cost a tenth of the whole, and is left to the unique key: a
    failed try leaves dead rows, but a first state is hardly ever told twice.
    """
    connection = await raw(conn)
    try:
        async with conn.begin_nested():
            await connection.execute(_HOLD)
    except psycopg.errors.UniqueViolation:
        await connection.execute(_NOT_FRESH)
        return False
    return True


async def post_entries(conn: AsyncConnection, blocks: Mapping[int, Block]) -> None:
    """Entries of the lines of round 0, and their sums to those of ``posting.begin_sums``."""
    await (await raw(conn)).execute(_POST, blocks_given(blocks))


async def post_entries_only(conn: AsyncConnection, blocks: Mapping[int, Block]) -> None:
    """Entries of the lines of round 0; who calls this adds up their sums later."""
    await (await raw(conn)).execute(_ENTER, blocks_given(blocks))
