"""What counties and departments submit themselves: dekad forms, monthly reports, activities.

The figures of the forms are the story's own truth. A few come late, one never comes, and one
office has nothing to log and says so.
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from kuomian.city.money import yuan
from kuomian.city.sending import local
from kuomian.city.truth import CITY
from shared.money import percent
from shared.periods import Dekad, Month, Period, local_date
from shared.plan import Ower

if TYPE_CHECKING:
    from kuomian.city.story import Builder

LATE = {
    ("dekad-reports", "210505", "2008-06-D2"): 2,
    ("dekad-reports", "210521", "2008-08-D3"): 1,
    ("dekad-reports", "tax", "2008-10-D1"): 1,
    ("monthly-reports", "210522", "2008-07"): 4,
    ("monthly-reports", "construction", "2008-09"): 1,
}
"""Feed, who owes it, period → days after the due day."""

NEVER = {("dekad-reports", "210503", "2008-09-D2")}

_PROBLEMS = (
    "餐饮、服务业用工流动大，登记跟不上",
    "部分停产企业欠费无力清缴",
    "灵活就业人员断缴后续保意愿不强",
    "社区普查人手不足",
    "个体工商户对缴费基数有疑问",
)
_SUGGESTIONS = ("由工商、地税联合上门核查", "对困难企业签订清欠计划", "在社区设临时缴费点")
_STREETS = ("胜利路", "解放路", "市民广场", "火车站前", "中心市场")


def submit(b: Builder, until: date) -> None:
    """Everything due before the day, told after all else, for its figures must be known."""
    for feed, title in _TITLES.items():
        for due in b.plan.due_for(feed, local(until, 0)):
            due_on = local_date(due.due_at - timedelta(seconds=1))
            for ower in b.plan.owers(feed):
                which = (feed, ower.code, str(due.period))
                if which in NEVER:
                    b.planted["form-missing"] += 1
                    continue
                if late := LATE.get(which, 0):
                    b.planted["form-late"] += 1
                sent_on = due_on + timedelta(days=late)
                role = f"unit-{ower.unit}" if ower.unit else ower.code
                rows = [_record(b, ower, due.period, sent_on)]
                b.send(sent_on, 20, role, feed, str(due.period), rows, title)
    _log_activities(b, until)


_TITLES = {"dekad-reports": "扩面征缴旬报", "monthly-reports": "月度书面报告"}


def _record(b: Builder, ower: Ower, period: Period, sent_on: date) -> dict[str, Any]:
    if isinstance(period, Dekad):
        return _form(b, ower, period, sent_on)
    assert isinstance(period, Month)  # noqa: S101 - the two feeds have no other
    return _report(b, ower, period, sent_on)


def _form(b: Builder, ower: Ower, dekad: Dekad, sent_on: date) -> dict[str, Any]:
    """A county states persons and money of its own, the tax office the city's money."""
    unit, on = ower.unit or CITY, dekad.cutoff_on(b.plan.cutoffs)
    before = dekad.previous().cutoff_on(b.plan.cutoffs)
    fund, fund_before = (b.truth.at("pooled-fund", unit, day) for day in (on, before))
    record: dict[str, Any] = {
        "period": str(dekad),
        "sent_on": sent_on,
        "fund_new": yuan_of(fund - fund_before),
        "fund_cum": yuan_of(fund),
        "arrears": yuan_of(b.truth.at("arrears-balance", unit, on)),
    }
    target = b.plan.find_target("pooled-fund", unit, on)
    if target is not None:
        record["fund_target"] = yuan_of(target.duty)
    if ower.unit is None:
        return record
    total = b.truth.at("insured-total", unit, on)
    duty = b.plan.target("insured-total", unit, on)
    return record | {
        "unit": unit,
        "insured_total": total,
        "insured_active": b.truth.at("insured-active", unit, on),
        "target_base": duty.duty,
        "done_base_pct": percent(Fraction(total, duty.duty), 1),
    }


def _report(b: Builder, ower: Ower, month: Month, sent_on: date) -> dict[str, Any]:
    """Three parts; a good month has no problem to tell."""
    at = month.month + sum(map(ord, ower.code))
    problems = [_PROBLEMS[(at + step) % len(_PROBLEMS)] for step in range(at % 3)]
    record: dict[str, Any] = {
        "period": str(month),
        "sent_on": sent_on,
        "overall": f"{month.year}年{month.month}月按方案推进，各项工作正常。",
        "problems": "\n".join(f"{no}、{text}" for no, text in enumerate(problems, 1)) or "无",
        "suggestions": _SUGGESTIONS[at % len(_SUGGESTIONS)] if problems else "无",
    }
    if ower.unit:
        gained = b.truth.at("insured-total", ower.unit, month.last_on)
        gained -= b.truth.at("insured-total", ower.unit, month.first_on - timedelta(days=1))
        record |= {"unit": ower.unit, "overall": f"{month.month}月净增参保{gained}人。"}
    return record


def _log_activities(b: Builder, until: date) -> None:
    """Each month one county, the publicity department and the labour department."""
    counties = [unit.code for unit in b.plan.units if unit.kind == "county"]
    month = Month.parse("2008-05")
    while month.last_on + timedelta(days=2) <= until:
        county = counties[month.month % len(counties)]
        sent_on = month.last_on + timedelta(days=2)
        for role, kind in (
            (f"unit-{county}", "street"),
            ("publicity", "media"),
            ("labour", "leaflet"),
        ):
            rows = [_activity(b, role, kind, month, no) for no in (1, 2)]
            b.send(sent_on, 9, role, "activities", str(month), rows, "宣传活动登记")
        if month.month == 7:
            b.send(sent_on, 9, "culture", "activities", str(month), [], "宣传活动登记（零报送）")
        month = month.next()


def _activity(b: Builder, role: str, kind: str, month: Month, no: int) -> dict[str, Any]:
    held_on = month.last_on - timedelta(days=b.rng.randint(0, 9))
    record: dict[str, Any] = {
        "activity_no": f"{role}-{month}-{no}",
        "kind": kind,
        "held_on": held_on,
        "place": _STREETS[b.rng.randrange(len(_STREETS))],
        "title": "参保政策宣传",
    }
    if kind != "media":
        record["copies"] = b.rng.randint(2, 15) * 100
    if role.startswith("unit-"):
        record["unit"] = role.removeprefix("unit-")
    return record


def yuan_of(fen: int) -> str:
    """Fen in yuan, also below 0."""
    return f"-{yuan(-fen)}" if fen < 0 else yuan(fen)
