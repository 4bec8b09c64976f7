"""Finding the table in what an office sends: the sample of the design, and one fault at a time."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.deliveries.tables.spec import TableRefused
from tests.tables.made import FIELDS, Rows, csv_of, field, read, spec_of

A = "210504PDY001012"
B = "210504PDY001020"
C = "210504PDY001039"
HEADING = ["纳税人识别号", "纳税人名称", "计税工资人数", "应征"]
SAMPLE: Rows = [
    ["本溪市明山区地方税务局2008年5月上旬养老保险费征缴情况表", "", "", "", "", "", "", ""],
    ["填报日期：2008年5月10日", "", "", "", "", "", "", "单位：万元"],
    ["序号", "纳税人识别号", "纳税人名称", "人数", "", "养老保险费", "", "税务登记日期"],
    ["", "", "", "计税工资人数", "参保缴费人数", "应征", "实征", ""],
    ["1", A, "本溪示例餐饮有限公司", "1,020", "300", "12.5", "10", "2008.4.1"],
    [
        "2",
        "２１０５０４ＰＤＹ００１０２０",
        "本溪示例运输有限公司",
        "５０",
        "50",
        "6",
        "6",
        "2008年4月2日",
    ],
    ["3", C, "本溪示例建筑有限公司", "80人", "—", "9.6", "", "20080403"],
    ["", "合计", "", "1150", "350", "28.1", "16", ""],
    ["单位负责人：", "", "审核人：", "", "填表人：", "", "报出日期：2008年5月11日", ""],
    ["注：以上数据截至5月10日。", "", "", "", "", "", "", ""],
]
EXPECTED = [
    {
        "tax_no": A,
        "name": "本溪示例餐饮有限公司",
        "taxable": 1020,
        "insured": 300,
        "due": "125000",
        "paid": "100000",
        "registered_on": "2008-04-01",
    },
    {
        "tax_no": B,
        "name": "本溪示例运输有限公司",
        "taxable": 50,
        "insured": 50,
        "due": "60000",
        "paid": "60000",
        "registered_on": "2008-04-02",
    },
    {
        "tax_no": C,
        "name": "本溪示例建筑有限公司",
        "taxable": 80,
        "due": "96000",
        "registered_on": "2008-04-03",
    },
]


def records(body: bytes, **more: Any) -> list[Any]:
    batches, _ = read(body, spec_of(**more))
    return [msgspec.json.decode(line) for batch in batches for line in batch.lines.splitlines()]


def refused(body: bytes, **more: Any) -> TableRefused:
    with pytest.raises(TableRefused) as caught:
        read(body, spec_of(**more))
    return caught.value


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("packed", [False, True])
def test_the_sample_of_a_real_office(encoding: str, packed: bool) -> None:
    body = csv_of(SAMPLE, encoding)
    batches, summary = read(gzip.compress(body) if packed else body)
    found = [msgspec.json.decode(line) for line in batches[0].lines.splitlines()]
    assert found == EXPECTED
    assert batches[0].rows == [5, 6, 7]
    assert {one.rule for one in batches[0].repairs[0]} == {"thousands", "unit-万元", "date-form"}
    assert summary["encoding"].startswith(encoding.removesuffix("-sig")[:5])
    assert summary["title_period"] == "2008-05-D1"
    assert summary["title_units"] == ["210504"]
    assert summary["heading_rows"] == [3, 4]
    assert summary["unit"] == {"text": "万元", "row": 2}
    assert summary["kept_out"] == {"note": 1, "signature": 1, "total": 1}
    assert summary["rows"]["records"] == 3
    assert {one["field"]: one["difference"] for one in summary["totals"]} == {
        "taxable": "0",
        "insured": "0",
        "due": "0",
        "paid": "0",
    }
    assert summary["warnings"] == []


def test_the_shared_sample_gives_its_expected_rows() -> None:
    folder = next(
        (
            above / "shared" / "data"
            for above in Path(__file__).parents
            if (above / "shared" / "data" / "dirty_sample_dev.csv").exists()
        ),
        None,
    )
    if folder is None:
        pytest.skip("the sample is not there")
    expected = json.loads((folder / "dirty_sample_dev.expected.json").read_text("utf-8"))
    found = records((folder / "dirty_sample_dev.csv").read_bytes())
    assert len(found) == len(expected["clean_rows"])
    names = {
        "tax_no": "tax_no",
        "name": "name",
        "taxable": "taxable_headcount",
        "insured": "insured_headcount",
        "due": "due_yuan",
        "paid": "paid_yuan",
        "registered_on": "tax_reg_date",
    }
    for one, row in zip(found, expected["clean_rows"], strict=True):
        for ours, theirs in names.items():
            value = one.get(ours)
            if theirs.endswith("_yuan") and value is not None:
                value = f"{value}.00"
            assert value == row[theirs]


def test_totals_that_disagree_are_told() -> None:
    rows = [
        HEADING,
        [A, "甲", "1", "10"],
        ["小计", "", "1", "10"],
        [B, "乙", "2", "20"],
        ["小计", "", "2", "21"],
        ["合 计", "", "3", "30"],
        ["本年累计", "", "300", "3000"],
    ]
    batches, summary = read(csv_of(rows))
    assert batches[0].count == 2
    assert summary["kept_out"] == {"cumulative": 1, "subtotal": 2, "total": 1}
    wrong = [one for one in summary["totals"] if one["difference"] != "0"]
    assert [(one["row"], one["declared"], one["found"], one["difference"]) for one in wrong] == [
        (5, "21", "20", "1")
    ]
    assert [one["code"] for one in summary["warnings"]] == ["total-differs"]


def test_a_total_above_the_rows_is_of_all_that_follow() -> None:
    rows = [HEADING, ["合计", "", "3", "31"], [A, "甲", "1", "10"], [B, "乙", "2", "20"]]
    _, summary = read(csv_of(rows))
    assert {one["field"]: one["difference"] for one in summary["totals"]} == {
        "taxable": "0",
        "due": "1",
    }


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (["合计", "", "1", "1"], "total"),
        (["平山区小计", "", "1", "1"], "subtotal"),
        (["其中：国有", "", "1", "1"], "of-which"),
        (["甲", "乙", "1", "2"], "numbering"),
        (["1", "2", "3", "4"], "numbering"),
        (HEADING, "heading"),
        (["审核人：王某", "", "制表人：李某", ""], "signature"),
        (["填报单位（公章）", "", "", ""], "signature"),
        (["备注：另有三户未列", "", "", ""], "note"),
        (["说明", "本表为月报", "", ""], "note"),
        (["示例", "某公司", "1", "1"], "example"),
    ],
)
def test_rows_that_are_no_records_are_kept_out(row: list[str], kind: str) -> None:
    batches, summary = read(csv_of([HEADING, row, [A, "甲", "1", "1"]]))
    assert summary["kept_out"] == {kind: 1}
    assert summary["kept_out_rows"] == [{"row": 2, "kind": kind}]
    assert batches[0].rows == [3]


@pytest.mark.parametrize(
    "row",
    [
        [A, "合计", "1", "1"],
        ["", "本溪合计商贸有限公司", "1", "1"],
        ["", "甲", "", ""],
        ["", "", "5", "5"],
        ["21050", "注册会计师事务所", "1", "1"],
        ["", "会计", "1", "1"],
        ["", "百元店单位：甲", "1", "1"],
        ["", "说明书印刷厂", "5", ""],
        ["", "备注：商店", "5", ""],
        ["", "注册会计师事务所", "5", ""],
        ["", "注册会计师事务所", "", "欠"],
        ["", "会计", "5", ""],
        ["", "1", "2", "3"],
    ],
)
def test_what_might_be_a_record_is_never_dropped(row: list[str]) -> None:
    batches, _ = read(csv_of([HEADING, row]))
    assert batches[0].count == 1


NUMBERS = (
    field("workers", "int", "人数", required=True),
    field("due", "money", "应征", required=True),
    field("paid", "money", "实征", required=True),
)


def test_numbers_in_order_are_column_numbers_only_under_the_heading_and_where_none_fit() -> None:
    rows = [["人数", "应征", "实征"], ["1", "2", "3"], ["1", "2", "3"]]
    assert len(records(csv_of(rows), fields=NUMBERS)) == 2
    rows = [HEADING, ["1", "2", "3", "4"], [A, "甲", "1", "1"], ["1", "2", "3", "4"]]
    batches, summary = read(csv_of(rows))
    assert batches[0].rows == [3, 4]
    assert summary["kept_out_rows"] == [{"row": 2, "kind": "numbering"}]
    [warning] = summary["warnings"]
    assert (warning["code"], warning["params"]["rows"]) == ("figures-kept-out", "2")


def test_column_numbers_come_again_with_the_heading_of_a_printed_page() -> None:
    numbers = ["甲", "乙", "1", "2"]
    rows = [HEADING, numbers, [A, "甲", "1", "1"], HEADING, numbers, [B, "乙", "1", "1"]]
    batches, summary = read(csv_of(rows))
    assert batches[0].rows == [3, 6]
    assert summary["kept_out"] == {"heading": 1, "numbering": 2}
    assert summary["warnings"] == []


def test_a_firm_may_be_called_total() -> None:
    rows = [["纳税人名称", "纳税人识别号", "应征"], ["合计", A, "1"], ["合计", "", "1"]]
    batches, summary = read(csv_of(rows))
    assert batches[0].rows == [2]
    assert summary["kept_out_rows"] == [{"row": 3, "kind": "total"}]


def test_a_missing_column_is_named_with_the_candidates() -> None:
    problem = refused(csv_of([["税号码", "纳税人名称", "应征"], [A, "甲", "1"]]))
    assert problem.code == "table-column-missing"
    assert problem.params["fields"] == "纳税人识别号"
    assert problem.params["seen"] == "税号码"


def test_a_saved_mapping_is_used() -> None:
    body = csv_of([["税号码", "纳税人名称", "应征"], [A, "甲", "1"]])
    assert records(body, mapping={"税号码": "tax_no"})[0]["tax_no"] == A


def test_two_columns_for_one_field_are_refused() -> None:
    problem = refused(csv_of([["纳税人识别号", "纳税人名称", "应征", "应征"], [A, "甲", "1", "2"]]))
    assert problem.code == "table-column-twice"
    assert problem.params["columns"] == "C「应征」、D「应征」"


def test_merged_headings_tell_columns_of_one_name_apart() -> None:
    fields = (*FIELDS[:2], field("men", "int", "男人数"), field("women", "int", "女人数"))
    rows = [
        ["纳税人识别号", "纳税人名称", "男", "女"],
        ["", "", "人数", "人数"],
        [A, "甲", "1", "2"],
    ]
    assert records(csv_of(rows), fields=fields) == [
        {"tax_no": A, "name": "甲", "men": 1, "women": 2}
    ]


def test_no_heading_at_all_is_told_with_what_was_seen() -> None:
    problem = refused(csv_of([[A, "甲", "1", "1"], [B, "乙", "1", "1"]]))
    assert problem.code == "table-heading-missing"
    assert A in problem.params["seen"]


def test_a_title_of_another_period_is_refused() -> None:
    rows = [["2008年4月征缴情况表"], HEADING, [A, "甲", "1", "1"]]
    assert refused(csv_of(rows)).code == "table-period-differs"
    assert len(records(csv_of(rows), period="2008-04")) == 1
    assert len(records(csv_of(rows), period="2008-04-D2", period_kind="dekad")) == 1


def test_what_title_and_request_say_fills_columns_that_are_not_there() -> None:
    fields = (
        *FIELDS[:2],
        field("period", "month", "所属期", required=True),
        field("unit", "code", "填报单位", required=True, pattern="^.{3,12}$"),
    )
    rows = [["明山区地方税务局2008年5月情况表"], HEADING[:2], [A, "甲"]]
    batches, summary = read(csv_of(rows), spec_of(fields=fields))
    one = msgspec.json.decode(batches[0].lines)
    assert (one["period"], one["unit"]) == ("2008-05", "210504")
    assert {one.rule for one in batches[0].repairs[0]} == {"from-title"}
    assert [one["from"] for one in summary["filled"]] == ["title", "title"]
    own = records(csv_of(rows[1:]), fields=fields, own_units=("210502",))
    assert own[0]["unit"] == "210502"
    _, warned = read(csv_of(rows), spec_of(fields=fields, own_units=("210502",)))
    assert [one["code"] for one in warned["warnings"]] == ["sender-differs"]


def test_a_column_that_was_not_read_is_told() -> None:
    rows = [[*HEADING, "法人代表", "备注"], [A, "甲", "1", "1", "王某", "无"]]
    _, summary = read(csv_of(rows))
    assert [(one["code"], one["params"]["heading"]) for one in summary["warnings"]] == [
        ("column-ignored", "法人代表")
    ]


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_separators_are_found(separator: str) -> None:
    rows = [HEADING, [A, '甲"乙",丙;丁', "1,020", "1"]]
    assert records(csv_of(rows, separator=separator))[0]["taxable"] == 1020


def test_a_line_that_names_the_separator() -> None:
    body = b"sep=;\r\n" + csv_of([HEADING, [A, "甲", "1", "1"]], separator=";")
    batches, _ = read(body)
    assert batches[0].rows == [3]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"PK\x03\x04....", "table-form-wrong"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "table-form-wrong"),
        (b"<html><table><tr><td>1</td></tr></table>", "table-form-wrong"),
        (
            csv_of([HEADING, [A, "甲乙丙", "1", "1"]], "gb18030")
            + csv_of([[B, "甲乙丙丁", "1", "1"]], "utf-8"),
            "table-encoding",
        ),
        (
            csv_of([HEADING, [A, "甲乙丙丁", "1", "1"]], "utf-8")
            + csv_of([[B, "甲乙丙", "1", "1"]] * 3000, "gb18030"),
            "table-encoding",
        ),
        (gzip.compress(csv_of(SAMPLE))[:-9], "body-truncated"),
        (b"\x1f\x8bnonsense", "table-damaged"),
        (gzip.compress(csv_of([HEADING]) + (b"a" * 900_000 + b",1\n") * 6), "body-too-long"),
        (csv_of([HEADING, [A, *["1"] * 1001]]), "table-too-wide"),
        (b"a" * 3_000_000, "table-line-too-long"),
        (csv_of([HEADING])[:-2] + b'\n"' + b"x\n" * 700_000, "table-damaged"),
        (b"\xff\xfea\x00b", "table-encoding"),
    ],
)
def test_what_cannot_be_read_as_a_whole_is_named(body: bytes, code: str) -> None:
    assert refused(body).code == code


def test_mixed_encodings_are_refused_with_the_line() -> None:
    body = csv_of([HEADING, [A, "甲乙丙", "1", "1"]], "gb18030") + csv_of([[B, "甲乙丙丁", "1"]])
    assert refused(body).params == {"line": "3", "encoding": "gb18030"}


@pytest.mark.parametrize("body", [b"", b"\n\n\n", b"\xef\xbb\xbf", b",,,\r\n" * 5])
def test_an_empty_table_has_no_records(body: bytes) -> None:
    batches, summary = read(body)
    assert batches == []
    assert summary["rows"] == {"records": 0}
