"""The sender's own table with three columns beside it: what became of each row, why, and what was
repaired."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
from collections.abc import AsyncGenerator
from typing import Any, Final

from shared.deliveries import store
from shared.deliveries.feed import Disposition, Feed
from shared.deliveries.readers import Cut
from shared.deliveries.records import select
from shared.deliveries.spool import Spool, open_segment, seal_segment
from shared.deliveries.store import DeliveryRow
from shared.deliveries.store import tables as table_store
from shared.deliveries.tables.kept import field_names, original_of
from shared.deliveries.tables.process import read_rows
from shared.deliveries.tables.spec import TableSpec
from shared.deliveries.tables.spooling import open_notes
from shared.deliveries.tables.texts import rule_words
from shared.deliveries.tables.written import WorkbookStream, csv_line
from shared.deliveries.texts import described
from shared.runtime import Runtime

_HEADINGS: Final = {"zh": ("处置", "问题", "修正"), "en": ("result", "problems", "repairs")}
_ENDED: Final = {
    Disposition.APPLIED: ("采用", "applied"),
    Disposition.DUPLICATE: ("重复", "duplicate"),
    Disposition.REJECTED: ("退回", "rejected"),
    Disposition.HELD: ("暂挂", "held"),
}
_KEPT_OUT: Final = {
    "total": ("合计行，未作记录", "a total, no record"),
    "subtotal": ("小计行，未作记录", "a subtotal, no record"),
    "cumulative": ("累计行，未作记录", "a running total, no record"),
    "of-which": ("其中行，未作记录", "a part of a total, no record"),
    "signature": ("签章行，未作记录", "signatures, no record"),
    "note": ("附注行，未作记录", "a note, no record"),
    "heading": ("重复表头，未作记录", "the heading again, no record"),
    "numbering": ("栏次行，未作记录", "column numbers, no record"),
    "unit": ("单位行，未作记录", "a unit line, no record"),
    "example": ("示例行，未作记录", "the example, no record"),
}


async def annotated_table(
    runtime: Runtime, feed: Feed, row: DeliveryRow, lang: str
) -> AsyncGenerator[bytes, None]:
    """The file, piece by piece: CSV in UTF-8 with mark, or XLSX."""
    return (
        _xlsx(runtime, feed, row, lang) if row.reader == "xlsx" else _csv(runtime, feed, row, lang)
    )


async def _csv(
    runtime: Runtime, feed: Feed, row: DeliveryRow, lang: str
) -> AsyncGenerator[bytes, None]:
    with Spool() as spool:
        # Written to its end first: reading takes one of few turns, and whoever fetches a copy
        # slowly must not hold it. Sealed, for it holds what the records hold.
        async with contextlib.aclosing(_csv_pieces(runtime, feed, row, lang)) as pieces:
            async for piece in pieces:
                sealed = seal_segment(runtime.secrecy, str(row.id), len(spool.entries), piece)
                spool.add(Cut(piece, 0), sealed)
        yield codecs.BOM_UTF8
        for entry, sealed in spool.segments():
            yield open_segment(runtime.secrecy, str(row.id), entry.no, sealed)


async def _csv_pieces(
    runtime: Runtime, feed: Feed, row: DeliveryRow, lang: str
) -> AsyncGenerator[bytes, None]:
    lines: list[bytes] = []
    async with contextlib.aclosing(_rows(runtime, feed, row, lang)) as rows:
        async for _, cells in rows:
            lines.append(csv_line(cells))
            if len(lines) >= 1000:
                yield b"".join(lines)
                lines.clear()
    yield b"".join(lines)


async def _xlsx(
    runtime: Runtime, feed: Feed, row: DeliveryRow, lang: str
) -> AsyncGenerator[bytes, None]:
    book = WorkbookStream((row.reading or {}).get("sheet") or "Sheet1")
    async with contextlib.aclosing(_rows(runtime, feed, row, lang)) as rows:
        async for no, cells in rows:
            book.add(no, cells)
            if no % 500 == 0:
                await asyncio.sleep(0)
    yield book.finish()


async def _rows(
    runtime: Runtime, feed: Feed, row: DeliveryRow, lang: str
) -> AsyncGenerator[tuple[int, list[str]], None]:
    """Every row of the table as it was sent, with the columns added."""
    reading = row.reading or {}
    at = 0 if lang == "zh" else 1
    width = _width(reading)
    heading = (reading.get("heading_rows") or [0])[-1]
    kept_out = {
        one["row"]: _KEPT_OUT.get(one["kind"], (one["kind"],) * 2)[at]
        for one in reading.get("kept_out_rows", ())
    }
    async with (
        contextlib.aclosing(_annotations(runtime, feed, row, at)) as annotations,
        contextlib.aclosing(read_rows(_spec(runtime, row), original_of(runtime, row))) as frames,
    ):
        waiting = await anext(annotations, None)
        async for frame in frames:
            for no, cells in frame:
                added: list[str] = []
                if waiting is not None and no == waiting[0]:
                    added = waiting[1]
                    waiting = await anext(annotations, None)
                elif no == heading:
                    added = list(_HEADINGS[lang])
                elif no in kept_out:
                    added = [kept_out[no]]
                gap = [""] * (width - len(cells)) if added else []
                yield no, [*cells, *gap, *added]


def _width(reading: dict[str, Any]) -> int:
    width = 0
    for column in reading.get("columns", ()):
        index = 0
        for letter in column["column"]:
            index = index * 26 + ord(letter) - 64
        width = max(width, index)
    return width


def _spec(runtime: Runtime, row: DeliveryRow) -> TableSpec:
    reading = row.reading or {}
    settings = runtime.settings
    return TableSpec(
        form="xlsx" if row.reader == "xlsx" else "csv",
        fields=(),
        period=row.period,
        period_kind="day",
        today="2008-01-01",
        chunk_records=500,
        body_bytes=settings.max_body_bytes,
        document_bytes=settings.max_document_bytes,
        sheet=reading.get("sheet"),
        gzipped=reading.get("content_encoding") == "gzip",
        tabs="tab-separated" in row.content_type,
        rows_only=True,
    )


async def _annotations(
    runtime: Runtime, feed: Feed, row: DeliveryRow, at: int
) -> AsyncGenerator[tuple[int, list[str]], None]:
    """Row in the sheet and the three cells of every record, segment by segment."""
    names = field_names(feed, runtime)
    language = "zh" if at == 0 else "en"
    first = 1
    for _ in range(row.chunk_count):
        async with runtime.database.read() as conn:
            sealed = None
            async for one in table_store.notes_of(conn, row.id, [first]):
                sealed = one
            if sealed is None:
                return
            numbers = range(sealed.first_record_no, sealed.first_record_no + sealed.record_count)
            chunks = await store.chunks_from(conn, row.id, first, 1)
            problems = await store.problems_of(conn, row.id, list(numbers), len(numbers))
        notes = open_notes(runtime.secrecy, row.id, sealed.no, sealed.body)
        ended = dict(select(chunks, first - 1, None, len(numbers)))
        for index, sheet_row in enumerate(notes.rows):
            no = sealed.first_record_no + index
            how = ended.get(no)
            told = [one[language] for one in described(feed, problems.get(no, ()))]
            repaired = [
                f"{names.get(one.field, one.field)}：{one.original} → "
                f"{'—' if one.to is None else one.to}（{rule_words(one.rule)[at]}）"
                for one in notes.repairs.get(index, ())
            ]
            cells = [_ENDED[how][at] if how else "", "；".join(told), "；".join(repaired)]
            yield sheet_row, cells
        first = numbers.stop
