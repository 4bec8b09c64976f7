"""Statements that add up the shadow's sums in one go, once its entries are there.

Posting keeps rollups and day totals up with every batch, an upsert for nearly every entry where
days are many. A rebuild reads none of them before all is replayed: it notes what is needed of the
blocks, and adds up at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.store.posting import Block
from reporting.figures.store.shadow import SCHEMA
from shared.database import raw

_BLOCKS: Final = f"{SCHEMA}.blocks"
_SUMS: Final = ", ".join(f"sum(q{slot})::int8" for slot in (1, 2, 3))
_ROLLUP: Final = "account, unit, segment, effective_on, recorded_on, slot"
_TOTAL: Final = "account, unit, effective_on"


async def begin(conn: AsyncConnection) -> None:
    """Where blocks are noted; goes with the schema, or by ``add_up``."""
    await conn.execute(
        text(
            f"CREATE UNLOGGED TABLE {_BLOCKS}"
            " (id int8 NOT NULL, recorded_on date NOT NULL, slot int2 NOT NULL)"
        )
    )


async def note_blocks(conn: AsyncConnection, blocks: Iterable[Block]) -> None:
    """Blocks whose entries were posted without their sums, each once."""
    noted = list(blocks)
    await (await raw(conn)).execute(
        f"INSERT INTO {_BLOCKS} SELECT * FROM unnest(%s::int8[], %s::date[], %s::int2[])",
        (
            [block.id for block in noted],
            [block.recorded_on for block in noted],
            [block.slot for block in noted],
        ),
    )


async def add_up(conn: AsyncConnection) -> None:
    """Rollups and day totals of all entries there are, into empty tables."""
    await conn.execute(text(f"ANALYZE {_BLOCKS}"))
    await conn.execute(
        text(
            f"INSERT INTO {SCHEMA}.rollups ({_ROLLUP}, q1, q2, q3) SELECT {_ROLLUP}, {_SUMS}"
            f" FROM {SCHEMA}.entries e JOIN {_BLOCKS} b ON b.id = e.block"
            f" GROUP BY {_ROLLUP} ORDER BY {_ROLLUP}"
        )
    )
    await conn.execute(
        text(
            f"INSERT INTO {SCHEMA}.day_totals ({_TOTAL}, q1, q2, q3) SELECT {_TOTAL}, {_SUMS}"
            f" FROM {SCHEMA}.rollups GROUP BY {_TOTAL} ORDER BY {_TOTAL}"
        )
    )
    await conn.execute(text(f"DROP TABLE {_BLOCKS}"))
