"""Whatever is sent: records and a summary, or a refusal with a code. Nothing else, and no hang."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.deliveries.tables.cells import Row
from shared.deliveries.tables.layout import find_layout
from shared.deliveries.tables.spec import REFUSED, TableRefused
from shared.deliveries.tables.sums import kind_of
from shared.deliveries.tables.written import WorkbookStream, csv_line, harmless
from shared.problems import CATALOGUE
from tests.tables.made import cells_of, csv_of, read, spec_of, workbook_of, xlsx_of
from tests.tables.test_layout import HEADING, SAMPLE

CSV = csv_of(SAMPLE, "gb18030")
XLSX = xlsx_of(SAMPLE)
CELLS = st.sampled_from(
    [
        *HEADING,
        "合计",
        "1",
        "1.2万",
        "约30",
        "—",
        "",
        "单位：万元",
        "2008年5月",
        "\0",
        '"',
        "\r",
        "甲乙",
    ]
) | st.text(max_size=6)


def ends_well(body: bytes, form: str) -> None:
    try:
        batches, summary = read(body, spec_of(form))
    except TableRefused as refused:
        assert refused.code in CATALOGUE
        return
    count = sum(batch.count for batch in batches)
    assert summary["rows"]["records"] == count
    for batch in batches:
        lines = [msgspec.json.decode(line) for line in batch.lines.splitlines()]
        assert len(lines) == len(batch.rows) == batch.count
        assert all(isinstance(one, dict) or one[0] == REFUSED for one in lines)


@given(st.binary(max_size=300), st.sampled_from(["csv", "xlsx"]))
def test_any_bytes(body: bytes, form: str) -> None:
    ends_well(body, form)


@given(st.lists(st.lists(CELLS, max_size=6), max_size=12), st.sampled_from(["utf-8", "utf-16"]))
def test_any_rows_under_a_heading(rows: list[list[str]], encoding: str) -> None:
    ends_well(csv_of([HEADING, *rows], encoding), "csv")


@settings(max_examples=60)
@given(
    st.sampled_from([(CSV, "csv"), (gzip.compress(CSV), "csv"), (XLSX, "xlsx")]),
    st.integers(0, 10_000),
    st.binary(min_size=0, max_size=8),
    st.integers(0, 12),
)
def test_a_table_with_some_bytes_changed(
    table: tuple[bytes, str], at: int, put: bytes, dropped: int
) -> None:
    body, form = table
    at %= len(body)
    ends_well(body[:at] + put + body[at + dropped :], form)


@settings(max_examples=60)
@given(st.text('<>/"= crvfst123ABnisul', max_size=60))
def test_a_sheet_of_any_markup(text: str) -> None:
    ends_well(workbook_of(text), "xlsx")


@settings(max_examples=60)
@given(
    st.lists(
        st.builds(
            lambda kind, value, ref: (
                f'<c t="{kind}" r="{ref}1"><f>SUM(A1:B1)</f><v>{value}</v></c>'
            ),
            st.sampled_from(["n", "s", "b", "e", "str", "d", "inlineStr", "x"]),
            st.sampled_from(["", "1", "-1", "1E999", "nan", "2.1E17", "x"]),
            st.sampled_from("ABCD"),
        ),
        max_size=5,
    )
)
def test_cells_of_any_kind(cells: list[str]) -> None:
    ends_well(workbook_of(cells_of("".join(cells))), "xlsx")


@given(st.lists(st.text(max_size=12), min_size=4, max_size=4))
def test_a_row_with_an_identifying_number_is_always_a_record(cells: list[str]) -> None:
    layout = find_layout([Row(1, HEADING)], spec_of())
    assert layout is not None
    cells[0] = "210504PDY001012"
    assert kind_of(layout, cells, frozenset({0}), first=True) is None


@given(st.text(max_size=12) | st.text("=+-@\t\r ＝'1", max_size=5))
def test_nothing_we_write_is_a_formula(cell: str) -> None:
    (row,) = csv.reader(io.StringIO(csv_line([cell]).decode("utf-8"), newline=""))
    written = row[0].lstrip(" ")
    if written[:1] in tuple("=+-@\t\r＝＋－＠"):
        assert float(written.replace(",", "").rstrip("%")) is not None, "a plain number at most"
    book = WorkbookStream("表")
    book.add(1, [cell])
    assert b"<f" not in zipfile.ZipFile(io.BytesIO(book.finish())).read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("cell", ["=1+1", "+A1", "-2+3", "@SUM(A1)", "\t=1", " =1", "＝1", "|x"])
def test_formulas_are_made_harmless(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["-5", "+1,020.50", "-3%", "甲=乙", "", "2008-04-03", "'=1"])
def test_what_is_no_formula_is_left_alone(cell: str) -> None:
    assert harmless(cell) == cell


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_seeds_are_good(form: str) -> None:
    body = CSV if form == "csv" else XLSX
    assert sum(batch.count for batch in read(body, spec_of(form))[0]) == 3
