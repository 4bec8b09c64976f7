"""What was kept of a table besides its records: the sender's bytes, and what is to be said of
each record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.deliveries.feed import Feed
from shared.deliveries.readers import TABLE_FORMS
from shared.deliveries.records import value_shown
from shared.deliveries.store import DeliveryRow
from shared.deliveries.store import tables as store
from shared.deliveries.tables.fields import field_specs
from shared.deliveries.tables.spec import Repair
from shared.deliveries.tables.spooling import open_notes, open_original
from shared.deliveries.tables.texts import rule_words
from shared.runtime import Runtime


async def original_of(runtime: Runtime, row: DeliveryRow) -> AsyncIterator[bytes]:
    """The sender's bytes piece by piece, each read on its own: no connection is held between."""
    no = 0
    while True:
        async with runtime.database.read() as conn:
            sealed = await store.find_original(conn, row.id, no)
        if sealed is None:
            return
        yield open_original(runtime.secrecy, row.id, no, sealed)
        no += 1


def encoding_header(row: DeliveryRow) -> dict[str, str]:
    """Content-Encoding of a body that was sent with one."""
    encoding = (row.reading or {}).get("content_encoding")
    return {"Content-Encoding": encoding} if encoding else {}


async def notes_for(
    conn: AsyncConnection,
    runtime: Runtime,
    feed: Feed,
    row: DeliveryRow,
    numbers: Sequence[int],
) -> dict[int, dict[str, Any]]:
    """``row`` and ``repairs`` of these records of a table; nothing for other deliveries."""
    if row.reader not in TABLE_FORMS or not numbers:
        return {}
    wanted, names = set(numbers), field_names(feed, runtime)
    found: dict[int, dict[str, Any]] = {}
    async for sealed in store.notes_of(conn, row.id, numbers):
        notes = open_notes(runtime.secrecy, row.id, sealed.no, sealed.body)
        for index, sheet_row in enumerate(notes.rows):
            no = sealed.first_record_no + index
            if no in wanted:
                repairs = [shown(feed, names, one) for one in notes.repairs.get(index, ())]
                found[no] = {"row": sheet_row, "repairs": repairs}
    return found


def field_names(feed: Feed, runtime: Runtime) -> dict[str, str]:
    """Field → Chinese name."""
    return {one.name: one.zh for one in field_specs(feed, runtime.plan)}


def shown(feed: Feed, names: Mapping[str, str], repair: Repair) -> dict[str, Any]:
    """A repair as answers show it, personal values masked."""
    zh, en = rule_words(repair.rule)
    hidden = repair.field in feed.personal

    def value(text: str | None) -> Any:
        return None if text is None else value_shown(feed, repair.field, text, hidden)

    return {
        "field": repair.field,
        "name": names.get(repair.field, repair.field),
        "from": value(repair.original),
        "to": value(repair.to),
        "rule": repair.rule,
        "zh": zh,
        "en": en,
    }
