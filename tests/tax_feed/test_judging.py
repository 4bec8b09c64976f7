"""Each reason for which a record is refused, with the words the sender reads."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from shared.crypto import Secrecy
from shared.deliveries.feed import DeliveryInfo, Feed, JudgeContext, RowProblem, Verdict
from shared.deliveries.numbers import decode_numbered, judge_records
from shared.deliveries.texts import described
from shared.identifiers import make_identity_no, make_org_code, make_uscc
from shared.plan import Plan
from tax_feed.feeds import ARREARS, EMPLOYER_CHECKS, FEEDS, RECEIPTS

SECRECY = Secrecy({1: b"k" * 32}, {1: b"k" * 32})
OWNER = make_identity_no("210502", date(1970, 1, 1), 985)
OTHER = make_org_code("PDY00002")
_DROP = object()


def judged(feed: Feed, text: bytes) -> Verdict | tuple[RowProblem, ...]:
    """The verdict on one record of a delivery that came on 10 June 2008."""
    delivery = DeliveryInfo(
        id="0190",
        feed=feed.name,
        department="tax",
        units=None,
        period="2008-06-D1" if feed.period_kind == "dekad" else "2008-05",
        received_at=datetime(2008, 6, 10, 4, tzinfo=UTC),
    )
    (decoded,), _ = decode_numbered(feed.record, [text], 10_000)
    if isinstance(decoded, tuple):
        return decoded
    ctx = JudgeContext(delivery, Plan.default(), SECRECY, date(2008, 6, 10))
    (verdict,), _ = judge_records(feed.judge, [decoded], ctx)
    return verdict


def example(feed: Feed, **change: Any) -> bytes:
    record = {**feed.example, **change}
    return json.dumps({k: v for k, v in record.items() if v is not _DROP}).encode()


def problems(feed: Feed, **change: Any) -> list[dict[str, Any]]:
    found = judged(feed, example(feed, **change))
    return described(feed, found.problems if isinstance(found, Verdict) else found)


def accepted(feed: Feed, text: bytes) -> dict[str, Any]:
    verdict = judged(feed, text)
    assert isinstance(verdict, Verdict), verdict
    assert not verdict.problems
    return dict(zip(feed.columns, verdict.row, strict=True))


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_the_example_is_accepted(feed: Feed) -> None:
    assert accepted(feed, example(feed))["employer_key"] == "oc:PDY00001X"


WRONG: list[tuple[Feed, dict[str, Any], str, str, str, str]] = [
    (
        RECEIPTS,
        {"tax_no": "210502PDY000011"},
        "check-digit-wrong",
        "/tax_no",
        "校验码有误，应为 X",
        "wrong check digit, should be X",
    ),
    (
        RECEIPTS,
        {"tax_no": "990502PDY00001X"},
        "identifier-invalid",
        "/tax_no",
        "号码有误：前几位不是有效的行政区划代码",
        "not a valid number: the first digits name no province",
    ),
    (
        ARREARS,
        {"org_code": "PDY00001-1"},
        "check-digit-wrong",
        "/org_code",
        "应为 X",
        "should be X",
    ),
    (
        EMPLOYER_CHECKS,
        {"org_code": OTHER},
        "org-code-differs",
        "/org_code",
        f"组织机构代码 {OTHER} 与另一号码中所含的 PDY00001X 不一致",
        f"organisation code {OTHER} differs from PDY00001X",
    ),
    (
        RECEIPTS,
        {"tax_no": _DROP},
        "key-missing",
        "",
        "缺少税务登记号或组织机构代码",
        "neither tax number nor organisation code",
    ),
    (
        RECEIPTS,
        {"licence_no": "210502200000015"},
        "field-unknown",
        "/licence_no",
        "没有字段 licence_no",
        "there is no field licence_no",
    ),
    (
        EMPLOYER_CHECKS,
        {"period": "2008-04"},
        "period-mismatch",
        "/period",
        "2008-04 不属于本次报送的期间 2008-05",
        "2008-04 does not belong to the delivery's period 2008-05",
    ),
    (
        ARREARS,
        {"month": "2008-06"},
        "period-mismatch",
        "/month",
        "2008-06 不属于",
        "2008-06 does not belong",
    ),
    (
        RECEIPTS,
        {"received_on": "2007-05-01"},
        "period-mismatch",
        "/received_on",
        "2007-05-01 不属于本次报送的期间 2008-06-D1",
        "2007-05-01 does not belong to the delivery's period 2008-06-D1",
    ),
    (
        RECEIPTS,
        {"of_which_arrears": "3360.01"},
        "arrears-above-pooled",
        "/of_which_arrears",
        "其中清欠 3360.01 元大于统筹部分 3360.00 元",
        "3360.01 yuan of arrears is more than the pooled part, 3360.00 yuan",
    ),
    (
        RECEIPTS,
        {"pooled": "-1.00", "of_which_arrears": 0},
        "value-out-of-range",
        "/pooled",
        "0.00",
        "0.00",
    ),
    (
        RECEIPTS,
        {"individual": "1344.005"},
        "money-invalid",
        "/individual",
        "数额 1344.005 有误：只用数字和小数点；金额以元计，至多两位小数",
        "1344.005 is no plain amount: digits and a point; money is yuan with at most two decimals",
    ),
    (
        EMPLOYER_CHECKS,
        {"collecting_unit": "210599"},
        "unit-unknown",
        "/collecting_unit",
        "没有代码为 210599 的填报单位",
        "there is no reporting unit 210599",
    ),
    (
        EMPLOYER_CHECKS,
        {"reg_type": "199"},
        "code-unknown",
        "/reg_type",
        "代码 199 不在代码表内",
        "code 199 is not in the list",
    ),
    (
        EMPLOYER_CHECKS,
        {"tax_reg_date": "2008-06-11"},
        "date-in-future",
        "/tax_reg_date",
        "日期 2008-06-11 晚于",
        "2008-06-11 is later than",
    ),
    (
        EMPLOYER_CHECKS,
        {"insured_headcount": -1},
        "value-out-of-range",
        "/insured_headcount",
        "取值超出范围",
        "out of range",
    ),
]


@pytest.mark.parametrize(
    ("feed", "change", "code", "pointer", "zh", "en"),
    WRONG,
    ids=[f"{wrong[0].name}-{wrong[2]}{wrong[3].replace('/', '-')}" for wrong in WRONG],
)
def test_what_is_wrong_is_named_in_two_languages(
    feed: Feed, change: dict[str, Any], code: str, pointer: str, zh: str, en: str
) -> None:
    (found,) = problems(feed, **change)
    assert (found["code"], found["pointer"]) == (code, pointer)
    assert zh in found["zh"]
    assert en in found["en"]


def test_a_receipt_of_tomorrow_is_neither_possible_nor_of_this_dekad() -> None:
    found = problems(RECEIPTS, received_on="2008-06-11")
    assert [one["code"] for one in found] == ["date-in-future", "period-mismatch"]


@pytest.mark.parametrize(
    ("written", "fen"),
    [('"125000.00"', 12_500_000), ("125000", 12_500_000), ("125000.5", 12_500_050), ('"0.05"', 5)],
)
def test_money_may_be_a_string_or_a_number(written: str, fen: int) -> None:
    text = example(ARREARS).replace(b'"560.00"', written.encode())
    assert accepted(ARREARS, text)["balance_fen"] == fen


@pytest.mark.parametrize(
    "written", ['"1e9999999"', '"NaN"', "1e30", '"12,500.00"', '"12.5万"', '"—"', "true", '""']
)
def test_what_is_no_sum_of_money_is_refused(written: str) -> None:
    text = example(ARREARS).replace(b'"560.00"', written.encode())
    found = judged(ARREARS, text)
    (problem,) = found.problems if isinstance(found, Verdict) else found
    assert problem.pointer == "/balance"
    assert problem.code in ("money-invalid", "type-wrong")


def test_how_money_is_written_does_not_make_other_content() -> None:
    hashes = set()
    for written in (b'"560.00"', b"560", b'"560.0"', b"560.00"):
        verdict = judged(ARREARS, example(ARREARS).replace(b'"560.00"', written))
        assert isinstance(verdict, Verdict)
        hashes.add(verdict.content_hash)
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("numbers", "key"),
    [
        ({"tax_no": "210502PDY00001X"}, "oc:PDY00001X"),
        ({"tax_no": "210521PDY00001X"}, "oc:PDY00001X"),
        ({"tax_no": "210502PDY00001X", "org_code": "PDY00001-X"}, "oc:PDY00001X"),
        ({"org_code": "PDY00001X"}, "oc:PDY00001X"),
        ({"tax_no": make_uscc("210502", OTHER)}, f"oc:{OTHER}"),
        ({"tax_no": OWNER + "00"}, f"own:{SECRECY.keyed_hash(OWNER)}"),
        ({"tax_no": OWNER[:6] + OWNER[8:17] + "00000"}, f"own:{SECRECY.keyed_hash(OWNER)}"),
        ({"tax_no": OWNER + "00", "org_code": OTHER}, f"oc:{OTHER}"),
    ],
)
def test_the_key_is_the_organisation_code_inside_else_the_owners_hash(
    numbers: dict[str, str], key: str
) -> None:
    record = {"tax_no": _DROP, "org_code": _DROP, **numbers}
    assert accepted(RECEIPTS, example(RECEIPTS, **record))["employer_key"] == key


def test_a_check_of_a_household_carries_licence_and_owner() -> None:
    row = accepted(
        EMPLOYER_CHECKS,
        example(EMPLOYER_CHECKS, tax_no=OWNER + "00", licence_no="210502200000015", reg_type="410"),
    )
    assert row["employer_key"] == "lic:210502200000015"
    assert row["owner_key"] == f"own:{SECRECY.keyed_hash(OWNER)}"
    assert row["household"]
    assert OWNER not in str(row)
