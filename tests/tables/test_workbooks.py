"""Workbooks: what cells say, what is hidden, and what must not be opened."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import msgspec
import pytest

from shared.crypto import mask_within
from shared.deliveries.tables import workbook
from shared.deliveries.tables.days import from_serial
from shared.deliveries.tables.reading import Table
from shared.deliveries.tables.spec import TableRefused
from tests.tables.made import Rows, cells_of, field, read, spec_of, text_cell, workbook_of, xlsx_of
from tests.tables.test_layout import EXPECTED, HEADING, SAMPLE, A, B

HEAD = "".join(text_cell(heading) for heading in HEADING)
ID = "^[0-9]{17}[0-9X]$"


def spec(**more: Any) -> Any:
    return spec_of("xlsx", **more)


def records(body: bytes, **more: Any) -> list[Any]:
    batches, _ = read(body, spec(**more))
    return [msgspec.json.decode(line) for batch in batches for line in batch.lines.splitlines()]


def refused(body: bytes, **more: Any) -> TableRefused:
    with pytest.raises(TableRefused) as caught:
        read(body, spec(**more))
    return caught.value


def test_the_sample_as_a_workbook() -> None:
    batches, summary = read(xlsx_of(SAMPLE), spec())
    assert [msgspec.json.decode(line) for line in batches[0].lines.splitlines()] == EXPECTED
    assert summary["sheet"] == "表"
    assert summary["kept_out"] == {"note": 1, "signature": 1, "total": 1}


def test_cells_of_every_type() -> None:
    strings = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        "<si><r><t>甲</t></r><r><t>乙</t></r><rPh><t>jia</t></rPh></si><si><t>丙_x000A_丁</t></si></sst>"
    )
    styles = (
        '<numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs>'
    )
    fields = (
        field("tax_no", "identifier", "税号", required=True),
        field("name", "text", "名称"),
        field("on", "date", "日期"),
        field("month", "month", "月份", pattern="^[0-9]{4}-(0[1-9]|1[0-2])$"),
        field("flag", "bool", "是否"),
        field("sum", "money", "金额"),
    )
    head = "".join(text_cell(one.zh) for one in fields)
    row = (
        f'{text_cell("A1")}<c t="s"><v>0</v></c><c s="1"><v>39541</v></c><c s="2"><v>39569</v></c>'
        '<c t="b"><v>1</v></c><c t="str"><f>A1</f><v>12.5</v></c>'
    )
    skipping = (
        f'{text_cell("A2")}<c r="B3" t="s"><v>1</v></c><c r="F3"><v>1.1000000000000001</v></c>'
    )
    body = workbook_of(cells_of(head, row, skipping), strings=strings, styles=styles)
    assert records(body, fields=fields) == [
        {
            "tax_no": "A1",
            "name": "甲乙",
            "on": "2008-04-03",
            "month": "2008-05",
            "flag": True,
            "sum": "12.5",
        },
        {"tax_no": "A2", "name": "丙 丁", "sum": "1.1"},
    ]


@pytest.mark.parametrize(
    ("raw", "taken"),
    [
        ("2.1050219700101E+17", False),
        ("210502197001019805", False),
        ("210502197001019", False),
    ],
)
def test_identifiers_in_number_cells_are_refused_by_name(raw: str, taken: bool) -> None:
    fields = (field("identity_no", "identifier", "身份证号", required=True, pattern=ID),)
    body = workbook_of(cells_of(text_cell("身份证号"), f"<c><v>{raw}</v></c>"))
    assert b"identifier-damaged" in read(body, spec(fields=fields))[0][0].lines


def test_a_number_cell_that_lost_nothing_is_taken() -> None:
    fields = (field("licence_no", "identifier", "注册号", pattern="^([0-9]{13}|[0-9]{15})$"),)
    body = workbook_of(cells_of(text_cell("注册号"), "<c><v>2.10502200000015E+14</v></c>"))
    assert records(body, fields=fields) == [{"licence_no": "210502200000015"}]


@pytest.mark.parametrize(
    ("formula", "due"),
    [
        ("<f>X1*2</f><v>7</v>", "7"),
        ("<f>SUM(C2:C2)</f>", "2"),
        ("<f>C2+C2</f><v></v>", "4"),
        ("<f>$C$2-C2</f>", "0"),
        ("<f>X1*2</f>", None),
        ("<f>SUM(C2:E2)</f>", None),
        ("<f>SUM(C1:C9)</f><v/>", None),
        ("<f>SUM(E2:E2)</f>", None),
    ],
)
def test_a_formula_is_never_read_as_empty(formula: str, due: str | None) -> None:
    row = f"{text_cell(A)}{text_cell('甲')}<c><v>2</v></c><c>{formula}</c>"
    batches, _ = read(workbook_of(cells_of(HEAD, row)), spec())
    if due is None:
        assert b"formula-without-value" in batches[0].lines
    else:
        assert msgspec.json.decode(batches[0].lines)["due"] == due


@pytest.mark.parametrize("raw", ["nan", "x", "1E999", "-1E400", "0x10"])
def test_a_number_cell_without_a_number_is_an_error(raw: str) -> None:
    row = f"{text_cell(A)}{text_cell('甲')}<c><v>{raw}</v></c><c><f>SUM(C2:C2)</f></c>"
    lines = read(workbook_of(cells_of(HEAD, row)), spec())[0][0].lines
    assert b"cell-error" in lines
    assert b"formula-without-value" in lines


def test_an_error_in_a_cell_is_refused() -> None:
    row = f'{text_cell(A)}{text_cell("甲")}<c><v>2</v></c><c t="e"><v>#REF!</v></c>'
    assert b"cell-error" in read(workbook_of(cells_of(HEAD, row)), spec())[0][0].lines


def test_hidden_rows_and_columns_are_read_and_told() -> None:
    row = f"{text_cell(A)}{text_cell('甲')}<c><v>2</v></c><c><v>3</v></c>"
    sheet = f'<row r="1">{HEAD}</row><row r="2" hidden="1">{row}</row>'
    body = workbook_of(sheet, cols='<cols><col min="4" max="4" hidden="1"/></cols>')
    batches, summary = read(body, spec())
    assert msgspec.json.decode(batches[0].lines)["due"] == "3"
    assert summary["rows"]["hidden"] == 1
    assert [one["hidden"] for one in summary["columns"]] == [False, False, False, True]
    assert [one["code"] for one in summary["warnings"]] == ["rows-hidden"]


def test_the_sheet_with_the_table_is_found() -> None:
    other: Rows = [["目录"], ["说明", "见表"]]
    assert len(records(xlsx_of(SAMPLE, 说明=other))) == 3
    april: Rows = [["2008年4月情况表"], HEADING, [B, "乙", "1", "1"]]
    assert len(records(xlsx_of(SAMPLE, 四月=april))) == 3, "a sheet of another period is not meant"
    again: Rows = [HEADING, [B, "乙", "1", "1"]]
    problem = refused(xlsx_of(SAMPLE, 另表=again))
    assert (problem.code, problem.params) == ("table-sheet-unclear", {"sheets": "表、另表"})
    assert len(records(xlsx_of(SAMPLE, 另表=again), sheet="另表")) == 1
    assert refused(xlsx_of(SAMPLE), sheet="无").code == "table-sheet-unknown"


def changed(body: bytes, **parts: str | None) -> bytes:
    """A workbook with parts left out or replaced; names with __ for /."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            text = parts.get(name.replace("/", "__").replace(".", "_"), old.read(name).decode())
            if text is not None:
                new.writestr(name, text)
    return out.getvalue()


