"""A table read from its first byte to its last: batches of records, then what was seen on the way.

Pure but for the bytes it is given. Flat memory for text tables; for workbooks, that of the file
and its strings.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final

import msgspec

from shared.characters import narrow
from shared.crypto import mask_within
from shared.deliveries.tables import delimited, sheet, workbook
from shared.deliveries.tables.cells import Row, is_blank
from shared.deliveries.tables.characters import column_name
from shared.deliveries.tables.cleaning import Cleaned, Scale, clean
from shared.deliveries.tables.decoding import GZIP_MAGIC, foreign_form, lines_of, unpacked
from shared.deliveries.tables.layout import Column, Layout, find_layout
from shared.deliveries.tables.quick import MISS, Quick, quick_reader
from shared.deliveries.tables.spec import (
    REFUSED,
    SAMPLE_ROWS,
    Batch,
    Fault,
    FieldSpec,
    Repair,
    TableRefused,
    TableSpec,
)
from shared.deliveries.tables.sums import LISTED_ROWS, Sums, kind_of, unexpected_figures
from shared.deliveries.tables.units import money_in, scale_of, units_above

_ENCODE: Final = msgspec.json.Encoder(order=None).encode
_BATCH_BYTES: Final = 4 * 1024 * 1024


class Table:
    """One table being read. Iterate ``batches`` to the end, then ask for the ``summary``."""

    def __init__(self, spec: TableSpec, pieces: Iterable[bytes]) -> None:
        self._spec = spec
        self._pieces = pieces
        self._today = date.fromisoformat(spec.today)
        self._file: dict[str, Any] = {"form": spec.form}
        self._layout: Layout | None = None
        self._hidden_columns: set[int] = set()
        self._sums = Sums({one.name: one.zh for one in spec.fields if one.kind in ("money", "int")})
        self._counts: Counter[str] = Counter()
        self._rules: Counter[str] = Counter()
        self._kept_out: list[dict[str, Any]] = []
        self._under_heading = True
        """No record came since the heading, or since it stood again."""
        self._figures_out: list[int] = []
        """Rows that look like notes or signatures, yet hold figures."""
        self._scale: Scale | None = None
        """Of a unit line further down."""
        self._keys: frozenset[int] = frozenset()
        self._quick: list[tuple[int, FieldSpec, Quick, Column]] = []

    def plain_rows(self) -> Iterator[list[tuple[int, list[str]]]]:
        """The rows as they stand, some hundred at a time, with their numbers."""
        rows = self._rows_of_text() if self._spec.form == "csv" else self._rows_of_sheet()
        while some := list(itertools.islice(rows, self._spec.chunk_records)):
            # Plain text: the encoder knows no kinds of cells.
            yield [(row.no, [str(cell) for cell in row.cells]) for row in some]

    def batches(self) -> Iterator[Batch]:
        """Every record, at most ``chunk_records`` at a time. Raises TableRefused."""
        if self._spec.rows_only:
            return
        rows = self._found_rows()
        layout = self._layout
        if layout is None:
            return
        self._prepare(layout)
        batch, size = _empty(), 0
        lines: list[bytes] = []
        for row in rows:
            line = self._row(layout, row, batch, len(lines))
            if line is None:
                continue
            lines.append(line)
            size += len(line)
            if len(lines) == self._spec.chunk_records or size > _BATCH_BYTES:
                yield _complete(batch, lines)
                batch, lines, size = _empty(), [], 0
        if lines:
            yield _complete(batch, lines)

    def _prepare(self, layout: Layout) -> None:
        columns = [(one, one.field) for one in layout.columns if one.field is not None]
        self._keys = frozenset(one.index for one, its in columns if its.kind == "identifier")
        self._quick = [(one.index, its, quick_reader(its, one.scale), one) for one, its in columns]

    # --- where the table is ------------------------------------------------------------------

    def _found_rows(self) -> Iterator[Row]:
        if self._spec.form == "xlsx":
            return self._found_in_workbook()
        rows = self._rows_of_text()
        sample = list(itertools.islice(rows, SAMPLE_ROWS))
        self._layout = find_layout(sample, self._spec)
        if self._layout is None:
            if all(is_blank(row.cells) for row in sample):
                return iter(())
            raise _no_heading(sample, self._spec)
        return itertools.chain(sample[self._layout.first_data :], rows)

    def _rows_of_text(self) -> Iterator[Row]:
        pieces = _peeked(self._pieces)
        head = next(pieces, b"")
        if self._spec.gzipped or head.startswith(GZIP_MAGIC):
            pieces = _peeked(unpacked(itertools.chain([head], pieces), self._spec.body_bytes))
            head = next(pieces, b"")
        if (found := foreign_form(head)) is not None:
            raise TableRefused("table-form-wrong", expected="CSV", found=found)
        lines = lines_of(itertools.chain([head], pieces), self._file)
        return delimited.rows_of(lines, self._file, self._spec.tabs)

    def _workbook(self) -> workbook.Workbook:
        data = b"".join(_bounded(self._pieces, self._spec.document_bytes))
        if self._spec.gzipped or data.startswith(GZIP_MAGIC):
            data = b"".join(unpacked([data], self._spec.document_bytes))
        return workbook.open_workbook(data)

    def _rows_of_sheet(self) -> Iterator[Row]:
        book = self._workbook()
        for one in book.sheets:
            # What was read is kept with identity numbers masked.
            if self._spec.sheet in (one.name, mask_within(one.name)):
                return sheet.rows_of(book, one, set())
        wanted = self._spec.sheet or "—"
        raise TableRefused("table-sheet-unknown", sheet=wanted, sheets="—")

    def _found_in_workbook(self) -> Iterator[Row]:
        book = self._workbook()
        self._file["sheets"] = [one.name for one in book.sheets][:100]
        wanted = self._spec.sheet
        chosen = [one for one in book.sheets if wanted is None or one.name == wanted]
        if not chosen:
            known = "、".join(one.name for one in book.sheets[:20])
            raise TableRefused("table-sheet-unknown", sheet=wanted or "—", sheets=known or "—")
        samples = []
        for one in chosen[:50]:
            hidden: set[int] = set()
            rows = sheet.rows_of(book, one, hidden)
            sample = list(itertools.islice(rows, SAMPLE_ROWS))
            if all(is_blank(row.cells) for row in sample):
                continue
            samples.append((one, sample, rows, hidden))
        found = [
            one for one in samples if find_layout(one[1], self._spec, partial=True) is not None
        ]
        if len(found) > 1:
            # Of several that might be meant, the one without missing columns is.
            whole = [one for one in found if _is_whole(one[1], self._spec)]
            found = whole or found
        if len(found) > 1:
            names = "、".join(one[0].name for one in found)
            raise TableRefused("table-sheet-unclear", sheets=names)
        if not found:
            if not samples:
                return iter(())
            raise _no_heading(samples[0][1], self._spec)
        one, sample, rows, hidden = found[0]
        self._layout = find_layout(sample, self._spec)
        self._file["sheet"] = one.name
        self._file["sheet_hidden"] = one.hidden
        self._hidden_columns = hidden
        return itertools.chain(sample[self._layout.first_data :] if self._layout else (), rows)

    # --- row by row --------------------------------------------------------------------------

    def _row(self, layout: Layout, row: Row, batch: Batch, index: int) -> bytes | None:
        """A record's line, its notes put into the batch; None for a row that is no record."""
        self._counts["read"] += 1
        if row.hidden:
            self._counts["hidden"] += 1
        if is_blank(row.cells):
            self._counts["blank"] += 1
            return None
        if (kind := self._kind_of(layout, row)) is not None:
            self._keep_out(layout, row, kind)
            return None
        values, repairs, faults = self._values(layout, row)
        self._counts["records"] += 1
        self._under_heading = False
        self._sums.add(values, {fault.field for fault in faults})
        batch.rows.append(row.no)
        if repairs:
            batch.repairs[index] = repairs
            self._counts["repaired"] += 1
            self._rules.update(rule for one in repairs for rule in one.rule.split("+"))
        if faults:
            self._counts["refused"] += 1
            return _ENCODE([REFUSED, faults, values])
        return _ENCODE(values)

    def _kind_of(self, layout: Layout, row: Row) -> str | None:
        return kind_of(layout, row.cells, self._keys, self._under_heading)

    def _values(self, layout: Layout, row: Row) -> tuple[dict[str, Any], list[Repair], list[Fault]]:
        values: dict[str, Any] = {}
        repairs: list[Repair] = []
        faults: list[Fault] = []
        cells = row.cells
        by_row = self._row_scale(layout, cells)
        own = by_row or self._scale
        width = len(cells)
        for index, one, quick, column in self._quick:
            if index >= width or not (cell := cells[index]):
                continue
            if column.own_scale and by_row and by_row.exponent != column.scale.exponent:
                faults.append(_two_units(one, cell))
                continue
            scaled = own if one.kind == "money" and not column.own_scale else None
            if type(cell) is str and scaled is None:
                value = quick(cell)
                if value is not MISS:
                    values[one.name] = value
                    continue
            scale = column.scale if scaled is None else scaled
            _take(one, clean(one, cell, scale, self._today), values, repairs, faults)
        for name, (value, source) in layout.filled.items():
            values[name] = value
            repairs.append(Repair(name, "", value, f"from-{source}"))
        return values, repairs, faults

    def _row_scale(self, layout: Layout, cells: list[str]) -> Scale | None:
        at = layout.row_unit_column
        if at is None or at >= len(cells):
            return None
        return scale_of(cells[at])

    def _keep_out(self, layout: Layout, row: Row, kind: str) -> None:
        self._counts[f"kept-out {kind}"] += 1
        if len(self._kept_out) < LISTED_ROWS:
            self._kept_out.append({"row": row.no, "kind": kind})
        self._under_heading |= kind == "heading"
        if unexpected_figures(layout, kind, row.cells):
            self._figures_out.append(row.no)
        if kind in ("total", "subtotal"):
            values, _, _ = self._values(layout, row)
            self._sums.declare(row.no, kind, values)
        elif kind == "unit":
            for units in units_above(row.cells):
                self._scale = money_in(units) or self._scale

    # --- what was seen -----------------------------------------------------------------------

    def summary(self) -> dict[str, Any]:
        """What a clerk is shown: where the table was, how its columns were understood, what was
        repaired, kept out and declared."""
        layout = self._layout
        if layout is None:
            return {**self._file, "rows": {"records": 0}}
        kept = {
            name.removeprefix("kept-out "): count
            for name, count in sorted(self._counts.items())
            if name.startswith("kept-out ")
        }
        return {
            **self._file,
            "title": layout.title,
            "title_period": layout.title_period,
            "title_units": list(layout.title_units),
            "heading_rows": list(layout.heading_rows),
            "unit": None
            if layout.unit_text is None
            else {"text": layout.unit_text, "row": layout.unit_row},
            "columns": [self._column(layout, column) for column in layout.columns],
            "filled": [
                {"field": name, "value": value, "from": source}
                for name, (value, source) in layout.filled.items()
            ],
            "rows": {
                name: self._counts[name]
                for name in ("read", "records", "blank", "hidden", "repaired", "refused")
            }
            | {"kept_out": sum(kept.values())},
            "repairs": dict(self._rules.most_common()),
            "kept_out": kept,
            "kept_out_rows": self._kept_out,
            "totals": self._sums.finish(),
            "warnings": self._warnings(layout),
        }

    def _column(self, layout: Layout, column: Column) -> dict[str, Any]:
        one = column.field
        return {
            "column": column_name(column.index),
            "heading": column.heading[:80],
            "field": None if one is None else one.name,
            "name": None if one is None else one.zh,
            "unit": column.scale.text or None,
            "hidden": column.index in self._hidden_columns,
        }

    def _warnings(self, layout: Layout) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for column in layout.ignored:
            where = {"column": column_name(column.index), "heading": column.heading[:80]}
            found.append({"code": "column-ignored", "params": where})
        for one in self._sums.finish():
            if one["difference"] != "0" and one["complete"]:
                where = {name: str(one[name]) for name in ("row", "name", "declared", "found")}
                where["difference"] = one["difference"]
                found.append({"code": "total-differs", "params": where})
        own, said = set(self._spec.own_units), set(layout.title_units)
        if own and said and not own & said:
            params = {"said": "、".join(sorted(said)), "own": "、".join(sorted(own))}
            found.append({"code": "sender-differs", "params": params})
        if self._figures_out:
            rows = "、".join(map(str, self._figures_out[:20]))
            params = {"rows": rows, "count": str(len(self._figures_out))}
            found.append({"code": "figures-kept-out", "params": params})
        if self._counts["hidden"]:
            params = {"count": str(self._counts["hidden"])}
            found.append({"code": "rows-hidden", "params": params})
        return found[:100]


