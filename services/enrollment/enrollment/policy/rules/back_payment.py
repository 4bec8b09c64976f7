"""Back payment by freelancers: each month at the rules of its period, with the account's interest
and without late fee (O78, O80).

Each month stands for itself: base, both parts, interest and late fee are rounded half up to the
fen in its row, so that the parts sum to the total and a period cut in two costs the same. Interest
is simple: the account part times a twelfth of the year's rate for each whole month after the month
owed and before the month of payment, at the rate in force in each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from enrollment.policy.rules.case import Case, Rule
from enrollment.policy.rules.money import CAP, FLOOR, MEAN_WAGE, find_bounds
from enrollment.policy.rules.terms import Answer, Fault, Input, MonthRow
from shared.money import half_up, yuan
from shared.periods import Month

POOLED: Final = "flexible-pooled-rate"
ACCOUNT: Final = "flexible-account-rate"
INTEREST: Final = "account-interest-rate"
LATE_FEE: Final = "flexible-backpay-late-fee-rate-per-day"
LONGEST: Final = 600
"""Months of one question."""

_OUTCOMES: Final = {
    "payable": ("可以补缴", "may be paid"),
    "before-leaving": ("含脱离劳动关系以前的月份", "has months before leaving the unit"),
    "not-past": ("含未到期月份", "has months not yet past"),
}


def _judge(case: Case) -> Answer:
    first, last, left_on = case.need("from_month", "to_month", "left_on")
    if first.first_on <= left_on:
        return Answer(
            "before-leaving",
            f"{left_on} 及以前的月份由原单位缴纳，自 {Month.of(left_on).next()} 起可补缴",
            f"Months up to {left_on} are the former unit's; may be paid from "
            f"{Month.of(left_on).next()} on",
        )
    if last >= Month.of(case.on):
        return Answer(
            "not-past",
            f"{Month.of(case.on)} 及以后的月份尚不属补缴",
            f"{Month.of(case.on)} and later are not past yet",
        )
    rows = _rows(case, first, last)
    case.end_if_lacking()
    amounts = {
        name: sum(getattr(row, name) for row in rows)
        for name in ("pooled_fen", "account_fen", "interest_fen", "late_fee_fen", "total_fen")
    }
    total, interest = yuan(amounts["total_fen"]), yuan(amounts["interest_fen"])
    fee = yuan(amounts["late_fee_fen"])
    return Answer(
        "payable",
        f"补缴 {first} 至 {last} 共 {len(rows)} 个月，合计 {total} 元，"
        f"其中个人账户利息 {interest} 元、滞纳金 {fee} 元",
        f"{first} to {last}, {len(rows)} months: {total} yuan, of which interest of the account "
        f"{interest}, late fee {fee}",
        amounts,
        {"months": len(rows)},
        tuple(rows),
    )


def _rows(case: Case, first: Month, last: Month) -> list[MonthRow]:
    """Month by month; of months that lack a parameter all are noted and none is made up."""
    declared = case.get("declared_fen")
    interest = _interest_until_payment(case, first)
    rows = []
    for month in _months(first, last):
        on = month.last_on
        bounds = find_bounds(case, on)
        pooled, account = case.find(POOLED, on), case.find(ACCOUNT, on)
        fee = case.find(LATE_FEE)
        if bounds is None or pooled is None or account is None or fee is None:
            continue
        base, made_by = bounds.base(declared)
        parts = (
            half_up(base * Fraction(pooled.as_decimal())),
            half_up(base * Fraction(account.as_decimal())),
        )
        days = (case.on - on).days
        row = (
            *parts,
            half_up(parts[1] * interest[month]),
            half_up(sum(parts) * Fraction(fee.as_decimal()) * days),
        )
        rows.append(MonthRow(str(month), base, made_by, *row, sum(row)))
    return rows


def _interest_until_payment(case: Case, first: Month) -> dict[Month, Fraction]:
    """Month owed → what a fen of it has grown by, up to the month before the payment's."""
    grown: dict[Month, Fraction] = {}
    sum_after = Fraction(0)
    month = Month.of(case.on).previous()
    while month >= first:
        grown[month] = sum_after
        if month > first:  # nothing grows in the first month owed
            rate = case.find(INTEREST, month.last_on)
            sum_after += Fraction(rate.as_decimal()) / 12 if rate is not None else 0
        month = month.previous()
    return grown


def _months(first: Month, last: Month) -> Iterator[Month]:
    while first <= last:
        yield first
        first = first.next()


def _check(values: Mapping[str, Any]) -> list[Fault]:
    first, last = values.get("from_month"), values.get("to_month")
    if first is None or last is None:
        return []
    length = (last.year - first.year) * 12 + last.month - first.month + 1
    if 1 <= length <= LONGEST:
        return []
    return [Fault("to_month", "value-out-of-range", {"minimum": first, "maximum": "+50"})]


BACK_PAYMENT: Final = Rule(
    "back-payment",
    1,
    "自由职业者补缴",
    "Back payment by freelancers",
    ("O78", "O80"),
    (
        Input("from_month", "month", "补缴起始月", "first month"),
        Input("to_month", "month", "补缴截止月", "last month"),
        Input("left_on", "date", "与原单位脱离劳动关系日期", "when the former unit was left"),
        Input(
            "declared_fen",
            "fen",
            "选定的月缴费基数（分）；不填按各期下限",
            "base chosen for a month, fen; without it each period's floor",
            needed=False,
        ),
    ),
    _OUTCOMES,
    _judge,
    (MEAN_WAGE, FLOOR, CAP, POOLED, ACCOUNT, INTEREST, LATE_FEE),
    bound=True,
    check=_check,
)