def ole(*names: str) -> bytes:
    directory = b"".join(name.encode("utf-16-le") for name in names)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + directory


DOCTYPE = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><sst>&b;</sst>'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"a,b\n1,2\n", "table-form-wrong"),
        (ole("Workbook"), "table-form-wrong"),
        (ole("EncryptionInfo", "EncryptedPackage"), "table-encrypted"),
        (xlsx_of(SAMPLE)[:-40], "table-damaged"),
        (xlsx_of(SAMPLE)[:2000] + b"\0" * 50 + xlsx_of(SAMPLE)[2050:], "table-damaged"),
        (changed(workbook_of(""), xl__workbook_xml=None), "table-form-wrong"),
        (changed(workbook_of(""), xl__workbook_xml="<workbook>"), "table-damaged"),
        (workbook_of(cells_of(HEAD), strings=DOCTYPE), "table-damaged"),
        (workbook_of(cells_of(HEAD, '<c t="s"><v>5</v></c>')), "table-damaged"),
        (workbook_of('<row r="1"><c r="ZZZ1"><v>1</v></c></row>'), "table-too-wide"),
        (workbook_of('<row r="2000000"><c><v>1</v></c></row>'), "table-too-large"),
        (workbook_of('<row r="x"><c><v>1</v></c></row>'), "table-damaged"),
        (workbook_of(cells_of(text_cell(A))), "table-heading-missing"),
        (b"\x1f\x8b\x08nonsense", "table-damaged"),
    ],
)
def test_what_is_no_workbook_is_named(body: bytes, code: str) -> None:
    assert refused(body).code == code


