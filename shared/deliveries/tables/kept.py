"""What was kept of a table besides its records: the sender's bytes, and what is to be said of
each record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.deliveries.feed import Feed
from shared.deliveries.numbers import NumberNote
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
    """``repairs`` of these records, ``notes`` on numbers where there are any, and the ``row`` of a
    table's; nothing of a record in JSON that was taken as it stands."""
    if not numbers:
        return {}
    wanted, names = set(numbers), field_names(feed, runtime)
    found: dict[int, dict[str, Any]] = {}
    async for sealed in store.notes_of(conn, row.id, numbers):
        notes = open_notes(runtime.secrecy, row.id, sealed.no, sealed.body)
        for no in wanted:
            index = no - sealed.first_record_no
            if not 0 <= index < sealed.record_count:
                continue
            said: dict[str, Any] = {"row": notes.rows[index]} if notes.rows else {}
            if notes.rows or index in notes.repairs:
                said["repairs"] = [shown(feed, names, one) for one in notes.repairs.get(index, ())]
            if index in notes.notes:
                said["notes"] = [_noted(names, one) for one in notes.notes[index]]
            if said:
                found[no] = said
    return found


def _noted(names: Mapping[str, str], note: NumberNote) -> dict[str, Any]:
    name = names.get(note.field, note.field)
    return {"field": note.field, "name": name, "code": note.code, "zh": note.zh, "en": note.en}


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
