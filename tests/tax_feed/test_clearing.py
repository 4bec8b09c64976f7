"""Clearing plans: what was agreed against what receipts say, instalment by instalment (O41)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tax_feed.clearing.feeds import CLEARING_PLANS
from tax_feed.clearing.rules import Keeping, Planned, standings
from tests.registration_feed.door import Door
from tests.tax_feed.records import made, receipt

JUNE, JULY = date(2008, 6, 30), date(2008, 7, 31)
PLAN = [Planned(1, JUNE, 500), Planned(2, JULY, 300)]
AUGUST = date(2008, 8, 15)


@pytest.mark.parametrize(
    ("cleared", "as_of", "keeping"),
    [
        ([], date(2008, 6, 29), "open open"),
        ([], JUNE, "open open"),
        ([], date(2008, 7, 1), "missed open"),
        ([(JUNE, 500)], date(2008, 7, 1), "kept open"),
        ([(JUNE, 499)], date(2008, 7, 1), "missed open"),
        ([(date(2008, 7, 1), 500)], date(2008, 7, 1), "late open"),
        ([(date(2008, 7, 1), 500)], JUNE, "open open"),
        ([(date(2008, 6, 1), 800)], date(2008, 6, 2), "kept kept"),
        ([(date(2008, 6, 1), 200), (date(2008, 6, 9), 300)], AUGUST, "kept missed"),
        ([(date(2008, 8, 1), 800)], AUGUST, "late late"),
        ([(date(2008, 8, 1), 799)], AUGUST, "late missed"),
    ],
)
def test_an_instalment_is_kept_late_missed_or_open(
    cleared: list[tuple[date, int]], as_of: date, keeping: str
) -> None:
    assert " ".join(one.keeping for one in standings(PLAN, cleared, as_of)) == keeping


_DAY = st.dates(date(2008, 5, 1), date(2008, 12, 31))
_PLANNED = st.lists(st.builds(Planned, st.integers(1, 9), _DAY, st.integers(1, 500)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(_PLANNED, st.lists(st.tuples(_DAY, st.integers(1, 500)), max_size=6), _DAY)
def test_a_plan_is_behind_exactly_when_an_instalment_was_missed(
    planned: list[Planned], cleared: list[tuple[date, int]], as_of: date
) -> None:
    found = standings(planned, cleared, as_of)
    due = sum(one.amount_fen for one in planned if one.due_on < as_of)
    in_by_now = sum(fen for on, fen in cleared if on <= as_of)
    assert (due > in_by_now) == any(one.keeping is Keeping.MISSED for one in found)


async def test_what_receipts_clear_is_set_against_the_plan(door: Door) -> None:
    first = made(CLEARING_PLANS, agreed_on="2008-05-20", due_on="2008-06-01", amount="500.00")
    second = {**first, "instalment_no": 2, "due_on": "2008-06-08", "amount": "100.00"}
    third = {**first, "instalment_no": 3, "due_on": "2008-07-31", "amount": "900.00"}
    gone = {**first, "instalment_no": 4, "due_on": "2008-06-02", "cancelled": True}
    await door.push("clearing-plans", "2008-05", [first, second, third, gone])
    await door.push(
        "receipts",
        "2008-06-D1",
        [
            receipt(1, receipt_no="JK-0001", received_on="2008-05-19"),  # before it was agreed
            receipt(1, receipt_no="JK-0002", received_on="2008-06-01"),  # 560 yuan of arrears
            receipt(1, receipt_no="JK-0003", received_on="2008-06-02", cancelled=True),
            receipt(2, receipt_no="JK-0004", received_on="2008-06-02"),  # another employer's
        ],
    )
    plan = await door.get("/clearing-plans/QQ-2008-0001", "finance")
    assert [one["keeping"] for one in plan["instalments"]] == ["kept", "missed", "open"]
    assert plan["as_of"] == "2008-06-10"
    sums = {name: plan[name]["yuan"] for name in ("total", "due", "cleared", "behind")}
    assert sums == {"total": "1500.00", "due": "600.00", "cleared": "560.00", "behind": "40.00"}
    assert plan["in_default"]

    async def numbers(**query: Any) -> list[str]:
        page = await door.get("/clearing-plans", "agency", **query)
        return [item["plan_no"] for item in page["items"]]

    assert await numbers(in_default=True) == ["QQ-2008-0001"]
    assert await numbers(in_default=True, as_of="2008-06-08") == []
    assert await numbers(in_default=False, as_of="2008-06-08") == ["QQ-2008-0001"]
    elsewhere = await door.ask("/clearing-plans/QQ-2008-0001", "unit", ["210503"])
    assert elsewhere.status_code == 404


async def test_no_yuan_pays_two_plans(door: Door) -> None:
    old = made(CLEARING_PLANS, agreed_on="2008-05-02", due_on="2008-05-31", amount="600.00")
    new = {**old, "plan_no": "QQ-2008-0002", "agreed_on": "2008-06-03", "due_on": "2008-06-30"}
    await door.push("clearing-plans", "2008-05", [old, new])
    await door.push(
        "receipts",
        "2008-06-D1",
        [
            receipt(1, receipt_no="JK-0001", received_on="2008-06-02"),
            receipt(1, receipt_no="JK-0002", received_on="2008-06-03"),
        ],
    )
    shown = (await door.get("/clearing-plans", "agency"))["items"]
    assert [one["cleared"]["yuan"] for one in shown] == ["560.00", "560.00"]
