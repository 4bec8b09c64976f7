"""Tables we write: CSV and XLSX as streams. Text stays text: nothing a sender wrote is ever
calculated by the program that opens it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_DANGEROUS: Final = re.compile(r"[\s\x00]*[=+\-@＝＋－＠|%\t\r]")
_NUMBER: Final = re.compile(r"[+-]?\d[\d,]*(\.\d+)?%?")
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def harmless(text: str) -> str:
    """A cell no spreadsheet takes for a formula (CSV injection): an apostrophe before it."""
    if text and _DANGEROUS.match(text) and not _NUMBER.fullmatch(text.strip()):
        return "'" + text
    return text


def csv_line(cells: Sequence[str]) -> bytes:
    """One line of CSV (RFC 4180), UTF-8, every cell harmless."""
    out = io.StringIO()
    csv.writer(out).writerow([harmless(cell) for cell in cells])
    return out.getvalue().encode("utf-8", "replace")


_TYPES: Final = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS: Final = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="{kind}" Target="{target}"/></Relationships>'
)
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


class WorkbookStream:
    """An XLSX of one sheet whose rows are given one after the other; only what is packed is in
    memory. Every cell is text."""

    def __init__(self, sheet: str) -> None:
        self._packed = io.BytesIO()
        self._archive = zipfile.ZipFile(self._packed, "w", zipfile.ZIP_DEFLATED)
        name = escape(re.sub(r"[\[\]:*?/\\]", " ", sheet)[:31] or "Sheet1", {'"': "&quot;"})
        for part, text in (
            ("[Content_Types].xml", _TYPES),
            (
                "_rels/.rels",
                _RELATIONS.format(kind=f"{_OFFICE}/officeDocument", target="xl/workbook.xml"),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                _RELATIONS.format(kind=f"{_OFFICE}/worksheet", target="worksheets/sheet1.xml"),
            ),
            (
                "xl/workbook.xml",
                '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
                f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
                f'<sheet name="{name}" sheetId="1" r:id="rId1"/></sheets></workbook>',
            ),
        ):
            self._archive.writestr(part, text)
        self._part = self._archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True)
        self._part.write(
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
            f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode()
        )

    def add(self, no: int, cells: Sequence[str]) -> None:
        """Write row ``no`` (from 1, ascending)."""
        written = [
            '<c t="inlineStr"><is><t xml:space="preserve">'
            f"{escape(_UNWRITABLE.sub('', cell))}</t></is></c>"
            if cell
            else "<c/>"
            for cell in cells
        ]
        self._part.write(f'<row r="{no}">{"".join(written)}</row>'.encode())

    def finish(self) -> bytes:
        """The whole file."""
        self._part.write(b"</sheetData></worksheet>")
        self._part.close()
        self._archive.close()
        return self._packed.getvalue()
