"""Clocks and sums of employers: the days to register (O50), the part for persons without wages
(O43), the estimate where nothing was declared, the late fee after an order has lapsed."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from enrollment.policy.rules.case import Case, Rule
from enrollment.policy.rules.terms import Answer, Input
from shared.money import half_up, yuan

LIMIT: Final = "registration-limit"
EMPLOYER_RATE: Final = "employer-pooled-rate"
PERSON_RATE: Final = "individual-rate"
ESTIMATE: Final = "undeclared-estimate-ratio"
FEE: Final = "late-fee-rate-per-day"


def register_by(licensed_on: date, limit_days: int) -> date:
    """The last day to register: so many days after the licence, itself included."""
    return licensed_on + timedelta(days=limit_days)


def _clock(case: Case) -> Answer:
    (licensed_on,) = case.need("licensed_on")
    limit = case.whole(LIMIT, licensed_on)
    due_on = register_by(licensed_on, limit)
    registered_on = case.get("registered_on")
    registered = registered_on is not None and registered_on <= case.on
    until = registered_on if registered else case.on
    late = max(0, (until - due_on).days)
    facts: dict[str, str | int] = {
        "due_on": due_on.isoformat(),
        "limit_days": limit,
        "days_left": max(0, (due_on - until).days),
        "days_overdue": late,
    }
    if registered:
        outcome = "registered-late" if late else "registered-in-time"
    else:
        outcome = "overdue" if late else "running"
    zh, en = _CLOCK[outcome]
    more = (f"，逾期 {late} 天", f", {late} days late") if late else ("", "")
    return Answer(
        outcome,
        f"{zh}：{licensed_on} 起 {limit} 日，至 {due_on}（含）{more[0]}",
        f"{en}: {limit} days from {licensed_on}, up to and with {due_on}{more[1]}",
        facts=facts,
    )


_CLOCK: Final = {
    "running": ("期限内", "still in time"),
    "overdue": ("已逾期", "overdue"),
    "registered-in-time": ("按期登记", "registered in time"),
    "registered-late": ("逾期登记", "registered late"),
}
REGISTRATION_CLOCK: Final = Rule(
    "registration-clock",
    1,
    "参保登记期限",
    "Days to register",
    ("O50",),
    (
        Input("licensed_on", "date", "领取营业执照（或成立）日期", "day of licence or founding"),
        Input("registered_on", "date", "参保登记日期", "day of registration", needed=False),
    ),
    _CLOCK,
    _clock,
    (LIMIT,),
)


def _no_wage(case: Case) -> Answer:
    (base,) = case.need("individual_base_fen")
    for name in (EMPLOYER_RATE, PERSON_RATE):
        case.find(name)
    case.end_if_lacking()
    employer_rate, person_rate = case.ratio(EMPLOYER_RATE), case.ratio(PERSON_RATE)
    parts = {
        "individual_fen": half_up(base * Fraction(person_rate)),
        "employer_pooled_fen": half_up(base * Fraction(employer_rate)),
    }
    due, own = yuan(parts["employer_pooled_fen"]), yuan(parts["individual_fen"])
    return Answer(
        "computed",
        f"未领取工资：单位统筹 {yuan(base)} × {employer_rate} = {due} 元，个人 {own} 元",
        f"No wage: the unit's pooled part {yuan(base)} x {employer_rate} = {due} yuan, the "
        f"individual part {own}",
        parts,
    )


NO_WAGE: Final = Rule(
    "no-wage-employer-part",
    1,
    "当期未领取工资的单位缴费",
    "The unit's part for persons without wages",
    ("O43",),
    (Input("individual_base_fen", "fen", "个人月缴费基数（分）", "individual base, fen"),),
    {"computed": ("已计算", "computed")},
    _no_wage,
    (EMPLOYER_RATE, PERSON_RATE),
    bound=True,
)


def _undeclared(case: Case) -> Answer:
    (last_month,) = case.need("last_month_fen")
    ratio = case.ratio(ESTIMATE)
    due = half_up(last_month * Fraction(ratio))
    return Answer(
        "estimated",
        f"未申报：暂按上月 {yuan(last_month)} 元 × {ratio} = {yuan(due)} 元",
        f"Nothing declared: {yuan(last_month)} of last month x {ratio} = {yuan(due)} yuan",
        {"due_fen": due},
    )


UNDECLARED: Final = Rule(
    "undeclared-estimate",
    1,
    "未申报暂定数额",
    "Estimate where nothing was declared",
    (),
    (Input("last_month_fen", "fen", "上月缴费数额（分）", "last month's sum, fen"),),
    {"estimated": ("已暂定", "estimated")},
    _undeclared,
    (ESTIMATE,),
)

_FEES: Final = {
    "no-order": ("未责令，不计", "no order, no fee"),
    "order-running": ("责令期限未满，不计", "the order's deadline has not lapsed, no fee"),
    "due": ("应加收", "due"),
}


def _late_fee(case: Case) -> Answer:
    owed, defaulted_on, ordered = case.need("owed_fen", "defaulted_on", "ordered")
    outcome, fee, days = "no-order", 0, 0
    if ordered:
        (deadline_on,) = case.need("order_deadline_on")
        if case.on <= deadline_on:
            outcome = "order-running"
        else:
            outcome, days = "due", max(0, (case.on - defaulted_on).days)
            fee = half_up(owed * Fraction(case.ratio(FEE)) * days)
    zh, en = _FEES[outcome]
    more = (f"：{days} 日 {yuan(fee)} 元", f": {days} days, {yuan(fee)} yuan") if days else ("", "")
    return Answer(
        outcome,
        f"滞纳金{zh}{more[0]}",
        f"Late fee: {en}{more[1]}",
        {"late_fee_fen": fee},
        {"days": days},
    )


LATE_FEE: Final = Rule(
    "late-fee",
    1,
    "滞纳金",
    "Late fee",
    (),
    (
        Input("owed_fen", "fen", "欠缴数额（分）", "sum owed, fen"),
        Input("defaulted_on", "date", "欠缴之日", "day of default"),
        Input("ordered", "flag", "是否已责令限期缴纳", "ordered to pay by a day"),
        Input("order_deadline_on", "date", "责令期限届满日", "the order's deadline", needed=False),
    ),
    _FEES,
    _late_fee,
    (FEE,),
)
