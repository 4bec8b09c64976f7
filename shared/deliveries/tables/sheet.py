"""The rows of one sheet, streamed: what each cell shows, and what a formula would."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Final
from xml.parsers import expat

from shared.deliveries.tables.cells import (
    BoolCell,
    DateCell,
    ErrorCell,
    FormulaCell,
    LossyNumber,
    NumberCell,
    Row,
)
from shared.deliveries.tables.days import from_serial
from shared.deliveries.tables.figures import from_binary, plain
from shared.deliveries.tables.spec import MAX_COLUMNS, MAX_PART_BYTES, TableRefused
from shared.deliveries.tables.workbook import Sheet, Workbook, parser_of, pieces_of, unescaped

_MAX_ROWS: Final = 1_048_576
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_PLAIN_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_SUM: Final = re.compile(r"=?\s*SUM\(([^()]*)\)", re.IGNORECASE)
_TERMS: Final = re.compile(r"[A-Z]{1,3}[0-9]{1,7}(?:[+-][A-Z]{1,3}[0-9]{1,7})*")


def rows_of(book: Workbook, sheet: Sheet, hidden_columns: set[int]) -> Iterator[Row]:
    """Every row that holds a cell, in order; hidden ones too, marked. Hidden columns are added to
    ``hidden_columns`` before the first row."""
    reading = _Reading(book, hidden_columns)
    parser = parser_of(reading.start, reading.end, reading.characters)
    try:
        with book.archive.open(sheet.part) as stream:
            for piece in pieces_of(stream, sheet.part, MAX_PART_BYTES):
                parser.Parse(piece, False)
                if reading.rows:
                    yield from reading.rows
                    reading.rows.clear()
            parser.Parse(b"", True)
            yield from reading.rows
    except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise TableRefused("table-damaged", reason=f"{sheet.name}: {error}"[:120]) from error


class _Reading:
    """The handlers of one sheet's parser. Rows complete themselves into ``rows``."""

    def __init__(self, book: Workbook, hidden_columns: set[int]) -> None:
        self._book = book
        self.rows: list[Row] = []
        self._hidden_columns = hidden_columns
        self._no = 0
        self._hidden = False
        self._cells: list[str] = []
        self._column = 0
        self._type = "n"
        self._style = 0
        self._in = ""
        self._value: list[str] = []
        self._formula: list[str] = []
        self._has_formula = False
        self._rph = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            self._start_cell(attributes)
        elif tag == "v":
            self._in = "v"
        elif tag == "f":
            self._in, self._has_formula = "f", True
        elif tag == "t":
            self._in = "v" if not self._rph else ""
        elif tag == "row":
            self._no = int(attributes["r"]) if "r" in attributes else self._no + 1
            if self._no > _MAX_ROWS:
                raise TableRefused("table-too-large", what="行 · rows", limit=str(_MAX_ROWS))
            self._hidden = attributes.get("hidden") in ("1", "true")
            self._cells, self._column = [], 0
        elif tag == "rPh":
            self._rph += 1
        elif tag == "col" and attributes.get("hidden") in ("1", "true"):
            last = min(int(attributes.get("max", "0")), MAX_COLUMNS)
            self._hidden_columns.update(range(int(attributes.get("min", "1")) - 1, last))

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is not None:
            column = _column(reference)
            if column < self._column:
                # Readers differ in which of the two cells they show.
                raise TableRefused("table-damaged", reason=f"XLSX: {reference[:20]}")
            self._column = column
        if self._column >= MAX_COLUMNS:
            raise TableRefused("table-too-wide", row=str(self._no), limit=str(MAX_COLUMNS))
        self._type = attributes.get("t", "n")
        self._style = int(attributes.get("s", "0"))
        self._value, self._formula, self._has_formula = [], [], False

    def characters(self, data: str) -> None:
        if self._in == "v":
            self._value.append(data)
        elif self._in == "f":
            self._formula.append(data)

    def end(self, tag: str) -> None:
        if tag in ("v", "f", "t"):
            self._in = ""
        elif tag == "c":
            cells = self._cells
            while len(cells) < self._column:
                cells.append("")
            cells.append(self._cell())
            self._column += 1
        elif tag == "row":
            self.rows.append(Row(self._no, self._cells, self._hidden))
        elif tag == "rPh":
            self._rph -= 1

    def _cell(self) -> str:  # noqa: PLR0911 - one per type of cell
        raw = "".join(self._value)
        if self._has_formula and raw == "" and self._type != "str":
            return self._computed("".join(self._formula))
        if self._type == "s":
            index = int(raw or "-1")
            if not 0 <= index < len(self._book.strings):
                raise TableRefused("table-damaged", reason=f"shared string {index}")
            return self._book.strings[index]
        if self._type in ("inlineStr", "str"):
            return unescaped(raw)
        if self._type == "b":
            return BoolCell("是" if raw.strip() == "1" else "否")
        if self._type == "e":
            return ErrorCell(raw)
        if self._type == "d":
            return DateCell(raw[:10])
        return self._number(raw.strip()) if raw.strip() else ""

    def _number(self, raw: str) -> str:
        shown = from_binary(raw)
        if not _PLAIN_NUMBER.fullmatch(shown):
            return ErrorCell(raw[:40])
        if self._style in self._book.date_styles and shown.replace(".", "", 1).isdigit():
            read = from_serial(int(Decimal(shown)), self._book.since_1904)
            if read.value is not None:
                return DateCell(read.value)
        digits = shown.lstrip("-").partition(".")[0]
        return LossyNumber(shown) if len(digits) > 15 else NumberCell(shown)

    def _computed(self, formula: str) -> str:
        """A sum within its own row, worked out; anything else has to be calculated by those who
        wrote it."""
        plainly = re.sub(r"[\s$]", "", formula).upper()
        if found := _SUM.fullmatch(plainly):
            references = [self._span(part) for part in found[1].split(",")]
        elif _TERMS.fullmatch(plainly):
            return self._terms(plainly, formula)
        else:
            return FormulaCell("=" + formula)
        total = Decimal(0)
        for span in references:
            if span is None:
                return FormulaCell("=" + formula)
            for cell in span:
                if isinstance(cell, NumberCell):
                    total += Decimal(cell)
                elif isinstance(cell, FormulaCell | ErrorCell):
                    return FormulaCell("=" + formula)
        return NumberCell(plain(total))

    def _terms(self, terms: str, formula: str) -> str:
        total = Decimal(0)
        for sign, reference in re.findall(r"([+-]?)([A-Z]+[0-9]+)", terms):
            cells = self._span(reference)
            if not cells or not isinstance(cells[0], NumberCell):
                return FormulaCell("=" + formula)
            total += -Decimal(cells[0]) if sign == "-" else Decimal(cells[0])
        return NumberCell(plain(total))

    def _span(self, text: str) -> list[str] | None:
        """The cells of a reference, where they stand in this row and before this cell."""
        ends = [_REFERENCE.fullmatch(part) for part in text.split(":")]
        if len(ends) > 2 or any(end is None or int(end[2]) != self._no for end in ends):
            return None
        columns = [_column(end[0]) for end in ends if end is not None]
        if max(columns) >= self._column:
            return None
        return (self._cells + [""] * MAX_COLUMNS)[min(columns) : max(columns) + 1]


def _column(reference: str) -> int:
    column = 0
    for character in reference:
        if not "A" <= character <= "Z":
            break
        column = column * 26 + ord(character) - 64
        if column > 1_000_000:
            break
    return column - 1
