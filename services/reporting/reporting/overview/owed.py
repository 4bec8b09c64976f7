"""What is missing or came late, by department, made ready for the page."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from reporting.figures.views import API
from reporting.obligations import report
from reporting.obligations.report import Stood
from reporting.obligations.rules import MISSED, Standing, State
from reporting.overview.page import DASH, Viewer
from shared.plan import Plan

_UNITS_NAMED: Final = 3


def owed_context(viewer: Viewer, found: Stood, plan: Plan) -> dict[str, Any]:
    """One row for each department that missed a deadline, most missing first; counts lead to the
    list they count."""
    by_department: dict[str, list[Standing]] = {}
    for one in found.standings:
        if one.state in MISSED:
            by_department.setdefault(one.owed.department, []).append(one)
    rows = [_row(viewer, plan, code, missed) for code, missed in by_department.items()]
    rows.sort(key=lambda row: (-row["missing"]["count"], -row["late"]["count"], row["name"]))
    total, _ = report.metrics(found, ["feed"])
    return {
        "rows": rows,
        "expected": f"{total.expected:,}",
        "on_time": _rate(total.reporting_rate_on_time),
        "complete": _rate(total.reporting_rate),
        "links": {
            "list": viewer.link(f"{API}/obligations"),
            "metrics": viewer.link(f"{API}/obligations/metrics?by=department"),
            "reminders": viewer.link(f"{API}/obligations/reminders?kind=overdue&standing=true"),
        },
    }


def _row(viewer: Viewer, plan: Plan, code: str, missed: list[Standing]) -> dict[str, Any]:
    def counted(state: State) -> dict[str, Any]:
        query = urlencode({"state": state, "department": code})
        return {
            "count": sum(one.state is state for one in missed),
            "href": viewer.link(f"{API}/obligations?{query}"),
        }

    return {
        "name": viewer.text(report.department_named(plan, code)),
        "missing": counted(State.MISSING),
        "late": counted(State.LATE),
        "latest": _latest(viewer, plan, [one for one in missed if one.state is State.MISSING]),
    }


def _latest(viewer: Viewer, plan: Plan, missing: list[Standing]) -> str:
    """The newest of what is missing: feed, period, and the units that owe it."""
    if not missing:
        return DASH
    newest = missing[-1].owed
    same = [o.owed for o in missing if (o.owed.feed, o.owed.period) == (newest.feed, newest.period)]
    units = [viewer.text(plan.unit(owed.unit)) for owed in same if owed.unit]
    more = f" +{len(units) - _UNITS_NAMED}" if len(units) > _UNITS_NAMED else ""
    where = f" {', '.join(units[:_UNITS_NAMED])}{more}" if units else ""
    return f"{viewer.text(plan.feed(newest.feed))} {newest.period}{where}"


def _rate(rate: str | None) -> str:
    return DASH if rate is None else f"{rate}%"
