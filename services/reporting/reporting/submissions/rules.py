"""The dekad form's figures, what can be computed from them and what does not agree; problems as
items; the duty an activity meets. Pure.

A figure that was not stated is None, which is not 0; nothing is computed from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Final, Literal, NamedTuple, TypeAlias

from shared.money import percent
from shared.periods import Dekad, days_elapsed_share
from shared.plan import Plan, PlanLookupError

COUNTS: Final = (
    "households_planned",
    "households_done",
    "uninsured_employers",
    "uninsured_persons",
    "uninsured_enrolled",
    "target_base",
    "target_stretch",
    "last_year_end",
    "new_this_period",
    "lost_this_period",
    "insured_total",
    "insured_active",
    "active_nonpublic",
    "active_selfemployed_households",
    "active_flexible",
    "active_migrant",
    "should_pay",
    "did_pay",
    "yoy_persons",
    "rank",
)
"""Households, employers, persons; the rank among them."""

MONEY: Final = (
    "fund_target",
    "fund_new",
    "fund_cum",
    "fund_arrears_collected",
    "fund_prelevied",
    "arrears",
)
"""Yuan as sent, fen from the first step on."""

SHARES: Final[Mapping[str, tuple[str, str]]] = {
    "census_rate": ("households_done", "households_planned"),
    "done_base_pct": ("insured_total", "target_base"),
    "done_stretch_pct": ("insured_total", "target_stretch"),
    "pay_rate": ("did_pay", "should_pay"),
    "fund_pct": ("fund_cum", "fund_target"),
}
"""Percentages of the form: the figure above and the one below the line."""

PERCENTS: Final = (*SHARES, "time_pct")

PARTS: Final = (
    ("uninsured_enrolled", "uninsured_persons"),
    ("target_base", "target_stretch"),
    ("insured_active", "insured_total"),
    ("active_nonpublic", "insured_active"),
    ("active_selfemployed_households", "insured_active"),
    ("active_flexible", "insured_active"),
    ("active_migrant", "insured_active"),
    ("should_pay", "insured_active"),
    ("did_pay", "should_pay"),
    ("fund_arrears_collected", "fund_cum"),
    ("fund_prelevied", "fund_cum"),
)
"""What cannot be more than what it is a part of."""

SUMS: Final = (
    ("insured_total", ("new_this_period",), ("lost_this_period",)),
    ("fund_cum", ("fund_new",), ()),
)
"""A figure is the previous dekad's with these added and those taken away."""

TARGETS: Final = (
    ("target_base", "insured-total", "duty"),
    ("target_stretch", "insured-total", "stretch"),
    ("fund_target", "pooled-fund", "duty"),
)

Figures: TypeAlias = Mapping[str, int | None]
Whose = Literal["unit-needed", "unit-not-expected"]


def above_their_wholes(figures: Figures) -> list[tuple[str, str]]:
    """The (part, whole) of which both are stated and the part is more."""
    return [
        (part, whole)
        for part, whole in PARTS
        if (a := figures[part]) is not None and (b := figures[whole]) is not None and a > b
    ]


def computed(figures: Figures, period: Dekad, cut_off_on: date) -> dict[str, str | None]:
    """The form's percentages from its own figures, one decimal, half up; None where a figure is
    not stated or would divide by 0."""
    found: dict[str, str | None] = {}
    for name, (over, under) in SHARES.items():
        a, b = figures[over], figures[under]
        found[name] = None if a is None or not b else percent(Fraction(a, b), 1)
    year = date(period.year, 1, 1), date(period.year, 12, 31)
    found["time_pct"] = percent(days_elapsed_share(cut_off_on, *year), 1)
    return found


class Note(NamedTuple):
    """Something in a form that does not agree with something else; nothing is changed for it."""

    code: str
    field: str
    stated: str
    expected: str


def notes(
    figures: Figures,
    percents: Mapping[str, str | None],
    ours: Mapping[str, str | None],
    previous: Figures | None,
    targets: Figures,
) -> list[Note]:
    """What an office looking at the form should ask about, in the form's order.

    ``percents``: as stated, with one decimal. ``previous``: the same sender's form of the dekad
    before, if it came.
    """
    found = []
    done, planned = figures["households_done"], figures["households_planned"]
    if done is not None and planned is not None and done > planned:
        found.append(Note("more-than-planned", "households_done", str(done), str(planned)))
    for name in PERCENTS:
        stated, own = percents[name], ours[name]
        if stated is not None and own is not None and stated != own:
            found.append(Note("share-differs", name, stated, own))
    for name, plus, minus in SUMS if previous is not None else ():
        terms = [previous[name], *(figures[one] for one in (*plus, *minus))]  # type: ignore[index]
        if figures[name] is None or None in terms:
            continue
        whole = sum(term for term in terms[: 1 + len(plus)] if term is not None)
        whole -= sum(term for term in terms[1 + len(plus) :] if term is not None)
        if figures[name] != whole:
            found.append(Note("sum-differs", name, str(figures[name]), str(whole)))
    for name, target in targets.items():
        if figures[name] is not None and target is not None and figures[name] != target:
            found.append(Note("target-differs", name, str(figures[name]), str(target)))
    return found


def targets_of(plan: Plan, unit: str | None, on: date) -> dict[str, int | None]:
    """The plan's targets under the form's names; the tax office's are the city's."""
    found: dict[str, int | None] = {}
    for field, measure, line in TARGETS:
        try:
            row = plan.find_target(measure, unit or plan.city.code, on)
        except PlanLookupError:
            row = None
        found[field] = None if row is None else getattr(row, line)
    return found


_NOTHING: Final = frozenset({"无", "没有", "暂无", "—", "-", "/", "none"})
_NUMBERED: Final = re.compile(
    r"^\s*(?:[一二三四五六七八九十]{1,3}[、.．]|[(（][一二三四五六七八九十\d]{1,3}[)）]"
    r"|\d{1,2}(?:[、．)）]|\.(?!\d))|[-–•·*])\s*"
)


def items_of(text: str | None) -> list[str]:
    """The items of a text, one for each line, without their numbering; "无" is no item."""
    lines = (_NUMBERED.sub("", line).strip() for line in (text or "").splitlines())
    return [line for line in lines if line and line.rstrip("。.") not in _NOTHING]


def duty_met(plan: Plan, department: str, unit: str | None) -> str:
    """The duty an activity of that sender meets: the first whose actors name it, else the last
    of those that activities meet, which is everybody's (O93)."""
    duties = [row for row in plan.obligations if "activities" in row.met_by]
    actor = "county-governments" if unit else department
    for row in duties:
        if actor in row.actors:
            return row.id
    return duties[-1].id if duties else ""
