"""Every statement that writes the ledger, but for those that move holdings (``moving``) and those
of holders nobody knew (``fresh``).

The order of one application is always the same, so that concurrent appliers cannot deadlock and
the journal's order agrees with the order in which a holder's states were taken: shared lock, names
of units and segments, staged COPY, holdings of new holders, the others' round by round, journal,
entries, rollups, and day totals last, for their few rows are the only ones all appliers share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.rules import Segments
from reporting.figures.store.moving import LEGS
from shared.copying import stage
from shared.database import raw, sent_together

LEDGER_LOCK = 0x6B6D_6669_6775  # any number; appliers share it, rebuilding takes it alone


class Block(NamedTuple):
    """A journal block being posted: its id, when it was recorded, and its rollup slot."""

    id: int
    recorded_at: datetime
    recorded_on: date
    slot: int


async def lock_shared(conn: AsyncConnection) -> None:
    """Held to the end of the transaction: no rebuild while facts are being applied."""
    await conn.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": LEDGER_LOCK})


async def unit_ids(conn: AsyncConnection, codes: Iterable[str]) -> dict[str, int]:
    """Numbers for unit codes, given out when first seen. Unknown codes get one too: money is
    never held for want of a known unit."""
    wanted = sorted(set(codes))
    found = await _find_units(conn, wanted)
    missing = [code for code in wanted if code not in found]
    if missing:
        await conn.execute(
            text(
                "INSERT INTO unit_codes (code) SELECT unnest(CAST(:codes AS text[]))"
                " ON CONFLICT (code) DO NOTHING"
            ),
            {"codes": missing},
        )
        found = await _find_units(conn, wanted)
    return found


async def _find_units(conn: AsyncConnection, codes: Sequence[str]) -> dict[str, int]:
    rows = await conn.execute(
        text("SELECT code, id FROM unit_codes WHERE code = ANY(CAST(:codes AS text[]))"),
        {"codes": list(codes)},
    )
    return {row.code: row.id for row in rows}


_SEGMENT_COLUMNS = ", ".join(Segments._fields)
_FIND_SEGMENTS = text(
    f"SELECT s.id, {', '.join(f's.{name}' for name in Segments._fields)} FROM segment_sets s JOIN"
    " unnest(CAST(:a AS text[]), CAST(:b AS text[]), CAST(:c AS text[]), CAST(:d AS text[]),"
    f" CAST(:e AS text[])) AS w ({_SEGMENT_COLUMNS}) USING ({_SEGMENT_COLUMNS})"
)
_ADD_SEGMENTS = text(
    f"INSERT INTO segment_sets ({_SEGMENT_COLUMNS})"
    " SELECT * FROM unnest(CAST(:a AS text[]), CAST(:b AS text[]), CAST(:c AS text[]),"
    " CAST(:d AS text[]), CAST(:e AS text[]))"
    f" ON CONFLICT ({_SEGMENT_COLUMNS}) DO NOTHING"
)


async def segment_ids(conn: AsyncConnection, sets: Iterable[Segments]) -> dict[Segments, int]:
    """Numbers for segment sets, given out when first seen."""
    wanted = sorted(set(sets))
    found = await _find_segments(conn, wanted)
    missing = [segments for segments in wanted if segments not in found]
    if missing:
        await conn.execute(_ADD_SEGMENTS, _segment_arrays(missing))
        found = await _find_segments(conn, wanted)
    return found


async def _find_segments(conn: AsyncConnection, wanted: Sequence[Segments]) -> dict[Segments, int]:
    rows = await conn.execute(_FIND_SEGMENTS, _segment_arrays(wanted))
    return {Segments(*row[1:]): row[0] for row in rows}


def _segment_arrays(sets: Sequence[Segments]) -> dict[str, list[str]]:
    return {name: [s[i] for s in sets] for i, name in enumerate("abcde")}


class NewBlock(NamedTuple):
    """Facts to be kept: where they stood on the bus, when they were recorded, and themselves."""

    producer: str
    partition: int
    first_position: int
    last_position: int
    recorded_at: datetime
    fact_count: int
    payload: bytes


async def insert_journal(conn: AsyncConnection, blocks: Sequence[NewBlock]) -> list[int]:
    """Keep the facts as they came; the ids, in the order given, order blocks as their holders were
    locked."""
    columns = [list(column) for column in zip(*blocks, strict=True)]
    cursor = await (await raw(conn)).execute(_JOURNAL, columns)
    return sorted(int(row[0]) for row in await cursor.fetchall())


_JOURNAL = """
INSERT INTO journal (producer, partition, first_position, last_position, recorded_at, fact_count,
  payload)
