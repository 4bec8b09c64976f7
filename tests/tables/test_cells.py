"""What one cell comes to: read, repaired on the record, or refused with the reason."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deliveries.tables.cells import (
    BoolCell,
    DateCell,
    ErrorCell,
    FormulaCell,
    LossyNumber,
    NumberCell,
)
from shared.deliveries.tables.characters import column_name, folded, states_nothing
from shared.deliveries.tables.cleaning import NO_SCALE, Cleaned, Scale, clean
from shared.deliveries.tables.days import period_in
from shared.deliveries.tables.figures import from_binary, plain, read_figure
from shared.deliveries.tables.quick import MISS, quick_reader
from shared.deliveries.tables.sheet import _column
from shared.deliveries.tables.spec import FieldSpec
from shared.deliveries.tables.texts import CELL_TEXTS, rule_words
from shared.problems import ROW_TEXTS
from tests.tables.made import field

TODAY = date(2008, 6, 10)
WAN = Scale(4, "万元")
MONEY = field("due", "money", "应征")
PERSONS = field("persons", "int", "人数")
DAY = field("on", "date", "日期")
MONTH = field("month", "month", "月份", pattern="^[0-9]{4}-(0[1-9]|1[0-2])$")
DEKAD = field("dekad", "dekad", "旬")
FLAG = field("flag", "bool", "是否")
NAME = field("name", "text", "名称")
ORG = field("org_code", "identifier", "组织机构代码", pattern="^[0-9A-Z]{8}-?[0-9X]$")
IDENTITY = field(
    "identity_no", "identifier", "身份证号", pattern="^([0-9]{15}|[0-9]{17}[0-9X])$", personal=True
)
INDUSTRY = field("industry", "code", "行业", pattern="^[0-9]{2}$", labels={"餐饮业": "67"})
STATUS = field(
    "status", "code", "状态", codes=("active", "ended"), labels={"正常": "active", "终止": "ended"}
)
ITEMS = field(
    "items", "list", "分期", parts=(field("on", "date", "日期"), field("sum", "money", "金额"))
)
KINDS = (MONEY, PERSONS, DAY, MONTH, DEKAD, FLAG, NAME, ORG, IDENTITY, INDUSTRY, STATUS, ITEMS)


def read(spec: FieldSpec, cell: str, scale: Scale = NO_SCALE) -> Cleaned:
    return clean(spec, cell, scale, TODAY)


@pytest.mark.parametrize(
    ("spec", "cell", "value", "rule"),
    [
        (MONEY, "12.5", "12.5", None),
        (MONEY, "1,020", "1020", "thousands"),
        (MONEY, "1 020 300.50", "1020300.5", "thousands"),
        (MONEY, "１２．５", "12.5", "full-width"),
        (MONEY, "(1,234.5)", "-1234.5", "brackets-negative+thousands"),
        (MONEY, "（12）", "-12", "full-width+brackets-negative"),
        (MONEY, "－5", "-5", "full-width"),
        (MONEY, "1.2万", "12000", "scale-in-cell"),
        (MONEY, "1.2万元", "12000", "unit-in-cell+scale-in-cell"),
        (MONEY, "3億圓", None, None),
        (MONEY, "￥12.50元", "12.5", "full-width+sign-dropped+unit-in-cell"),
        (MONEY, "—", None, "not-stated"),
        (MONEY, "无", None, "not-stated"),
        (MONEY, "/", None, "not-stated"),
        (MONEY, "－－", None, "not-stated"),
        (MONEY, "0", "0", None),
        (MONEY, "", None, None),
        (PERSONS, "80人", 80, "unit-in-cell"),
        (PERSONS, "８０", 80, "full-width"),
        (PERSONS, "1.2万人", 12000, "unit-in-cell+scale-in-cell"),
        (PERSONS, NumberCell("80"), 80, None),
        (PERSONS, NumberCell("80.0"), 80, "whole-number"),
        (DAY, "2008-04-03", "2008-04-03", None),
        (DAY, "2008.4.3", "2008-04-03", "date-form"),
        (DAY, "2008/4/3", "2008-04-03", "date-form"),
        (DAY, "2008年4月3日", "2008-04-03", "date-form"),
        (DAY, "２００８年４月３日", "2008-04-03", "date-form"),
        (DAY, "二○○八年四月三日", "2008-04-03", "chinese-digits"),
        (DAY, "二〇〇八年十二月二十三日", "2008-12-23", "chinese-digits"),
        (DAY, "二零零八年十月三十日", "2008-10-30", "chinese-digits"),
        (DAY, "08.4.3", "2008-04-03", "two-digit-year"),
        (DAY, "99年4月3日", "1999-04-03", "two-digit-year"),
        (DAY, "20080403", "2008-04-03", "date-form"),
        (DAY, "39541", "2008-04-03", "serial-number"),
        (DAY, NumberCell("39541"), "2008-04-03", "serial-number"),
        (DAY, "2008-04-03 00:00:00", "2008-04-03", "time-of-day-dropped"),
        (DAY, DateCell("2008-04-03"), "2008-04-03", None),
        (MONTH, "2008年5月", "2008-05", "period-form"),
        (MONTH, "200805", "2008-05", "period-form"),
        (MONTH, "2008-05", "2008-05", None),
        (MONTH, DateCell("2008-05-01"), "2008-05", "month-of-date"),
        (DEKAD, "2008年5月上旬", "2008-05-D1", "period-form"),
        (FLAG, "是", True, None),
        (FLAG, "×", False, "yes-no"),
        (FLAG, BoolCell("否"), False, None),
        (FLAG, "无", None, "not-stated"),
        (NAME, " 本溪 ", "本溪", "spaces"),
        (NAME, "龍飛（商貿）", "龍飛（商貿）", None),
        (NAME, "本溪\n示例", "本溪 示例", "spaces"),
        (field("problems", "text", "存在问题", required=True), "无", "无", None),
        (field("problems", "text", "存在问题", required=True), "没有", "没有", None),
        (field("problems", "text", "存在问题", required=True), "—", None, "not-stated"),
        (field("problems", "text", "存在问题"), "无", None, "not-stated"),
        (field("name", "text", "名称", required=True), "无", None, "not-stated"),
        (field("remark", "text", "备注"), "一\n二", "一\n二", None),
        (ORG, "PDY00001-X", "PDY00001-X", None),
        (ORG, "ＰＤＹ０００１２Ｘ７", None, None),
        (ORG, "pdy00001-x", "PDY00001-X", "upper-case"),
        (ORG, "PDY 00001 X", "PDY00001X", "spaces"),
        (IDENTITY, "210502197001019805", "210502197001019805", None),
        (IDENTITY, "21050219700101980x", "21050219700101980X", "upper-case"),
        (IDENTITY, NumberCell("210502700101980"), "210502700101980", "number-cell"),
        (INDUSTRY, "67", "67", None),
        (INDUSTRY, "餐飲業", "67", "label"),
        (INDUSTRY, "67 餐饮业", "67", "label"),
        (INDUSTRY, NumberCell("67"), "67", None),
        (STATUS, "正常", "active", "label"),
        (STATUS, "active", "active", None),
        (STATUS, "ＡＣＴＩＶＥ", "active", "full-width"),
        (
            ITEMS,
            "2008.6.30 5000；2008-07-31 1万",
            [{"on": "2008-06-30", "sum": "5000"}, {"on": "2008-07-31", "sum": "10000"}],
            "list",
        ),
    ],
)
def test_a_cell_is_read(spec: FieldSpec, cell: str, value: Any, rule: str | None) -> None:
    cleaned = read(spec, cell)
    if value is None and rule is None and cell:
        assert cleaned.fault is not None or cleaned.repair is not None
        return
    assert cleaned.fault is None
    assert cleaned.value == value
    assert type(cleaned.value) is type(value) or isinstance(value, str)
    assert (cleaned.repair.rule if cleaned.repair else None) == rule
    if cleaned.repair:
        assert cleaned.repair.original == cell
        assert all(words.strip() for words in rule_words(cleaned.repair.rule))


@pytest.mark.parametrize(
    ("spec", "cell", "code"),
    [
        (MONEY, "约30", "number-rough"),
        (MONEY, "30多", "number-rough"),
        (MONEY, "30-40", "number-rough"),
        (PERSONS, "近百人", "number-rough"),
        (MONEY, "15O0", "letter-in-number"),
        (MONEY, "l2", "letter-in-number"),
        (MONEY, "1,02", "number-unclear"),
        (MONEY, "1.2.3", "number-unclear"),
        (MONEY, "三十", "number-unclear"),
        (MONEY, DateCell("2008-04-03"), "number-unclear"),
        (PERSONS, "80.5", "number-not-whole"),
        (DAY, "5/6/2008", "date-unclear"),
        (DAY, "08/4/3", "date-unclear"),
        (DAY, "2008.4.31", "date-impossible"),
        (DAY, "2008年13月1日", "date-impossible"),
        (DAY, "2008.4", "date-incomplete"),
        (DAY, "2008年4月", "date-incomplete"),
        (DAY, "四月三日", "date-unreadable"),
        (MONTH, NumberCell("2008.1"), "period-unreadable"),
        (MONTH, "2008-13", "date-impossible"),
        (FLAG, "也许", "yes-no-unclear"),
        (ORG, "2.10504E+14", "identifier-damaged"),
        (ORG, NumberCell("12345678"), "identifier-damaged"),
        (IDENTITY, LossyNumber("210502197001019000"), "identifier-damaged"),
        (IDENTITY, "2105021970O1019805", "letter-in-number"),
        (INDUSTRY, NumberCell("6"), "identifier-damaged"),
        (INDUSTRY, "炼金业", "label-unknown"),
        (INDUSTRY, "52 餐饮业", "label-unknown"),
        (STATUS, "活跃", "label-unknown"),
        (ITEMS, "2008.6.30 5000 多 了", "list-unclear"),
        (ITEMS, "2008.6.31 5000", "date-impossible"),
        (MONEY, ErrorCell("#REF!"), "cell-error"),
        (MONEY, FormulaCell("=A1*2"), "formula-without-value"),
        (NAME, "甲\0乙", "control-character"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_reason(
    spec: FieldSpec, cell: str, code: str
) -> None:
    cleaned = read(spec, cell)
    assert cleaned.fault is not None
    assert cleaned.fault.code == code
    assert cleaned.value is None
    assert code in CELL_TEXTS or code in ROW_TEXTS or code == "control-character"


def test_a_personal_value_is_in_no_reason() -> None:
    fault = read(IDENTITY, "2105021970O1019805").fault
    assert fault is not None
    assert "2105" not in str(fault.params)


def test_units_multiply_once() -> None:
    assert read(MONEY, "12.5", WAN).value == "125000"
    assert read(MONEY, "0.000001", WAN).value == "0.01"
    assert read(MONEY, "1.2万", WAN).value == "12000", "a cell's own unit goes before the column's"
    assert read(MONEY, "1200元", WAN).value == "1200"
    assert read(MONEY, "-", WAN).value is None
    repair = read(MONEY, "12.5", WAN).repair
    assert repair is not None
    assert repair.rule == "unit-万元"


def test_not_stated_and_zero_stay_different() -> None:
    assert read(MONEY, "0").value == "0"
    assert read(PERSONS, "0").value == 0
    for nothing in ("—", "-", "/", "无", "", "　"):
        assert read(MONEY, nothing).value is None
        assert read(MONEY, nothing).fault is None


@pytest.mark.parametrize(
    ("title", "period"),
    [
        ("本溪市明山区地方税务局2008年5月上旬征缴情况表", "2008-05-D1"),
        ("二○○八年五月养老保险费入库表", "2008-05"),
        ("填报日期：2008年5月10日", None),
        ("征缴情况表", None),
    ],
)
def test_the_period_of_a_title(title: str, period: str | None) -> None:
    assert period_in(title) == period


@given(st.decimals(-(10**12), 10**12, places=2))
def test_money_written_any_way_reads_the_same(amount: Decimal) -> None:
    expected = plain(amount)
    grouped = f"{abs(amount):,.2f}"
    written = [str(amount), grouped if amount >= 0 else f"({grouped})", f"{amount}元"]
    for text in written:
        found = read_figure(text)
        assert found.value is not None, text
        assert Decimal(plain(found.value)) == Decimal(expected), text


@given(st.dates(date(1950, 1, 1), date(2030, 12, 31)))
def test_a_date_written_any_way_reads_the_same(on: date) -> None:
    serial = str((on - date(1899, 12, 30)).days)
    forms = [
        on.isoformat(),
        f"{on.year}.{on.month}.{on.day}",
        f"{on.year}年{on.month}月{on.day}日",
        on.strftime("%Y%m%d"),
        f"{on.year}/{on.month:02d}/{on.day:02d}",
        NumberCell(serial),
    ]
    assert {read(DAY, form).value for form in forms} == {on.isoformat()}


@given(
    st.sampled_from(KINDS),
    st.text(max_size=30) | st.text("0123456789.,-/年月日万元约人()（）１２ eE+", max_size=14),
    st.sampled_from([str, NumberCell, DateCell, BoolCell, ErrorCell, FormulaCell, LossyNumber]),
)
def test_no_cell_breaks_the_reader(spec: FieldSpec, text: str, kind: type[str]) -> None:
    cleaned = clean(spec, kind(text), WAN, TODAY)
    assert cleaned.fault is None or cleaned.value is None
    if cleaned.value is None and text.strip() and not states_nothing(text):
        assert cleaned.fault is not None or cleaned.repair is not None or spec.kind == "text"


@given(st.text(max_size=20))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.integers(0, 16383))
def test_columns_are_named_as_spreadsheets_do(index: int) -> None:
    assert _column(column_name(index) + "1") == index


def test_a_number_cell_is_what_the_spreadsheet_shows() -> None:
    assert from_binary("12.300000000000001") == "12.3"
    assert from_binary("2.1050219700101E+17") == "210502197001010000"
    assert from_binary("1E-3") == "0.001"
    assert from_binary("nan") == "nan"
    assert from_binary("1E400") == "1E400"


@given(
    st.sampled_from(KINDS),
    st.text(max_size=30)
    | st.text("0123456789.,-/年月日万元ABX 是否", max_size=12)
    | st.dates().map(str)
    | st.sampled_from(["67", "active", "PDY00001-X", "210502197001019805", "2008-05", "-", "无"]),
)
def test_the_quick_way_gives_what_the_long_way_gives(spec: FieldSpec, text: str) -> None:
    if not text:
        return
    quick = quick_reader(spec, NO_SCALE)(text)
    if quick is not MISS:
        cleaned = read(spec, text)
        assert cleaned.repair is None
        assert cleaned.fault is None
        same = Decimal(cleaned.value) == Decimal(quick) if spec is MONEY else cleaned.value == quick
        assert same


def test_a_line_break_after_an_identifier_is_taken_away() -> None:
    """A pattern's $ matches before it: the number would stand for another."""
    cleaned = read(ORG, "71234567-5\n")
    assert (cleaned.value, cleaned.repair and cleaned.repair.rule) == ("71234567-5", "spaces")
    assert quick_reader(ORG, NO_SCALE)("71234567-5\n") is MISS
