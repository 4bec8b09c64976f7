"""Each reason for which a record is refused, with the words the sender reads."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from registration_feed.feeds import BUSINESS_LICENCES, ORGANISATION_CODES
from shared.crypto import Secrecy
from shared.deliveries.checks import content_hash
from shared.deliveries.feed import DeliveryInfo, Feed, JudgeContext, RowProblem, Verdict
from shared.deliveries.numbers import decode_numbered, judge_records
from shared.deliveries.texts import described
from shared.identifiers import identity_18_from_15, make_identity_no, make_org_code, make_uscc
from shared.plan import Plan

SECRECY = Secrecy({1: b"k" * 32}, {1: b"k" * 32})
OWNER = make_identity_no("210502", date(1970, 1, 1), 985)
USCC = make_uscc("210502", make_org_code("PDY00002"))


def judged(
    feed: Feed, record: dict[str, Any], units: frozenset[str] | None = None
) -> Verdict | tuple[RowProblem, ...]:
    """The verdict on one record of a delivery for May 2008 that came on 10 June."""
    delivery = DeliveryInfo(
        id="0190",
        feed=feed.name,
        department=next(iter(feed.departments)),
        units=units,
        period="2008-05",
        received_at=datetime(2008, 6, 10, 4, tzinfo=UTC),
    )
    (decoded,), _ = decode_numbered(feed.record, [json.dumps(record).encode()], 10_000)
    if isinstance(decoded, tuple):
        return decoded
    ctx = JudgeContext(delivery, Plan.default(), SECRECY, date(2008, 6, 10))
    (verdict,), _ = judge_records(feed.judge, [decoded], ctx)
    return verdict


def problems(feed: Feed, record: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    found = judged(feed, record, **more)
    return described(feed, found.problems if isinstance(found, Verdict) else found)


def accepted(feed: Feed, record: dict[str, Any]) -> dict[str, Any]:
    verdict = judged(feed, record)
    assert isinstance(verdict, Verdict)
    assert not verdict.problems
    return dict(zip(feed.columns, verdict.row, strict=True))


def licence(**change: Any) -> dict[str, Any]:
    return {**BUSINESS_LICENCES.example, **change}


def certificate(**change: Any) -> dict[str, Any]:
    return {**ORGANISATION_CODES.example, **change}


@pytest.mark.parametrize("feed", [BUSINESS_LICENCES, ORGANISATION_CODES], ids=lambda f: f.name)
def test_the_example_is_accepted(feed: Feed) -> None:
    assert accepted(feed, dict(feed.example))["org_code"] == "PDY00001X"


WRONG: list[tuple[dict[str, Any], str, str, str, str]] = [
    (
        {"org_code": "PDY00001-5"},
        "check-digit-wrong",
        "/org_code",
        "校验码有误，应为 X",
        "wrong check digit, should be X",
    ),
    (
        {"licence_no": "210502200000014"},
        "check-digit-wrong",
        "/licence_no",
        "校验码有误，应为 5",
        "wrong check digit, should be 5",
    ),
    (
        {"licence_no": "ZZ" + USCC[2:], "org_code": None},
        "pattern-mismatch",
        "/licence_no",
        "格式不符",
        "wrong form",
    ),
    (
        {"licence_no": "00" + USCC[2:], "org_code": None},
        "identifier-invalid",
        "/licence_no",
        "号码有误：前两位不是有效的登记管理部门和机构类别代码",
        "not a valid number: the first two characters name no registering authority",
    ),
    (
        {"licence_no": USCC},
        "org-code-differs",
        "/org_code",
        f"组织机构代码 PDY00001X 与另一号码中所含的 {USCC[8:17]} 不一致",
        f"organisation code PDY00001X differs from {USCC[8:17]}",
    ),
    (
        {"owner_id": OWNER[:-1] + ("0" if OWNER[-1] != "0" else "1")},
        "check-digit-wrong",
        "/owner_id",
        f"校验码有误，应为 {OWNER[-1]}",
        f"wrong check digit, should be {OWNER[-1]}",
    ),
    (
        {"unit": "210599"},
        "unit-unknown",
        "/unit",
        "没有代码为 210599 的填报单位",
        "there is no reporting unit 210599",
    ),
    (
        {"unit": "210500"},
        "unit-unknown",
        "/unit",
        "没有代码为 210500 的填报单位",
        "there is no reporting unit 210500",
    ),
    (
        {"reg_type": "199"},
        "code-unknown",
        "/reg_type",
        "代码 199 不在代码表内",
        "code 199 is not in the list",
    ),
    (
        {"industry": "12"},
        "code-unknown",
        "/industry",
        "代码 12 不在代码表内",
        "code 12 is not in the list",
    ),
    (
        {"licensed_on": "2008-05-07"},
        "dates-out-of-order",
        "/licensed_on",
        "发照（颁证）日期 2008-05-07 晚于事项日期 2008-05-06",
        "dated 2008-05-07, after the day of the event, 2008-05-06",
    ),
    (
        {"event_on": "2008-06-01"},
        "period-mismatch",
        "/event_on",
        "2008-06-01 不属于本次报送的期间 2008-05",
        "2008-06-01 does not belong to the delivery's period 2008-05",
    ),
    (
        {"notified_on": "2008-06-11"},
        "date-in-future",
        "/notified_on",
        "日期 2008-06-11 晚于收到报送之日 2008-06-10",
        "2008-06-11 is later than the day the delivery came",
    ),
]


@pytest.mark.parametrize(
    ("change", "code", "pointer", "zh", "en"), WRONG, ids=[f"{w[1]}-{w[2][1:]}" for w in WRONG]
)
def test_what_is_wrong_is_named_in_two_languages(
    change: dict[str, Any], code: str, pointer: str, zh: str, en: str
) -> None:
    (found,) = problems(BUSINESS_LICENCES, licence(**change))
    assert (found["code"], found["pointer"]) == (code, pointer)
    assert zh in found["zh"]
    assert en in found["en"]


def test_everything_wrong_with_a_record_is_said_at_once() -> None:
    found = problems(
        BUSINESS_LICENCES,
        licence(unit="999", reg_type="199", org_code="PDY000015", event_on="2008-06-30"),
    )
    assert [(one["code"], one["pointer"]) for one in found] == [
        ("check-digit-wrong", "/org_code"),
        ("unit-unknown", "/unit"),
        ("code-unknown", "/reg_type"),
        ("date-in-future", "/event_on"),
        ("period-mismatch", "/event_on"),
    ]


def test_a_sender_for_some_units_speaks_for_those_only() -> None:
    mine = problems(BUSINESS_LICENCES, licence(), units=frozenset({"210502"}))
    others = problems(BUSINESS_LICENCES, licence(), units=frozenset({"210503"}))
    assert not mine
    assert [one["code"] for one in others] == ["unit-not-yours"]


def test_a_certificate_is_dated_no_later_than_its_event() -> None:
    (found,) = problems(ORGANISATION_CODES, certificate(issued_on="2008-05-09"))
    assert (found["code"], found["pointer"]) == ("dates-out-of-order", "/issued_on")


def test_an_owner_is_kept_as_a_keyed_hash_and_only_for_households() -> None:
    household = licence(reg_type="410", org_code=None, owner_id=OWNER)
    key = accepted(BUSINESS_LICENCES, household)["owner_key"]
    assert key == f"own:{SECRECY.keyed_hash(OWNER)}"
    assert accepted(BUSINESS_LICENCES, licence(owner_id=OWNER))["owner_key"] is None


def test_both_forms_of_a_card_are_one_owner() -> None:
    first = "210502700101985"
    known = licence(reg_type="420", org_code=None, owner_id=first)
    assert accepted(BUSINESS_LICENCES, known)["owner_key"] == (
        f"own:{SECRECY.keyed_hash(identity_18_from_15(first))}"
    )


@pytest.mark.parametrize("name", ["阿卜杜拉·买买提", "阿卜杜拉 • 买买提", "阿卜杜拉买买提 "])
def test_a_name_is_one_key_however_it_is_dotted(name: str) -> None:
    row = accepted(BUSINESS_LICENCES, licence(legal_rep=name))
    assert row["legal_rep"] == "阿******"
    assert row["legal_rep_key"] == f"rep:{SECRECY.keyed_hash('legal-rep:阿卜杜拉买买提')}"


def test_without_a_representative_the_content_is_what_it_was() -> None:
    """A record accepted before there was one is a duplicate when it is sent again."""
    verdict = judged(BUSINESS_LICENCES, licence())
    assert isinstance(verdict, Verdict)
    assert verdict.row is not None
    assert verdict.content_hash == content_hash(verdict.row[:16])
    named = judged(BUSINESS_LICENCES, licence(legal_rep="张三"))
    assert isinstance(named, Verdict)
    assert named.content_hash != verdict.content_hash


@pytest.mark.parametrize(
    ("change", "key", "org_code"),
    [
        ({}, "oc:PDY00001X", "PDY00001X"),
        ({"org_code": "PDY00001X"}, "oc:PDY00001X", "PDY00001X"),
        ({"org_code": None}, "lic:210502200000015", None),
        ({"org_code": None, "licence_no": "2105021000001"}, "lic:2105021000001", None),
        ({"org_code": None, "licence_no": USCC}, f"oc:{USCC[8:17]}", USCC[8:17]),
    ],
)
def test_the_key_is_the_organisation_code_else_the_licence(
    change: dict[str, Any], key: str, org_code: str | None
) -> None:
    row = accepted(BUSINESS_LICENCES, licence(**change))
    assert (row["employer_key"], row["org_code"]) == (key, org_code)


def test_a_number_beside_a_broken_field_is_read_all_the_same() -> None:
    """Only what is wrong otherwise is told."""
    wrong = licence(licence_no="２１０５０２２０００００015", headcount=-1)
    assert [one["pointer"] for one in problems(BUSINESS_LICENCES, wrong)] == ["/headcount"]


def test_notation_does_not_make_other_content() -> None:
    hyphen = judged(BUSINESS_LICENCES, licence(org_code="PDY00001-X"))
    plain = judged(BUSINESS_LICENCES, licence(org_code="PDY00001X"))
    moved = judged(BUSINESS_LICENCES, licence(address="本溪市平山区"))
    assert isinstance(hyphen, Verdict)
    assert isinstance(plain, Verdict)
    assert isinstance(moved, Verdict)
    assert hyphen.content_hash == plain.content_hash != moved.content_hash
