"""Every statement that writes the ledger, but for those that move holdings (``moving``).

The order of one application is always the same, so that concurrent appliers cannot deadlock and
the journal's order agrees with the order in which a holder's states were taken: shared lock, names
of units and segments, staged COPY, holdings round by round, journal, entries with rollups, and
day totals last, for their few rows are the only ones all appliers share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.rules import Segments
from reporting.figures.store.moving import LEGS
from shared.database import raw

LEDGER_LOCK = 0x6B6D_6669_6775  # any number; appliers share it, rebuilding takes it alone


class Block(NamedTuple):
    """A journal block being posted: its id, when it was recorded, and its rollup slot."""

    id: int
    recorded_at: datetime
    recorded_on: date
    slot: int


TotalKey: TypeAlias = tuple[int, int, date]
"""Account, unit, effective day."""
RollupKey: TypeAlias = tuple[int, int, int, date, date, int]
"""Account, unit, segment set, effective day, recorded day, slot."""
Sum: TypeAlias = tuple[int | None, int | None, int | None]
"""What is added to the quantities under a key; None where the account has none."""

_Key = TypeVar("_Key", RollupKey, TotalKey)
_NOTHING: Final = (0, 0, 0)


def add(sums: dict[_Key, Sum], key: _Key, quantities: Sequence[int | None], times: int = 1) -> None:
    """Quantities, so many times, to what a key has. Those an account lacks it always lacks."""
    a, b, c = sums.get(key, _NOTHING)
    x, y, z = quantities
    sums[key] = (
        None if x is None else (a or 0) + x * times,
        None if y is None else (b or 0) + y * times,
        None if z is None else (c or 0) + z * times,
    )


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
_ROLLUP_KEY = "account, unit, segment, effective_on, recorded_on, slot"
_POSTED = f"""
WITH blocks AS (
  SELECT * FROM unnest(%(nos)s::int2[], %(ids)s::int8[], %(recorded_at)s::timestamptz[],
    %(recorded_on)s::date[], %(slots)s::int2[]) AS b (no, id, recorded_at, recorded_on, slot)
), posted AS (
  INSERT INTO entries (account, unit, segment, q1, q2, q3, effective_on, recorded_at, block,
    block_index, subject, holder, fact_type, fact_part, fact_revision, delivery_id, record_no)
  SELECT l.account, l.unit, l.segment, l.q1, l.q2, l.q3, l.effective_on, b.recorded_at, b.id,
    l.block_index, l.subject, l.holder, l.fact_type, l.fact_part, l.revision, l.delivery_id,
    l.record_no
  FROM ({LEGS}) AS l JOIN blocks b ON b.no = l.block_no
  WHERE {" OR ".join(f"coalesce(l.q{n}, 0) <> 0" for n in _SLOTS)}
  ORDER BY l.block_no, l.block_index, l.leg
  RETURNING account, unit, segment, q1, q2, q3, effective_on, block
)"""
_POST = f"""{_POSTED}, rolled AS (
  INSERT INTO rollups AS r ({_ROLLUP_KEY}, q1, q2, q3)
  SELECT {_ROLLUP_KEY}, sum(q1), sum(q2), sum(q3)
  FROM posted JOIN blocks ON blocks.id = posted.block GROUP BY {_ROLLUP_KEY} ORDER BY {_ROLLUP_KEY}
  ON CONFLICT ({_ROLLUP_KEY}) DO UPDATE SET
    {", ".join(f"q{n} = r.q{n} + excluded.q{n}" for n in _SLOTS)}
)
SELECT account, unit, effective_on, sum(q1)::int8, sum(q2)::int8, sum(q3)::int8
FROM posted GROUP BY account, unit, effective_on ORDER BY account, unit, effective_on
"""


async def post_entries(conn: AsyncConnection, blocks: Mapping[int, Block]) -> dict[TotalKey, Sum]:
    """Entries and rollups of what moved; returns what the day totals grow by.

    ``blocks``: by the number staged rows know them by.
    """
    cursor = await (await raw(conn)).execute(_POST, _given(blocks))
    return {row[:3]: row[3:] for row in await cursor.fetchall()}


async def post_entries_only(conn: AsyncConnection, blocks: Mapping[int, Block]) -> None:
    """Entries of what moved; who calls this adds up their sums later."""
    await (await raw(conn)).execute(f"{_POSTED} SELECT FROM posted LIMIT 0", _given(blocks))


def _given(blocks: Mapping[int, Block]) -> dict[str, list[Any]]:
    return {
        "nos": list(blocks),
        "ids": [block.id for block in blocks.values()],
        "recorded_at": [block.recorded_at for block in blocks.values()],
        "recorded_on": [block.recorded_on for block in blocks.values()],
        "slots": [block.slot for block in blocks.values()],
    }


# Days travel as numbers: lists of whole numbers are written in one go (``shared.arrays``).
_DAY = "date '0001-01-01' - 1 + "
_ADD_ROLLUPS = f"""
INSERT INTO rollups AS r ({_ROLLUP_KEY}, q1, q2, q3)
SELECT account, unit, segment, {_DAY}effective_on, {_DAY}recorded_on, slot, q1, q2, q3
FROM unnest(%s::int2[], %s::int2[], %s::int4[], %s::int4[], %s::int4[], %s::int2[],
  %s::int8[], %s::int8[], %s::int8[]) AS n ({_ROLLUP_KEY}, q1, q2, q3)
ORDER BY {_ROLLUP_KEY}
ON CONFLICT ({_ROLLUP_KEY}) DO UPDATE SET
  {", ".join(f"q{n} = r.q{n} + excluded.q{n}" for n in _SLOTS)}
"""
_ADD_TOTALS = f"""
INSERT INTO day_totals AS d (account, unit, effective_on, q1, q2, q3)
SELECT account, unit, {_DAY}effective_on, q1, q2, q3
FROM unnest(%s::int2[], %s::int2[], %s::int4[], %s::int8[], %s::int8[], %s::int8[])
  AS n (account, unit, effective_on, q1, q2, q3)
ORDER BY account, unit, effective_on
ON CONFLICT (account, unit, effective_on) DO UPDATE SET
  {", ".join(f"q{n} = d.q{n} + excluded.q{n}" for n in _SLOTS)}
"""


async def add_rollups(conn: AsyncConnection, sums: Mapping[RollupKey, Sum]) -> None:
    """Each sum to the rollup of its key."""
    if sums:
        await (await raw(conn)).execute(_ADD_ROLLUPS, _columns(sums, days=(3, 4)))


async def add_day_totals(conn: AsyncConnection, sums: Mapping[TotalKey, Sum]) -> None:
    """Last of all: these rows are shared by all appliers and stay locked until the commit."""
    if sums:
        await (await raw(conn)).execute(_ADD_TOTALS, _columns(sums, days=(2,)))


def _columns(sums: Mapping[Any, Sum], days: Sequence[int]) -> list[list[Any]]:
    """Keys and quantities by column, those at ``days`` as numbers of days."""
    columns = [
        list(column) for column in (*zip(*sums, strict=True), *zip(*sums.values(), strict=True))
    ]
    for place in days:
        columns[place] = [day.toordinal() for day in columns[place]]
    return columns
