"""From judged rows to state and facts: what the feeds that keep one state per key have alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Table

from shared.deliveries.checks import content_hash
from shared.deliveries.feed import (
    Apply,
    ApplyContext,
    Changed,
    JudgedRow,
    Outcome,
    Verdict,
)
from shared.deliveries.state import upsert_state
from shared.events import Fact
from tax_feed.tables import own_columns

FactOf = Callable[[Mapping[str, Any], Changed, dict[str, Any]], Fact]
"""The row by column, the change, and the fields every fact has → the fact of the new state."""


def accepted(key: str, row: tuple[Any, ...], hashed: bytes | None = None) -> Verdict:
    """The verdict on a sound record: its natural key, its row, and a hash of what it states."""
    return Verdict(key=key, row=row, content_hash=hashed or content_hash(row))


def hash_where_found(row: tuple[Any, ...]) -> bytes:
    """The content hash of a row that ends with ``tables.found_columns``. Without any of them as
    before there were such columns: what was told then and is told again stays a duplicate."""
    return content_hash(row if any(row[-3:]) else row[:-3])


def applier(table: Table, fact_of: FactOf) -> Apply:
    """A feed's ``apply``: rows into ``table``, one fact for every key that changed. Another
    content for a key that stands is a correction of it."""
    columns = own_columns(table)

    async def apply(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
        outcome = Outcome()
        for change in await upsert_state(ctx, table, columns, rows, outcome):
            row = dict(zip(columns, change.row, strict=True))
            fact = fact_of(row, change, cause_of(ctx, change, row))
            if ctx.restates:  # whatever it would be otherwise: what was told before never was true
                fact = msgspec.structs.replace(fact, correction=True)
            outcome.facts.append(fact)
        return outcome

    return apply


def cause_of(ctx: ApplyContext, change: Changed, row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a fact that say whose state it is, where it comes from and which state."""
    return {
        "key": row["employer_key"],
        "unit": row["unit"],
        "org_code": row["org_code"],
        "revision": change.revision,
        "delivery_id": ctx.delivery.id,
        "record_no": change.no,
        "recorded_at": ctx.recorded_at,
        "correction": change.revision > 1,
    }
