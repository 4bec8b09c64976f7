"""Each further feed of the plan through the real door: applied, corrected, told twice, refused."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, NamedTuple

import pytest

from shared.deliveries.checks import content_hash, legal_rep_of
from shared.deliveries.feed import Feed
from shared.events import Fact
from shared.events.tax_feed import (
    BaseAudited,
    ClearingInstalmentSet,
    DeductionReviewed,
    HeadcountDeclared,
    NoWageCharged,
    PreLevied,
    PreLevySettled,
    TaxDeregistered,
    TaxRegistered,
    UnenrolledReported,
)
from shared.identifiers import make_org_code
from tax_feed.audits.feeds import BASE_AUDITS, DEDUCTION_REVIEWS
from tax_feed.clearing.feeds import CLEARING_PLANS
from tax_feed.feeds import FEEDS
from tax_feed.headcounts.feeds import HEADCOUNTS, UNENROLLED_EMPLOYERS
from tax_feed.no_wage.feeds import NO_WAGE_PERSONS
from tax_feed.prelevies.feeds import PRE_LEVIES
from tax_feed.registrations.feeds import TAX_REGISTRATIONS
from tax_feed.stating import hash_where_found
from tests.registration_feed.door import Door
from tests.tax_feed.records import HOUSEHOLD, OWNER, key, made

KEY = key(1)


class Case(NamedTuple):
    """A feed and what one correction of its example changes in the fact."""

    feed: Any
    path: str
    subject: str
    correction: dict[str, Any]
    said: dict[str, Any]
    then: dict[str, Any]
    fact: type[Fact]
    kind_then: type[Fact] | None = None


CASES = [
    Case(
        TAX_REGISTRATIONS,
        "/tax-registrations",
        f"tax-registration:{KEY}",
        {"notified_on": "2008-05-14"},
        {"notified_on": date(2008, 5, 12), "enrol_by": date(2008, 6, 11)},
        {"notified_on": date(2008, 5, 14), "enrol_by": date(2008, 6, 13)},
        TaxRegistered,
    ),
    Case(
        UNENROLLED_EMPLOYERS,
        "/unenrolled-employers",
        f"unenrolled:{KEY}:2008-05",
        {"insured_headcount": 3},
        {"taxable_headcount": 12, "insured_headcount": 0, "feed": "unenrolled-employers"},
        {"taxable_headcount": 12, "insured_headcount": 3},
        UnenrolledReported,
    ),
    Case(
        HEADCOUNTS,
        "/headcounts",
        f"declared:{KEY}:2008-05",
        {"contributing_headcount": 12},
        {"taxable_headcount": 12, "insured_headcount": 7, "feed": "headcounts"},
        {"insured_headcount": 12},
        UnenrolledReported,
        HeadcountDeclared,
    ),
    Case(
        CLEARING_PLANS,
        "/clearing-plans",
        "instalment:QQ-2008-0001:1",
        {"amount": "6000.00"},
        {"pooled_fen": 500_000, "due_on": date(2008, 6, 30), "instalment_no": 1},
        {"pooled_fen": 600_000},
        ClearingInstalmentSet,
    ),
    Case(
        BASE_AUDITS,
        "/base-audits",
        "base-audit:JH-2008-0001",
        {"audited_base": "50000.00"},
        {"pooled_due_fen": 240_000, "audited_base_fen": 6_000_000, "rate": "0.20"},
        {"pooled_due_fen": 40_000},
        BaseAudited,
    ),
    Case(
        NO_WAGE_PERSONS,
        "/no-wage-persons",
        f"no-wage:{KEY}:2008-05:210502",
        {"individual_base": "2000.00"},
        {"person_count": 1, "individual_fen": 13_200, "employer_fen": 33_000},
        {"person_count": 1, "individual_fen": 16_000, "employer_fen": 40_000},
        NoWageCharged,
    ),
    Case(
        DEDUCTION_REVIEWS,
        "/deduction-reviews",
        "deduction:LZ-2008-0001:2008-04",
        {"paid": "5760.00"},
        {"approved_headcount": 7, "not_deductible_fen": 240_000},
        {"approved_headcount": 7, "not_deductible_fen": 0},
        DeductionReviewed,
    ),
    Case(
        PRE_LEVIES,
        "/pre-levies",
        "pre-levy:XX-2008-0001",
        {"pooled": "4000.00"},
        {"pooled_fen": 396_000, "headcount_gap": 12, "individual_due_fen": 158_400},
        {"pooled_fen": 400_000},
        PreLevied,
    ),
]
IDS = [case.feed.name for case in CASES]


def holds(fact: Fact, said: dict[str, Any]) -> None:
    assert {name: getattr(fact, name) for name in said} == said


def test_no_feed_is_left_out() -> None:
    older = {"employer-checks", "receipts", "arrears"}
    assert {feed.name for feed in FEEDS} == older | {case.feed.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=IDS)
async def test_is_applied_corrected_and_told_twice(door: Door, case: Case) -> None:
    name = case.feed.name
    told = await door.push(name, "2008-05", [made(case.feed), made(case.feed)])
    assert (told["applied"], told["duplicate"]) == (1, 1)
    (fact,) = await door.facts(case.fact)
    assert (fact.key, fact.subject, fact.revision) == (KEY, case.subject, 1)
    assert (fact.delivery_id, fact.record_no, fact.correction) == (told["delivery"], 1, False)
    holds(fact, case.said)

    corrected = made(case.feed, **case.correction)
    told = await door.push(name, "2008-05", [corrected])
    assert (told["applied"], told["duplicate"]) == (1, 0)
    fact = (await door.facts(case.kind_then or case.fact))[-1]
    assert (fact.subject, fact.revision, fact.correction) == (case.subject, 2, True)
    holds(fact, case.then)

    told = await door.push(name, "2008-05", [corrected])
    assert (told["applied"], told["duplicate"]) == (0, 1)
    assert len(await door.messages()) == 2 + 3  # and a delivery received with each push


@pytest.mark.parametrize("case", CASES, ids=IDS)
async def test_is_listed_by_unit_and_employer(door: Door, case: Case) -> None:
    one, two = made(case.feed), made(case.feed, 2)
    numbers = {"plan_no", "audit_no", "review_no", "levy_no"} & set(one)
    two |= {name: f"{two[name]}-2" for name in numbers} | {"unit": "210503"}
    await door.push(case.feed.name, "2008-05", [one, two])

    async def keys(department: str = "agency", units: Any = None, **query: Any) -> list[str]:
        page = await door.get(case.path, department, units, **query)
        return [item["employer_key"] for item in page["items"]]

    assert sorted(await keys()) == [key(1), key(2)]
    assert await keys(unit="210503") == [key(2)]
    assert await keys(employer_key=key(1)) == [key(1)]
    assert await keys("unit", ["210503"]) == [key(2)]
    first = await door.get(case.path, "agency", limit=1)
    after = await door.http.get("http://test" + first["next"], headers=door.token("agency"))
    assert len(first["items"]) == len(after.json()["items"]) == 1
    assert after.json()["next"] is None
    refused = await door.ask(case.path, "unit", ["210503"], unit="210502")
    assert refused.json()["code"] == "forbidden-unit"
    assert (await door.ask(case.path, "industry-commerce")).status_code == 403


@pytest.mark.parametrize("case", CASES, ids=IDS)
async def test_a_household_stays_a_keyed_hash(door: Door, case: Case) -> None:
    told = await door.push(case.feed.name, "2008-05", [made(case.feed, tax_no=HOUSEHOLD)])
    assert told["applied"] == 1
    assert all(OWNER.encode() not in data for _, data in await door.messages())
    assert any(b"own:v1-" in data for _, data in await door.messages())
    shown = await door.ask(case.path, "agency")
    assert OWNER not in shown.text


REFUSED: list[tuple[Any, dict[str, Any], str, str]] = [
    (
        TAX_REGISTRATIONS,
        {"registered_on": "2008-06-02", "notified_on": None},
        "period-mismatch",
        "/registered_on",
    ),
    (TAX_REGISTRATIONS, {"notified_on": "2008-05-11"}, "dates-out-of-order", "/notified_on"),
    (
        TAX_REGISTRATIONS,
        {"deregistered_on": "2008-05-11"},
        "dates-out-of-order",
        "/deregistered_on",
    ),
    (TAX_REGISTRATIONS, {"notified_on": "2008-06-11"}, "date-in-future", "/notified_on"),
    (TAX_REGISTRATIONS, {"reg_type": "199"}, "code-unknown", "/reg_type"),
    (UNENROLLED_EMPLOYERS, {"insured_headcount": 12}, "nothing-missing", "/insured_headcount"),
    (UNENROLLED_EMPLOYERS, {"period": "2008-04"}, "period-mismatch", "/period"),
    (UNENROLLED_EMPLOYERS, {"found_on": "2008-06-11"}, "date-in-future", "/found_on"),
    (UNENROLLED_EMPLOYERS, {"tax_no": None}, "key-missing", ""),
    (HEADCOUNTS, {"period": "2008-06"}, "period-mismatch", "/period"),
    (HEADCOUNTS, {"contributing_headcount": -1}, "value-out-of-range", "/contributing_headcount"),
    (HEADCOUNTS, {"unit": "210599"}, "unit-unknown", "/unit"),
    (CLEARING_PLANS, {"due_on": "2008-05-19"}, "dates-out-of-order", "/due_on"),
    (CLEARING_PLANS, {"due_on": "2080-06-30"}, "value-out-of-range", "/due_on"),
    (CLEARING_PLANS, {"plan_no": f"QQ-{OWNER}"}, "pattern-mismatch", "/plan_no"),
    (BASE_AUDITS, {"audit_no": OWNER[:17]}, "pattern-mismatch", "/audit_no"),
    (CLEARING_PLANS, {"amount": "0"}, "value-out-of-range", "/amount"),
    (CLEARING_PLANS, {"instalment_no": 0}, "value-out-of-range", "/instalment_no"),
    (CLEARING_PLANS, {"agreed_on": "2008-06-11"}, "date-in-future", "/agreed_on"),
    (BASE_AUDITS, {"to_month": "2007-12"}, "dates-out-of-order", "/to_month"),
    (BASE_AUDITS, {"to_month": "2008-06"}, "dates-out-of-order", "/to_month"),
    (BASE_AUDITS, {"audited_base": "-1"}, "value-out-of-range", "/audited_base"),
    (NO_WAGE_PERSONS, {"identity_no": "210502197001019806"}, "check-digit-wrong", "/identity_no"),
    (NO_WAGE_PERSONS, {"individual_base": "0.00"}, "value-out-of-range", "/individual_base"),
    (NO_WAGE_PERSONS, {"month": "2008-04"}, "period-mismatch", "/month"),
    (NO_WAGE_PERSONS, {"person_name": None}, "field-missing", "/person_name"),
    (DEDUCTION_REVIEWS, {"month": "2008-06"}, "dates-out-of-order", "/month"),
    (DEDUCTION_REVIEWS, {"accrued": "12.345"}, "money-invalid", "/accrued"),
    (PRE_LEVIES, {"month": "2008-06"}, "period-mismatch", "/month"),
    (PRE_LEVIES, {"insured_headcount": 12}, "nothing-missing", "/insured_headcount"),
    (PRE_LEVIES, {"enrolled_on": "2008-05-15"}, "dates-out-of-order", "/enrolled_on"),
    (
        PRE_LEVIES,
        {"enrolled_on": "2008-05-20", "settled_on": "2008-05-21"},
        "field-needed",
        "/individual",
    ),
    (
        PRE_LEVIES,
        {"settled_on": "2008-05-21", "individual": "1584.00"},
        "field-needed",
        "/enrolled_on",
    ),
]


async def test_each_refusal_is_named_in_both_languages(door: Door) -> None:
    for feed in {id(row[0]): row[0] for row in REFUSED}.values():
        rows = [row for row in REFUSED if row[0] is feed]
        told = await door.push(feed.name, "2008-05", [made(feed, **row[1]) for row in rows])
        assert told["rejected"] == len(rows), feed.name
        for no, (_, _, code, pointer) in enumerate(rows, start=1):
            record = await door.get(f"/deliveries/{told['delivery']}/records/{no}")
            (problem,) = record["problems"]
            assert (problem["code"], problem["pointer"]) == (code, pointer), (feed.name, no)
            assert not re.search(r"\{[a-z]+\}", problem["zh"] + problem["en"])


async def test_a_registration_ends_and_those_not_told_are_listed(door: Door) -> None:
    untold = made(TAX_REGISTRATIONS, 2, notified_on=None)
    await door.push("tax-registrations", "2008-05", [made(TAX_REGISTRATIONS), untold])
    missing = await door.get("/tax-registrations", "agency", notified=False)
    assert [one["employer_key"] for one in missing["items"]] == [key(2)]
    out = await door.get("/tax-registrations", "agency", enrol_by_until="2008-06-11")
    assert [one["employer_key"] for one in out["items"]] == [key(1)]
    ended = made(TAX_REGISTRATIONS, deregistered_on="2008-05-30")
    await door.push("tax-registrations", "2008-05", [ended])
    (fact,) = await door.facts(TaxDeregistered)
    assert (fact.effective_on, fact.revision, fact.correction) == (date(2008, 5, 30), 2, False)


@pytest.mark.parametrize("feed", [TAX_REGISTRATIONS, UNENROLLED_EMPLOYERS])
async def test_where_a_taxpayer_is_and_who_stands_for_it(door: Door, feed: Feed) -> None:
    told: dict[str, Any] = {"address": "本溪市平山区解放路1号", "legal_rep": "欧阳示例"}
    await door.push(feed.name, "2008-05", [made(feed, **told)])
    said: list[Fact] = [*await door.facts(TaxRegistered, UnenrolledReported)]
    (fact,) = [one for one in said if isinstance(one, TaxRegistered | UnenrolledReported)]
    _, key = legal_rep_of(door.runtime.secrecy, "欧阳示例")
    assert (fact.address, fact.legal_rep_key) == (told["address"], key)
    assert all("欧阳".encode() not in data for _, data in await door.messages())
    (shown,) = (await door.get(f"/{feed.name}", "agency"))["items"]
    assert (shown["address"], shown["legal_rep"]) == (told["address"], "欧***")


def test_without_either_the_content_is_what_it_was() -> None:
    """What was accepted before there were these columns is a duplicate when it is sent again."""
    row = ("oc:1", 5, None, None, None)
    assert hash_where_found(row) == content_hash(row[:2])
    assert hash_where_found((*row[:3], "张*", "rep:1")) not in {content_hash(row[:2]), None}


async def test_a_finding_taken_back_is_no_finding(door: Door) -> None:
    await door.push("unenrolled-employers", "2008-05", [made(UNENROLLED_EMPLOYERS)])
    taken_back = made(UNENROLLED_EMPLOYERS, cancelled=True)
    await door.push("unenrolled-employers", "2008-05", [taken_back])
    (fact,) = await door.facts(HeadcountDeclared)
    assert (fact.taxable_headcount, fact.insured_headcount, fact.revision) == (0, 0, 2)
    assert (await door.get("/unenrolled-employers", "agency", cancelled=False))["items"] == []


async def test_the_deductible_headcount_is_the_smaller_one(door: Door) -> None:
    more = made(HEADCOUNTS, 2, contributing_headcount=15)
    await door.push("headcounts", "2008-05", [made(HEADCOUNTS), more])
    shown = (await door.get("/headcounts", "agency"))["items"]
    assert [(one["deductible_headcount"], one["unenrolled"]) for one in shown] == [
        (7, True),
        (12, False),
    ]
    found = await door.get("/headcounts", "agency", unenrolled=True)
    assert [one["employer_key"] for one in found["items"]] == [key(1)]


async def test_a_foreigner_without_wage_is_known_by_passport(door: Door) -> None:
    paper = {"identity_kind": "passport", "identity_no": "M00000001"}
    of_korea = made(NO_WAGE_PERSONS, **paper, nationality="KOR")
    sent = [of_korea, made(NO_WAGE_PERSONS, **paper, nationality="JPN")]
    receipt = await door.push("no-wage-persons", "2008-05", [*sent, made(NO_WAGE_PERSONS, **paper)])
    assert (receipt["applied"], receipt["problems"]) == (2, {"field-missing": 1})
    (row, _) = await door.rows("SELECT * FROM no_wage_persons ORDER BY record_no")
    assert row["person_key"] == door.runtime.secrecy.keyed_hash("passport:KOR:M00000001")


async def test_nobody_without_wage_is_named_and_an_employer_s_sums_move(door: Door) -> None:
    other = made(NO_WAGE_PERSONS, identity_no="210502198001019834", person_name="李四")
    await door.push("no-wage-persons", "2008-05", [made(NO_WAGE_PERSONS), other])
    await door.push("no-wage-persons", "2008-05", [{**other, "unit": "210503"}])
    await door.push("no-wage-persons", "2008-05", [{**other, "unit": "210503", "cancelled": True}])
    facts = await door.facts(NoWageCharged)
    assert [(f.unit, f.person_count, f.employer_fen, f.revision) for f in facts] == [
        ("210502", 2, 66_000, 1),
        ("210502", 1, 33_000, 2),
        ("210503", 1, 33_000, 1),
        ("210503", 0, 0, 2),
    ]
    assert len({fact.fact_id for fact in facts}) == 4
    line = (await door.get("/no-wage-persons", "agency", employer_key=KEY))["items"][0]
    assert line["employer_formula"] == "1650.00 × 20% = 330.00"
    assert line["individual_formula"] == "1650.00 × 8% = 132.00"
    assert line["employer"] == {"fen": 33_000, "yuan": "330.00"}
    assert line["person_key"].startswith("v1-")
    everything = str(await door.messages()) + str(line)
    everything += str(await door.rows("SELECT * FROM no_wage_persons"))
    for personal in ("210502197001019805", "210502198001019834", "张三", "李四"):
        assert personal not in everything
        assert personal.encode() not in everything.encode()
    for refused in ("leading-group", "finance", "industry-commerce"):
        assert (await door.ask("/no-wage-persons", refused)).status_code == 403


async def test_a_review_s_answer_names_months_and_sums(door: Door) -> None:
    settled: dict[str, Any] = {"month": "2008-03", "paid": "5760.00", "contributing_headcount": 12}
    rows = [made(DEDUCTION_REVIEWS), made(DEDUCTION_REVIEWS, **settled)]
    await door.push("deduction-reviews", "2008-05", rows)
    answer = await door.get("/deduction-reviews/LZ-2008-0001", "finance")
    assert answer["not_deductible"] == {"fen": 240_000, "yuan": "2400.00"}
    assert answer["deductible"]["yuan"] == "9120.00"
    assert [month["month"] for month in answer["months"]] == ["2008-03", "2008-04"]
    assert answer["answer_zh"] == (
        "2008-04已提取未缴纳 2400.00 元，不予税前列支；"
        "2008-04缴费人数 7 少于计税人数 12，按 7 人核准"
    )
    assert "2008-04: 2400.00 yuan accrued and not paid" in answer["answer_en"]
    refused = await door.get("/deduction-reviews", "agency", refused=True)
    assert [one["month"] for one in refused["items"]] == ["2008-04"]
    assert (await door.ask("/deduction-reviews/LZ-9", "agency")).status_code == 404


async def test_a_pre_levy_goes_from_stage_to_stage(door: Door) -> None:
    async def stages(**query: Any) -> list[str]:
        page = await door.get("/pre-levies", "agency", **query)
        return [item["stage"] for item in page["items"]]

    enrolled = {"enrolled_on": "2008-05-26"}
    settled = {**enrolled, "settled_on": "2008-05-30", "individual": "1584.00"}
    seen = []
    for more in ({}, enrolled, settled, {"cancelled": True}):
        await door.push("pre-levies", "2008-05", [made(PRE_LEVIES, **more)])
        seen += await stages()
        assert await stages(stage=seen[-1]) == seen[-1:]
    assert seen == ["pre-levied", "individual-due", "settled", "cancelled"]
    levied = await door.facts(PreLevied)
    assert [(f.revision, f.correction, f.enrolled_on) for f in levied] == [
        (1, False, None),
        (2, False, date(2008, 5, 26)),
        (4, False, None),
    ]
    assert (levied[-1].pooled_fen, levied[-1].headcount_gap) == (0, 0)
    (paid,) = await door.facts(PreLevySettled)
    assert (paid.individual_fen, paid.pooled_fen) == (158_400, 396_000)


async def test_a_plan_number_is_one_employer_s(door: Door) -> None:
    told = await door.push(
        "clearing-plans",
        "2008-05",
        [made(CLEARING_PLANS), made(CLEARING_PLANS, 2), made(CLEARING_PLANS, instalment_no=2)],
    )
    assert (told["applied"], told["rejected"]) == (2, 1)
    told = await door.push("clearing-plans", "2008-05", [made(CLEARING_PLANS, 2, instalment_no=3)])
    assert told["rejected"] == 1
    record = await door.get(f"/deliveries/{told['delivery']}/records/1")
    assert record["problems"][0]["code"] == "plan-of-another"
    assert make_org_code("PDY00002") not in str(await door.get("/clearing-plans", "agency"))