SELECT producer, partition, first, last, at, facts, payload
FROM unnest(%s::text[], %s::int4[], %s::int8[], %s::int8[], %s::timestamptz[], %s::int4[],
  %s::bytea[]) WITH ORDINALITY AS b (producer, partition, first, last, at, facts, payload, no)
ORDER BY no
RETURNING id
"""


_SLOTS = (1, 2, 3)
BLOCKS = """blocks AS (
  SELECT * FROM unnest(%(nos)s::int2[], %(ids)s::int8[], %(recorded_at)s::timestamptz[],
    %(recorded_on)s::date[], %(slots)s::int2[]) AS b (no, id, recorded_at, recorded_on, slot)
)"""
"""The journal's blocks as a table, of ``blocks_given``."""
NOT_NOTHING = " OR ".join(f"coalesce(q{n}, 0) <> 0" for n in _SLOTS)
_SAME = "account, unit, segment, q1, q2, q3, effective_on, subject, holder, fact_type, fact_part"
_ENTRY = f"{_SAME}, delivery_id, record_no, block_index, fact_revision, recorded_at, block"


def enter(lines: str) -> str:
    """Statement that inserts an entry for each of these staged lines that is not nothing."""
    return f"""
  INSERT INTO entries ({_ENTRY})
  SELECT {_SAME}, delivery_id, record_no, block_index, revision, recorded_at, blocks.id
  FROM {lines} JOIN blocks ON blocks.no = block_no
  WHERE {NOT_NOTHING}"""


_POSTED = f"""
WITH {BLOCKS}, posted AS ({enter(f"({LEGS}) AS legs")}
  ORDER BY (block_no::int8 << 33) + (block_index::int8 << 1) + leg
  RETURNING account, unit, segment, q1, q2, q3, effective_on, block
)"""
# Days first: see ``moving.IN_ORDER``.
ROLLUP_KEY = "effective_on, unit, segment, slot, account, recorded_on"
SUMS = "posting_sums"
_SUM_COLUMNS = {
    "account": "int2",
    "unit": "int2",
    "segment": "int4",
    "effective_on": "date",
    "recorded_on": "date",
    "slot": "int2",
    **{f"q{n}": "int8" for n in _SLOTS},
}
SUMMED = ", ".join(f"sum(q{n})::int8" for n in _SLOTS)
_POST = f"""{_POSTED}
INSERT INTO {SUMS} ({ROLLUP_KEY}, q1, q2, q3)
SELECT {ROLLUP_KEY}, {SUMMED}
FROM posted JOIN blocks ON blocks.id = posted.block GROUP BY {ROLLUP_KEY}
"""


async def begin_sums(conn: AsyncConnection) -> None:
    """Where sums are gathered for ``add_sums``, emptied."""
    columns = ", ".join(f"{name} {kind}" for name, kind in _SUM_COLUMNS.items())
    await stage(conn, SUMS, columns)


async def post_entries(conn: AsyncConnection, blocks: Mapping[int, Block]) -> None:
    """Entries of what moved, and their sums into the stage.

    ``blocks``: by the number staged rows know them by.
    """
    await (await raw(conn)).execute(_POST, blocks_given(blocks))


async def post_entries_only(conn: AsyncConnection, blocks: Mapping[int, Block]) -> None:
    """Entries of what moved; who calls this adds up their sums later."""
    await (await raw(conn)).execute(f"{_POSTED} SELECT FROM posted LIMIT 0", blocks_given(blocks))


def blocks_given(blocks: Mapping[int, Block]) -> dict[str, list[Any]]:
    """Parameters of ``BLOCKS``."""
    return {
        "nos": list(blocks),
        "ids": [block.id for block in blocks.values()],
        "recorded_at": [block.recorded_at for block in blocks.values()],
        "recorded_on": [block.recorded_on for block in blocks.values()],
        "slots": [block.slot for block in blocks.values()],
    }


_TOTAL_KEY = "effective_on, unit, account"


def _add_staged(table: str, key: str) -> str:
    return f"""
INSERT INTO {table} AS old ({key}, q1, q2, q3)
SELECT {key}, {SUMMED} FROM {SUMS} GROUP BY {key} ORDER BY {key}
ON CONFLICT ({key}) DO UPDATE SET {", ".join(f"q{n} = old.q{n} + excluded.q{n}" for n in _SLOTS)}
"""


_ADD_ROLLUPS = _add_staged("rollups", ROLLUP_KEY)
_ADD_TOTALS = _add_staged("day_totals", _TOTAL_KEY)


async def add_sums(conn: AsyncConnection) -> None:
    """What was staged to rollups and day totals: last of all, for the latter are shared by all
    appliers and stay locked until the commit."""
    async with sent_together(conn):
        connection = await raw(conn)
        await connection.execute(_ADD_ROLLUPS)
        await connection.execute(_ADD_TOTALS)
