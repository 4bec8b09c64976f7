"""Dekad forms, monthly reports and activities: pushed, judged, kept, told, read (O32, O94, O95)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reporting.app import SERVICE
from reporting.submissions import rules
from reporting.submissions.feeds import FEEDS
from shared.clock import FixedClock
from shared.events.deliveries import ReportingDeliveryReceived
from shared.events.reporting import ActivityLogged, DekadReported, MonthlyReported
from shared.periods import Dekad
from shared.plan import Plan
from tests.registration_feed.door import Door, opened

UNIT = ["210502"]
FORM: dict[str, Any] = {
    "period": "2008-06-D1",
    "unit": "210502",
    "insured_total": 112_000,
    "insured_active": 82_000,
}
MONTHLY: dict[str, Any] = {
    "period": "2008-05",
    "overall": "五月净增参保812人。",
    "problems": "1、餐饮业用工流动大\n(二)欠费无法清缴，涉及210502197001019805\n",
    "suggestions": "无",
}
ACTIVITY: dict[str, Any] = {
    "activity_no": "A-1",
    "kind": "street",
    "held_on": "2008-06-05",
    "place": "胜利路",
    "title": "街头咨询",
    "copies": 0,
}


@pytest.fixture
async def door(reporting_url: str, tmp_path: Path, clock: FixedClock) -> AsyncIterator[Door]:
    async with opened(SERVICE, reporting_url, tmp_path, clock, "leading-group") as door:
        yield door


async def push(door: Door, feed: str, record: Any, department: str, units: Any = None) -> Any:
    period = "2008-06" if feed == "activities" else record["period"]
    return await door.push(feed, period, [record], department=department, units=units)


class TestTheForm:
    async def test_keeps_what_was_stated_apart_from_what_is_computed(
        self, door: Door, plan: Plan, clock: FixedClock
    ) -> None:
        clock.set(datetime(2008, 5, 30, 4, tzinfo=UTC))
        before = {**FORM, "period": "2008-05-D3", "insured_total": 111_800, "fund_cum": "1000.00"}
        await push(door, "dekad-reports", before, "unit", UNIT)
        clock.set(datetime(2008, 6, 10, 4, tzinfo=UTC))
        form = {
            **FORM,
            "households_planned": 200,
            "households_done": 0,
            "census_rate": "0.5",
            "target_base": 112_001,
            "new_this_period": 320,
            "lost_this_period": 45,
            "should_pay": 80_000,
            "did_pay": 70_002,
            "pay_rate": "87.50",
            "fund_new": "-20.00",
            "fund_cum": "980.00",
            "fund_target": None,
        }
        receipt = await push(door, "dekad-reports", form, "unit", UNIT)
        assert receipt["applied"] == 1
        [shown] = (await door.get("dekad-reports", period="2008-06-D1"))["items"]
        counts, money = shown["counts"], shown["money"]
        assert (counts["households_done"], counts["uninsured_persons"]) == (0, None)
        assert (money["fund_new"], money["fund_target"]) == ({"fen": -2000, "yuan": "-20.00"}, None)
        assert (shown["percents"]["pay_rate"], shown["percents"]["fund_pct"]) == ("87.50", None)
        computed = shown["computed"]
        assert (computed["pay_rate"], computed["census_rate"]) == ("87.5", "0.0")
        assert (computed["fund_pct"], computed["done_stretch_pct"]) == (None, None)
        assert computed["time_pct"] == "44.3"  # 162 of the 366 days of 2008
        target = plan.target("insured-total", "210502").duty
        assert [(n["code"], n["field"], n["expected"]) for n in shown["notes"]] == [
            ("share-differs", "census_rate", "0.0"),
            ("sum-differs", "insured_total", "112075"),
            ("target-differs", "target_base", str(target)),
        ]

    async def test_is_told_and_stands_among_the_obligations(self, door: Door) -> None:
        await push(door, "dekad-reports", FORM, "unit", UNIT)
        tax = {"period": "2008-06-D1", "fund_new": "5120000.00", "arrears": "0"}
        await push(door, "dekad-reports", tax, "tax")
        again = await push(door, "dekad-reports", {**tax, "arrears": "10.00"}, "tax")
        assert again["applied"] == 1
        first, second, third = await door.facts(DekadReported)
        assert (first.unit, first.department, first.key) == ("210502", "unit", "210502")
        assert first.figures == {"insured_total": 112_000, "insured_active": 82_000}
        assert second.figures == {"fund_new_fen": 512_000_000, "arrears_fen": 0}
        assert (third.subject, third.revision) == (second.subject, 2)
        received = await door.facts(ReportingDeliveryReceived)
        assert [(fact.department, fact.unit) for fact in received] == [
            ("unit", "210502"),
            ("tax", None),
            ("tax", None),
        ]

    async def test_is_refused_with_the_reason(self, door: Door) -> None:
        refused: list[tuple[dict[str, Any], str, Any, str]] = [
            ({"unit": "210503"}, "unit", UNIT, "unit-not-yours"),
            ({"unit": None}, "unit", UNIT, "field-missing"),
            ({}, "tax", None, "unit-not-expected"),
            ({"insured_active": 112_001}, "unit", UNIT, "part-above-whole"),
            ({"insured_total": None, "insured_active": None}, "unit", UNIT, "figures-missing"),
            ({"fund_cum": "-1"}, "unit", UNIT, "value-out-of-range"),
            ({"fund_cum": "1.005"}, "unit", UNIT, "money-invalid"),
            ({"pay_rate": "-1"}, "unit", UNIT, "value-out-of-range"),
            ({"pay_rate": "NaN"}, "unit", UNIT, "money-invalid"),
            ({"sent_on": "2008-06-11"}, "unit", UNIT, "date-in-future"),
            ({"did_pay": -1}, "unit", UNIT, "value-out-of-range"),
            ({"figures": 1}, "unit", UNIT, "field-unknown"),
        ]
        for change, department, units, problem in refused:
            receipt = await push(door, "dekad-reports", {**FORM, **change}, department, units)
            assert receipt["problems"] == {problem: 1}, change
        assert (await door.get("dekad-reports"))["items"] == []

    async def test_is_not_taken_from_others(self, door: Door) -> None:
        answer = await door.http.post(
            "/feeds/dekad-reports/deliveries",
            content=b"{}",
            params={"period": "2008-06-D1"},
            headers={**door.token("finance"), "Idempotency-Key": "n"},
        )
        assert answer.status_code == 403


class TestComputing:
    @pytest.mark.parametrize(
        ("period", "cut_off_on", "time_pct"),
        [
            ("2008-02-D3", date(2008, 2, 29), "16.4"),  # 60 of 366
            ("2009-02-D3", date(2009, 2, 28), "16.2"),  # 59 of 365
            ("2008-05-D3", date(2008, 5, 30), "41.3"),  # the 30th, not the 31st
            ("2008-12-D3", date(2008, 12, 31), "100.0"),
        ],
    )
    def test_time_progress_is_of_the_cut_off(
        self, plan: Plan, period: str, cut_off_on: date, time_pct: str
    ) -> None:
        dekad = Dekad.parse(period)
        assert dekad.cutoff_on(plan.cutoffs) == cut_off_on
        none = dict.fromkeys((*rules.COUNTS, *rules.MONEY))
        found = rules.computed(none, dekad, cut_off_on)
        assert found == {**dict.fromkeys(rules.PERCENTS), "time_pct": time_pct}
        assert rules.notes(none, found, found, none, none) == []

    @pytest.mark.parametrize(
        ("text", "items"),
        [
            (None, []),
            ("无", []),
            ("无。\n—", []),
            ("一、甲\n二、乙", ["甲", "乙"]),
            ("1.甲\n2．乙\n3) 丙\n（4）丁\n", ["甲", "乙", "丙", "丁"]),
            ("1.5万人未参保", ["1.5万人未参保"]),
            ("2008年以来\n\n- 甲", ["2008年以来", "甲"]),
        ],
    )
    def test_a_line_is_an_item_without_its_number(self, text: str | None, items: list[str]) -> None:
        assert rules.items_of(text) == items

    @pytest.mark.parametrize(
        ("department", "unit", "duty"),
        [
            ("labour", None, "O32"),
            ("publicity", None, "O35"),
            ("peoples-bank", None, "O58"),
            ("unit", "210502", "O93"),
            ("construction", None, "O93"),
        ],
    )
    def test_an_activity_meets_a_duty(
        self, plan: Plan, department: str, unit: str | None, duty: str
    ) -> None:
        assert rules.duty_met(plan, department, unit) == duty


class TestMonthlyReports:
    async def test_come_in_three_parts_with_problems_as_items(self, door: Door) -> None:
        await push(door, "monthly-reports", {**MONTHLY, "unit": "210502"}, "unit", UNIT)
        await push(door, "monthly-reports", MONTHLY, "labour")
        body = await door.get("monthly-reports")
        assert [(r["department"], r["unit"]) for r in body["items"]] == [
            ("unit", "210502"),
            ("labour", None),
        ]
        problems = (await door.get("monthly-reports/problems", limit=3))["items"]
        assert [(p["no"], p["text"][:5]) for p in problems] == [
            (1, "餐饮业用工"),
            (2, "欠费无法清"),
            (1, "餐饮业用工"),
        ]
        following = await door.get("monthly-reports/problems", limit=3)
        rest = await door.http.get(f"http://test{following['next']}", headers=door.token())
        assert [(p["department"], p["no"]) for p in rest.json()["items"]] == [("labour", 2)]
        facts = await door.facts(MonthlyReported)
        assert [(f.problem_count, f.suggestion_count) for f in facts] == [(2, 0), (2, 0)]
        everything = str(await door.rows("SELECT * FROM monthly_reports"))
        assert "197001019805" not in everything + str(await door.messages())

    async def test_are_read_by_their_sender_and_the_office(self, door: Door) -> None:
        await push(door, "monthly-reports", {**MONTHLY, "unit": "210502"}, "unit", UNIT)
        await push(door, "monthly-reports", MONTHLY, "labour")
        readers: list[tuple[str, Any, int]] = [
            ("leading-group", None, 2),
            ("auditor", None, 2),
            ("unit", UNIT, 1),
            ("unit", ["210503"], 0),
            ("labour", None, 1),
            ("tax", None, 0),
        ]
        for department, units, seen in readers:
            body = await door.get("monthly-reports", department, units)
            assert len(body["items"]) == seen, department
            items = await door.get("monthly-reports/problems", department, units)
            assert len(items["items"]) == 2 * seen, department

    async def test_a_part_may_not_be_left_out(self, door: Door) -> None:
        record = {name: value for name, value in MONTHLY.items() if name != "suggestions"}
        receipt = await push(door, "monthly-reports", record, "labour")
        assert list(receipt["problems"]) == ["field-missing"]


class TestActivities:
    async def test_are_logged_with_the_duty_they_meet(self, door: Door) -> None:
        await push(door, "activities", {**ACTIVITY, "unit": "210502"}, "unit", UNIT)
        await push(door, "activities", ACTIVITY, "publicity")
        named = {**ACTIVITY, "activity_no": "A-2", "department": "peoples-bank"}
        await push(door, "activities", named, "leading-group")
        await push(door, "activities", {**ACTIVITY, "cancelled": True}, "publicity")
        facts = await door.facts(ActivityLogged)
        assert [(f.department, f.unit, f.duty, f.copies, f.revision) for f in facts] == [
            ("unit", "210502", "O93", 0, 1),
            ("publicity", None, "O35", 0, 1),
            ("peoples-bank", None, "O58", 0, 1),
            ("publicity", None, "O35", 0, 2),
        ]
        listed = (await door.get("activities", held_from="2008-06-05", kind="street"))["items"]
        assert {(a["department"], a["cancelled"]) for a in listed} == {
            ("unit", False),
            ("publicity", True),
            ("peoples-bank", False),
        }
        assert (await door.get("activities", duty="O35"))["items"][0]["persons_reached"] is None
        assert (await door.get("activities", held_to="2008-06-04"))["items"] == []

    async def test_are_refused_with_the_reason(self, door: Door) -> None:
        refused: list[tuple[dict[str, Any], str, Any, str]] = [
            ({"held_on": "2008-06-11"}, "publicity", None, "date-in-future"),
            ({"department": "labour"}, "publicity", None, "department-not-yours"),
            ({"department": "nobody"}, "leading-group", None, "code-unknown"),
            ({"unit": "999999"}, "publicity", None, "unit-unknown"),
            ({}, "unit", UNIT, "field-missing"),
            ({"kind": "party"}, "publicity", None, "code-unknown"),
        ]
        for change, department, units, problem in refused:
            receipt = await push(door, "activities", {**ACTIVITY, **change}, department, units)
            assert receipt["problems"] == {problem: 1}, change

    async def test_not_after_the_month_delivered(self, door: Door, clock: FixedClock) -> None:
        clock.advance(timedelta(days=30))
        record = {**ACTIVITY, "held_on": "2008-07-01"}
        receipt = await push(door, "activities", record, "publicity")
        assert list(receipt["problems"]) == ["held-after-period"]


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
async def test_the_example_is_applied_and_every_field_has_a_heading(door: Door, feed: Any) -> None:
    period = {"dekad-reports": "2008-06-D1", "activities": "2008-06"}.get(feed.name, "2008-05")
    receipt = await door.push(feed.name, period, [feed.example], department="unit", units=UNIT)
    assert (receipt["applied"], receipt["problems"]) == (1, {})
    assert set(feed.headings) == set(feed.record.__struct_fields__)
    headings = [heading for names in feed.headings.values() for heading in names]
    assert len(headings) == len(set(headings))
