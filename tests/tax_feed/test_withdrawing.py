"""Deliveries of the tax office taken back: money returns to what remains, arrears telescope."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from shared.events.tax_feed import (
    ArrearsRecorded,
    ArrearsSettled,
    ContributionCollected,
    HeadcountDeclared,
)
from tax_feed.clearing.feeds import CLEARING_PLANS
from tests.registration_feed.door import Door
from tests.tax_feed.records import arrears, check, key, made, receipt


async def withdraw(door: Door, delivery_id: str) -> None:
    answer = await door.http.post(
        f"/deliveries/{delivery_id}/withdrawal",
        json={"reason": "wrong file"},
        headers=door.token(),
    )
    assert answer.status_code == 202, answer.text
    await door.worker.drain()
    shown = await door.get(f"/deliveries/{delivery_id}")
    assert shown["withdrawal"]["status"] == "done"


async def collected(door: Door) -> int:
    """Pooled fen by the latest fact of each receipt."""
    latest: dict[str, ContributionCollected] = {}
    for fact in await door.facts(ContributionCollected):
        assert fact.revision > (latest[fact.subject].revision if fact.subject in latest else 0)
        latest[fact.subject] = fact
    return sum(fact.pooled_fen for fact in latest.values())


async def test_receipts_go_back_to_zero_or_to_what_was_told_before(door: Door) -> None:
    await door.push("receipts", "2008-06-D1", [receipt(1, pooled="1000"), receipt(2, pooled="600")])
    wrong = await door.push(
        "receipts", "2008-06-D1", [receipt(1, pooled="9000"), receipt(3, pooled="700")]
    )
    assert await collected(door) == 1_030_000
    await withdraw(door, wrong["delivery"])
    assert await collected(door) == 160_000
    last = (await door.facts(ContributionCollected))[-1]
    assert last.correction


async def test_a_check_taken_back_found_nobody(door: Door) -> None:
    wrong = await door.push("employer-checks", "2008-05", [check()])
    await withdraw(door, wrong["delivery"])
    (ended,) = await door.facts(HeadcountDeclared)
    assert (ended.revision, ended.taxable_headcount, ended.correction) == (2, 0, True)


async def test_the_number_of_a_plan_taken_back_may_be_another_s(door: Door) -> None:
    wrong = await door.push("clearing-plans", "2008-05", [made(CLEARING_PLANS)])
    refused = await door.push("clearing-plans", "2008-05", [made(CLEARING_PLANS, 2)])
    assert refused["problems"] == {"plan-of-another": 1}
    await withdraw(door, wrong["delivery"])
    told = await door.push("clearing-plans", "2008-05", [made(CLEARING_PLANS, 2)])
    assert told["applied"] == 1
    (plan,) = (await door.get("/clearing-plans", "agency"))["items"]
    assert plan["employer_key"] == key(2)


@pytest.mark.parametrize("taken", range(3))
async def test_arrears_of_a_month_taken_back_leave_what_was_owed_before(
    door: Door, taken: int
) -> None:
    months = ("2008-03", "2008-04", "2008-05")
    balances = ("100", "300", "250")
    made = [
        await door.push("arrears", month, [arrears(month=month, balance=balance)])
        for month, balance in zip(months, balances, strict=True)
    ]
    await withdraw(door, made[taken]["delivery"])
    remaining = [b for no, b in enumerate(balances) if no != taken]
    owed, expected = 0, []
    for no, balance in enumerate(balances):
        owed = owed if no == taken else int(balance) * 100
        expected.append(owed)
    assert await telescoped(door, months) == expected
    assert expected[-1] == int(remaining[-1]) * 100


async def telescoped(door: Door, months: tuple[str, ...]) -> list[int]:
    """What is owed at the end of each month: the sum of balance less carried up to it."""
    latest: dict[str, Any] = defaultdict(int)
    for fact in await door.facts(ArrearsRecorded, ArrearsSettled):
        latest[fact.month] = fact.balance_fen - fact.carried_fen
    return [sum(latest[m] for m in months if m <= month) for month in months]


async def test_a_full_list_of_the_month_settles_what_it_does_not_name(door: Door) -> None:
    await door.push("arrears", "2008-05", [arrears(1, balance="100"), arrears(2, balance="50")])
    answer = await door.http.post(
        "/feeds/arrears/deliveries",
        json=[arrears(1, balance="100")],
        params={"period": "2008-05", "wait": 0, "mode": "replace", "confirm_removals": 1},
        headers={**door.token(), "Idempotency-Key": "full"},
    )
    assert answer.status_code == 202, answer.text
    await door.worker.drain()
    (settled,) = await door.facts(ArrearsSettled)
    assert (settled.balance_fen, settled.revision, settled.record_no) == (0, 2, 2)


@pytest.mark.parametrize("amount", ["1_000", "+5", "１２", " 5 ", "5.", "1e3", "NaN", ""])
async def test_an_amount_that_is_no_plain_number_is_the_senders_to_settle(
    door: Door, amount: str
) -> None:
    told = await door.push("receipts", "2008-06-D1", [receipt(1, pooled=amount), receipt(2)])
    assert (told["rejected"], told["problems"]) == (1, {"money-invalid": 1})
    assert [one["pointer"] for one in told["first_problems"]] == ["/pooled"]
