"""Units of money and what brackets say, in headings and above them."""

from __future__ import annotations

import msgspec
import pytest

from shared.deliveries.tables.characters import heading_key
from tests.tables.made import FIELDS, csv_of, field, read, spec_of
from tests.tables.test_layout import HEADING, A, B, records, refused


@pytest.mark.parametrize(
    ("heading", "cell", "due"),
    [
        ("应征(万元)", "1.5", "15000"),
        ("应征（元）", "1.5", "1.5"),
        ("应征,千元", "1.5", "1500"),
        ("應徵", "1.5", "15000"),
        ("应 征\n", "1.5", "15000"),
        ("应征（元）", "1.5万", "15000"),
    ],
)
def test_a_columns_own_unit_goes_before_the_sheets(heading: str, cell: str, due: str) -> None:
    rows = [["金额单位：万元"], ["纳税人识别号", "纳税人名称", heading], [A, "甲", cell]]
    assert records(csv_of(rows))[0]["due"] == due


@pytest.mark.parametrize(
    "above",
    ["填报单位：本溪百元店", "单位：万元店", "经办单位：千元服装厂", "计量说明：不含百元以下"],
)
def test_a_name_with_a_unit_in_it_is_no_unit(above: str) -> None:
    rows = [[above], ["纳税人识别号", "纳税人名称", "应征(不含百元以下)", "单位"]]
    fields = (*FIELDS[:2], field("due", "money", "应征"))
    rows.append([A, "甲", "1", "本溪百元店"])
    mapping = {heading_key("应征(不含百元以下)"): "due"}
    assert records(csv_of(rows), fields=fields, mapping=mapping)[0]["due"] == "1"


@pytest.mark.parametrize(
    "heading",
    [
        "应征（上年同期）",
        "应征(累计)",
        "应征（计划）",
        "应征【上月】",
        "应征（1-4月）",
        "应征（2007）",
    ],
)
def test_what_a_headings_bracket_says_counts(heading: str) -> None:
    rows = [[*HEADING[:2], heading], [A, "甲", "1"]]
    batches, summary = read(csv_of(rows))
    assert "due" not in msgspec.json.decode(batches[0].lines)
    assert [one["params"]["heading"] for one in summary["warnings"]] == [heading]
    assert records(csv_of(rows), mapping={heading_key(heading): "due"})[0]["due"] == "1"
    both = [[*HEADING[:2], "应征", heading], [A, "甲", "1", "2"]]
    assert records(csv_of(both))[0]["due"] == "1"


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("应征（元）", "due"),
        ("应征（单位：万元）", "due"),
        ("应征（必填）", "due"),
        ("应征【选填】（元、必填）", "due"),
        ("参保缴费人数（人）", "insured"),
        ("税务登记日期（年月日）", "registered_on"),
        ("税务登记日期（YYYY-MM-DD）", "registered_on"),
        ("税务登记日期（2008-05-06）", "registered_on"),
        ("实征（实征）", "paid"),
    ],
)
def test_a_headings_bracket_that_only_hints(heading: str, name: str) -> None:
    _, summary = read(csv_of([[*HEADING[:2], heading], [A, "甲", ""]]))
    assert [column["field"] for column in summary["columns"]][2] == name
    assert summary["warnings"] == []


@pytest.mark.parametrize(
    ("line", "due"),
    [
        ("单位：万元", "10000"),
        ("（单位：人、万元）", "10000"),
        ("金额单位：人民币千元 人数单位：人", "1000"),
        ("計量單位:萬元,%", "10000"),
        ("单 位：元", "1"),
        ("单位：户、人", "1"),
        ("2008年5月欠费情况表（万元）", "10000"),
        ("情况表（单位：万元）2008年5月", "10000"),
        ("（万元）", "10000"),
        ("万元", "10000"),
        ("单位 万元", "10000"),
        ("（金额单位千元）", "1000"),
        ("2008年5月情况表 万元", "10000"),
        ("欠费 100 万元 以上企业（百万元以上）", "1"),
    ],
)
def test_unit_lines(line: str, due: str) -> None:
    rows = [[line], ["纳税人识别号", "纳税人名称", "应征"], [A, "甲", "1"]]
    assert records(csv_of(rows))[0]["due"] == due


def test_a_unit_of_money_after_one_of_persons_is_taken() -> None:
    rows = [["单位：户"], ["（万元）"], ["纳税人识别号", "纳税人名称", "应征"], [A, "甲", "1"]]
    assert records(csv_of(rows))[0]["due"] == "10000"


def test_a_row_of_units_belongs_to_the_heading() -> None:
    heading = [*HEADING[:2], "应征", "实征"]
    rows = [heading, ["", "", "（万元）", "元"], [A, "甲", "1", "1"]]
    [one] = records(csv_of(rows))
    assert (one["due"], one["paid"]) == ("10000", "1")


@pytest.mark.parametrize("above", ["单位：元", "2008年5月情况表（元）", "情况表（千元）"])
def test_two_units_above_the_heading_are_refused(above: str) -> None:
    rows = [[above], ["单位：万元"], ["纳税人识别号", "纳税人名称", "应征"], [A, "甲", "1"]]
    assert refused(csv_of(rows)).code == "table-unit-unclear"


def test_a_unit_by_row() -> None:
    rows = [
        ["纳税人识别号", "纳税人名称", "应征", "计量单位"],
        [A, "甲", "1", "万元"],
        [B, "乙", "1", "元"],
    ]
    assert [one["due"] for one in records(csv_of(rows))] == ["10000", "1"]


def test_a_unit_line_further_down_holds_from_there() -> None:
    rows = [HEADING, [A, "甲", "1", "1"], ["单位：万元"], [B, "乙", "1", "1"]]
    assert [one["due"] for one in records(csv_of(rows))] == ["1", "10000"]


@pytest.mark.parametrize("line", ["单位：元", "（元）", "单位 元"])
def test_a_unit_line_further_down_is_not_about_columns_with_a_unit_of_their_own(line: str) -> None:
    heading = [*HEADING[:2], "应征(万元)", "实征"]
    rows = [["单位：千元"], heading, [A, "甲", "1", "1"], [line], [B, "乙", "1", "1"]]
    assert [(one["due"], one["paid"]) for one in records(csv_of(rows))] == [
        ("10000", "1000"),
        ("10000", "1"),
    ]


def test_a_row_whose_unit_is_not_its_columns_is_refused() -> None:
    heading = [*HEADING[:2], "应征(万元)", "计量单位"]
    rows = [heading, [A, "甲", "1", "万元"], [B, "乙", "1", "元"]]
    good, bad = records(csv_of(rows))
    assert good["due"] == "10000"
    assert bad[1][0][0] == "number-unclear"


def test_a_unit_of_money_is_not_about_rates() -> None:
    fields = (*FIELDS[:2], field("done", "rate", "完成率"), field("due", "money", "应征"))
    rows = [["单位：万元"], [*HEADING[:2], "完成率", "应征"], [A, "甲", "85.5", "1"]]
    batches, summary = read(csv_of(rows), spec_of(fields=fields))
    one = msgspec.json.decode(batches[0].lines)
    assert (one["done"], one["due"]) == ("85.5", "10000")
    assert {column["field"]: column["unit"] for column in summary["columns"]}["done"] is None