def test_a_bomb_is_refused_by_its_directory() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * (40 * 1024 * 1024))
    problem = refused(out.getvalue())
    assert problem.code == "table-too-large"
    assert problem.params["what"] == "xl/workbook.xml"


def test_shared_strings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_STRINGS_BYTES", 200_000)
    strings = "<sst>" + "<si><t>甲</t></si>" * 20_000 + "</sst>"
    problem = refused(workbook_of(cells_of(HEAD), strings=strings))
    assert (problem.code, problem.params["what"]) == ("table-too-large", "xl/strings.xml")


def test_an_empty_workbook_has_no_records() -> None:
    batches, summary = read(workbook_of(""), spec())
    assert batches == []
    assert summary["rows"] == {"records": 0}


def test_one_odd_cell_fails_its_row_or_nothing() -> None:
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
    fields = (field("no", "identifier", "编号", required=True), field("name", "text", "名称"))
    head = "".join(text_cell(one.zh) for one in fields)
    row = f'<c s="1"><v>39541</v></c>{text_cell("a_xD83D__xDE00_b_xD83D_")}'
    flag = f'<c t="b"><v>1</v></c>{text_cell("甲")}'
    body = workbook_of(cells_of(head, row, flag), styles=styles)
    marked, other = records(body, fields=fields)
    assert marked[1][0][:2] == other[1][0][:2] == ["identifier-damaged", "no"]
    assert marked[2] == {"name": "a\U0001f600b\ufffd"}


def test_a_number_beyond_all_days_in_a_workbook_since_1904() -> None:
    assert from_serial(99_999_999, since_1904=True).fault == "date-unreadable"
    assert from_serial(10**30, since_1904=True).fault == "date-unreadable"


def test_a_cell_before_the_one_before_it_is_damage() -> None:
    row = '<c r="B2"><v>1</v></c><c r="A2"><v>2</v></c>'
    assert refused(workbook_of(cells_of(HEAD, row))).code == "table-damaged"


def test_rows_of_a_sheet_whose_name_was_masked() -> None:
    body = xlsx_of([["a"]], 甲210502198001011237=[["b"]])
    name = mask_within("甲210502198001011237")
    table = Table(spec(fields=(), sheet=name, rows_only=True), [body])
    assert list(table.plain_rows()) == [[(1, ["b"])]]
    with pytest.raises(TableRefused):
        list(Table(spec(fields=(), sheet="丙", rows_only=True), [body]).plain_rows())
