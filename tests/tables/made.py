"""Tables for tests: records written as CSV or XLSX, and a workbook part by part."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import xlsxwriter

from shared.deliveries.feed import Feed
from shared.deliveries.tables.fields import field_specs, unit_names
from shared.deliveries.tables.reading import Table
from shared.deliveries.tables.spec import Batch, FieldSpec, TableSpec
from shared.deliveries.tables.template import cell_of
from shared.plan import Plan

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Rows = Sequence[Sequence[Any]]


def csv_of(rows: Rows, encoding: str = "utf-8", separator: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(rows)
    return out.getvalue().encode(encoding)


def xlsx_of(rows: Rows, **sheets: Rows) -> bytes:
    """Numbers as number cells, dates as date cells, all else as text; one sheet 表 and others."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, content in {"表": rows, **sheets}.items():
            sheet = book.add_worksheet(name)
            for row, cells in enumerate(content):
                for at, cell in enumerate(cells):
                    if isinstance(cell, date):
                        sheet.write_datetime(row, at, cell, day)
                    elif isinstance(cell, bool) or cell is None or cell == "":
                        sheet.write(row, at, cell)
                    elif isinstance(cell, int | float):
                        sheet.write_number(row, at, cell)
                    else:
                        sheet.write_string(row, at, str(cell))
    return out.getvalue()


_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def workbook_of(sheet_data: str, *, cols: str = "", strings: str = "", styles: str = "") -> bytes:
    """A workbook whose sheet's XML is given, so that anything can be wrong with it."""
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    parts = {
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{relations}"><sheets>'
        '<sheet name="表" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">'
        f'<Relationship Id="rId1" Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{relations}/sharedStrings" Target="/xl/strings.xml"/>'
        f'<Relationship Id="rId3" Type="{relations}/styles" Target="styles.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f"<worksheet {_MAIN}>{cols}<sheetData>{sheet_data}</sheetData>"
        "</worksheet>",
        "xl/strings.xml": strings or f"<sst {_MAIN}/>",
        "xl/styles.xml": f"<styleSheet {_MAIN}>{styles}</styleSheet>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def cells_of(*rows: str) -> str:
    """``<c>`` elements of each row, wrapped into rows."""
    return "".join(f'<row r="{no}">{row}</row>' for no, row in enumerate(rows, 1))


def text_cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def field(name: str, kind: Any, *headings: str, required: bool = False, **more: Any) -> FieldSpec:
    return FieldSpec(name, kind, headings[0], headings, required, **more)


FIELDS = (
    field("tax_no", "identifier", "纳税人识别号", required=True, pattern="^[0-9]{6}[0-9A-Z]{9}$"),
    field("name", "text", "纳税人名称", required=True),
    field("taxable", "int", "计税工资人数"),
    field("insured", "int", "参保缴费人数"),
    field("due", "money", "应征"),
    field("paid", "money", "实征"),
    field("registered_on", "date", "税务登记日期"),
)
"""Of the tax office's table of the sample."""


def spec_of(form: Any = "csv", fields: Sequence[FieldSpec] = FIELDS, **more: Any) -> TableSpec:
    given: dict[str, Any] = {
        "period": "2008-05",
        "period_kind": "month",
        "today": "2008-06-10",
        "chunk_records": 100,
        "body_bytes": 4_000_000,
        "document_bytes": 4_000_000,
        "units": unit_names(Plan.default()),
    }
    return TableSpec(form=form, fields=tuple(fields), **{**given, **more})


def read(body: bytes, spec: TableSpec | None = None) -> tuple[list[Batch], dict[str, Any]]:
    """All batches and the summary. Raises TableRefused."""
    table = Table(spec or spec_of(), [body])
    return list(table.batches()), table.summary()


def rows_of(feed: Feed, records: Iterable[Mapping[str, Any]], plan: Plan) -> Rows:
    """A heading row in Chinese and one row per record, as a department would write them."""
    specs = field_specs(feed, plan)
    rows = [[one.zh for one in specs]]
    for record in records:
        rows.append([cell_of(one, record.get(one.name)) for one in specs])
    return rows
