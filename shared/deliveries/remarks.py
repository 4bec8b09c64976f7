"""What is said of records' numbers is kept beside what reading a table said of its cells."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.crypto import Secrecy
from shared.deliveries.judge import StoredSegment
from shared.deliveries.numbers import Remarks
from shared.deliveries.store import tables as store
from shared.deliveries.tables.spooling import Notes, open_notes, seal_notes


async def keep_remarks(
    conn: AsyncConnection,
    secrecy: Secrecy,
    delivery_id: UUID,
    segment: StoredSegment,
    remarks: Mapping[int, Remarks],
) -> None:
    """Keep the remarks on a segment's records, by record number, in the transaction that applies
    them; sealed, for they quote what was sent."""
    if not remarks:
        return
    sealed = await store.find_notes(conn, delivery_id, segment.no)
    known = (
        Notes([], {}) if sealed is None else open_notes(secrecy, delivery_id, segment.no, sealed)
    )
    repairs, notes = dict(known.repairs), dict(known.notes)
    for no, said in remarks.items():
        at = no - segment.first_record_no
        if said.repairs:
            repairs[at] = [*repairs.get(at, ()), *said.repairs]
        if said.notes:
            notes[at] = said.notes
    whole = Notes(known.rows, repairs, notes)
    await store.write_notes(
        conn, delivery_id, segment.no, seal_notes(secrecy, delivery_id, segment.no, whole)
    )
