"""What was submitted, read back: dekad forms, monthly reports and their problems, activities."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from reporting.figures.views import API
from reporting.submissions import answers, models, store, views
from reporting.submissions.schemas import ActivityKind
from shared.auth import Caller, CallerDep
from shared.dependencies import ReadTx, RuntimeDep, SnapshotTx
from shared.paging import PageDep
from shared.problems import problem

router = APIRouter(prefix=API, tags=["submissions"])

TEXT_READERS: Final = ("leading-group", "supervision", "auditor")
"""May read every monthly report; a unit reads its own, a department its own."""

UnitAsked = Annotated[str | None, Query(max_length=20, description="填报单位 · unit")]
DepartmentAsked = Annotated[str | None, Query(max_length=60, description="部门 · department")]
DekadAsked = Annotated[str | None, Query(max_length=20, description="旬 · dekad, 2008-06-D1")]
MonthAsked = Annotated[str | None, Query(max_length=20, description="月份 · month, 2008-05")]


@router.get("/dekad-reports", summary="旬报 · dekad forms")
async def list_dekad_reports(
    _: CallerDep,
    runtime: RuntimeDep,
    tx: SnapshotTx,
    page: PageDep,
    request: Request,
    response: Response,
    period: DekadAsked = None,
    unit: UnitAsked = None,
    department: DepartmentAsked = None,
) -> answers.DekadFormPage:
    """填报数与计算数分列,不符之处注明 · figures as stated, apart from those computed, with what
    does not agree; by dekad, then by sender."""
    asked = store.Asked({"period": period, "unit": unit, "department": department})
    rows = await store.list_states(
        tx, models.dekad_reports, asked, page.after(str, str), page.limit + 1
    )
    items, cursor = page.cut(rows, lambda row: (row["period"], row["natural_key"]))
    before = await store.forms_of(tx, {views.key_before(row) for row in items})
    return answers.DekadFormPage(
        items=[views.form(row, before.get(views.key_before(row)), runtime.plan) for row in items],
        next=page.link(cursor, request, response),
    )


@router.get("/monthly-reports", summary="月度书面报告 · monthly written reports")
async def list_monthly_reports(
    caller: CallerDep,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    period: MonthAsked = None,
    unit: UnitAsked = None,
    department: DepartmentAsked = None,
) -> answers.MonthlyTextPage:
    """总体进展、存在问题、解决建议 · the three parts; a unit or department sees its own."""
    asked = _readable(caller, {"period": period, "unit": unit, "department": department})
    rows = await store.list_states(
        tx, models.monthly_reports, asked, page.after(str, str), page.limit + 1
    )
    items, cursor = page.cut(rows, lambda row: (row["period"], row["natural_key"]))
    return answers.MonthlyTextPage(
        items=[views.monthly(row) for row in items], next=page.link(cursor, request, response)
    )


@router.get("/monthly-reports/problems", summary="存在问题清单 · problems, one by one")
async def list_monthly_problems(
    caller: CallerDep,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    period: MonthAsked = None,
    unit: UnitAsked = None,
    department: DepartmentAsked = None,
) -> answers.ProblemPage:
    """月报所列问题,每条一项 · each problem of the reports the caller may read, an item."""
    asked = _readable(caller, {"period": period, "unit": unit, "department": department})
    rows = await store.list_problems(tx, asked, page.after(str, str, int), page.limit + 1)
    items, cursor = page.cut(rows, lambda row: (row.period, row.natural_key, row.no))
    return answers.ProblemPage(
        items=[
            answers.ProblemItem(
                department=row.department,
                unit=row.unit,
                period=row.period,
                no=row.no,
                text=row.item,
            )
            for row in items
        ],
        next=page.link(cursor, request, response),
    )


@router.get("/activities", summary="宣传与督促活动 · publicity and urging")
async def list_activities(
    _: CallerDep,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    kind: ActivityKind | None = None,
    duty: Annotated[str | None, Query(max_length=4, description="职责 · duty, O93")] = None,
    unit: UnitAsked = None,
    department: DepartmentAsked = None,
    held_from: Annotated[date | None, Query(description="活动日期起(含) · on or after")] = None,
    held_to: Annotated[date | None, Query(description="活动日期止(含) · on or before")] = None,
) -> answers.ActivityPage:
    """按活动日期,已取消的也在内 · by date, cancelled ones among them."""
    equal = {"kind": kind, "duty": duty, "unit": unit, "department": department}
    asked = store.Asked(equal, since=held_from, until=held_to)
    after = page.after(str, str)
    place = (_day(after[0]), after[1]) if after else None
    rows = await store.list_states(tx, models.activities, asked, place, page.limit + 1)
    items, cursor = page.cut(rows, lambda row: (row["held_on"].isoformat(), row["natural_key"]))
    return answers.ActivityPage(
        items=[views.activity(row) for row in items], next=page.link(cursor, request, response)
    )


def _readable(caller: Caller, equal: dict[str, Any]) -> store.Asked:
    """The filters within what the caller may read."""
    if caller.is_any(*TEXT_READERS):
        return store.Asked(equal, units=caller.units)
    if caller.department == "unit":
        if equal["unit"] is not None:
            caller.require_unit(equal["unit"])
        return store.Asked(equal, units=caller.units)
    return store.Asked(equal, department=caller.department)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise problem("cursor-invalid") from None
