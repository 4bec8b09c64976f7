"""Holders nobody knows yet: their first states go straight into holdings and entries.

Nearly every fact of a long list is the first of its holder. It replaces nothing, so nothing has to
be staged, compared and taken back: it is one holding and at most one entry, and what it adds to
the sums is known before. ``moving`` and ``posting`` would write the same, at twice the price.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.models import entries, holdings
from reporting.figures.store.moving import STAGE_COLUMNS, Line
from reporting.figures.store.posting import Block, RollupKey, Sum, TotalKey, add
from shared.copying import copy_new
from shared.database import binary_block, copy_block, copy_types

Holder: TypeAlias = tuple[int, str]
"""Account and name."""


def _of_line(*columns: str) -> itemgetter[Any]:
    return itemgetter(*(list(STAGE_COLUMNS).index(column) for column in columns))


holder_of = _of_line("account", "holder")
_block_of, _revision_of, _corrects = map(_of_line, ("block_no", "revision", "correction"))
_FIRST: Final = 1

_STATE: Final = (
    "account", "holder", "subject", "unit", "segment", "q1", "q2", "q3", "effective_on",
)  # fmt: skip
_HOLDING: Final = (*_STATE, "touched_on", "revision", "stands_since")
_holding_of = _of_line(*_STATE, "effective_on", "revision")
_CAUSE: Final = ("fact_type", "fact_part", "delivery_id", "record_no", "block_index")
_ENTRY: Final = (*_STATE, "fact_revision", *_CAUSE, "block", "recorded_at")
_entry_of = _of_line(*_STATE, "revision", *_CAUSE)
_quantities_of = _of_line("q1", "q2", "q3")
_summed_by = _of_line("block_no", "account", "unit", "segment", "effective_on", "q1", "q2", "q3")


def is_first(line: Line) -> bool:
    """Whether the line is its subject's first state: then its holder is hardly ever known."""
    return bool(_revision_of(line) == _FIRST)


async def hold(conn: AsyncConnection, lines: Sequence[Line]) -> bool:
    """A holding for each line, in the order given; False, and nothing has happened, when the
    ledger has one of the holders."""
    rows = [(*_holding_of(line), 0 if _corrects(line) else _FIRST) for line in lines]
    return await copy_new(conn, holdings, _HOLDING, rows)


async def enter(conn: AsyncConnection, lines: Sequence[Line], blocks: Mapping[int, Block]) -> None:
    """An entry for each line that is not nothing, under the journal block it came in."""
    ends = {no: (block.id, block.recorded_at) for no, block in blocks.items()}
    rows = [
        (*_entry_of(line), *ends[_block_of(line)]) for line in lines if any(_quantities_of(line))
    ]
    if rows:
        block = binary_block(rows, copy_types(entries, _ENTRY))
        await copy_block(conn, entries.name, _ENTRY, block)


def sums_of(
    lines: Sequence[Line], blocks: Mapping[int, Block]
) -> tuple[dict[RollupKey, Sum], dict[TotalKey, Sum]]:
    """What the entries of the lines add to rollups and day totals."""
    rollups: dict[RollupKey, Sum] = {}
    totals: dict[TotalKey, Sum] = {}
    for (no, account, unit, segment, on, *quantities), times in Counter(
        map(_summed_by, lines)
    ).items():
        if any(quantities):
            block = blocks[no]
            key = (account, unit, segment, on, block.recorded_on, block.slot)
            add(rollups, key, quantities, times)
            add(totals, (account, unit, on), quantities, times)
    return rollups, totals