def _take(
    one: FieldSpec,
    cleaned: Cleaned,
    values: dict[str, Any],
    repairs: list[Repair],
    faults: list[Fault],
) -> None:
    if cleaned.fault is not None:
        faults.append(cleaned.fault)
        return
    if cleaned.value is not None and cleaned.value != "":
        values[one.name] = cleaned.value
    if cleaned.repair is not None:
        repairs.append(cleaned.repair)


def _two_units(one: FieldSpec, cell: str) -> Fault:
    """The heading names one unit of money, the row's own cell another."""
    shown = "***" if one.personal else cell[:60]
    return Fault("number-unclear", one.name, {"field": one.zh, "value": shown})


def _empty() -> Batch:
    return Batch(b"", 0, [], {})


def _complete(batch: Batch, lines: list[bytes]) -> Batch:
    text = b"\n".join(lines) + b"\n"
    return Batch(text, len(lines), batch.rows, batch.repairs)


def _peeked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, the first piece long enough to tell what they are."""
    pieces = iter(pieces)
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= 4096:
            break
    yield head
    yield from pieces


def _bounded(pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise TableRefused("body-too-long", limit=str(limit))
        yield piece


def _is_whole(sample: list[Row], spec: TableSpec) -> bool:
    try:
        return find_layout(sample, spec) is not None
    except TableRefused:
        return False


def _no_heading(sample: list[Row], spec: TableSpec) -> TableRefused:
    first = next(row for row in sample if not is_blank(row.cells))
    seen = "、".join(mask_within(narrow(cell))[:20] for cell in first.cells if cell.strip())
    return TableRefused(
        "table-heading-missing",
        fields="、".join(one.zh for one in spec.fields if one.required)[:300],
        seen=seen[:200],
    )
