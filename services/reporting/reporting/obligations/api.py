"""``/obligations``: what is owed and how it stands, at any moment up to now; reporting rates; the
office's reasons and excuses; reminders and chases."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AwareDatetime

from reporting.figures.views import API
from reporting.obligations import marking, report, schemas, store
from reporting.obligations.report import Wanted
from reporting.obligations.rules import State
from shared.auth import Caller, CallerDep, allow
from shared.dependencies import ReadTx, RuntimeDep, SnapshotTx, Tx
from shared.paging import PageDep
from shared.plan import Plan
from shared.problems import field_error, problem
from shared.runtime import Runtime

router = APIRouter(prefix=API, tags=["obligations"])

Office = Annotated[Caller, allow("leading-group")]
Id = Annotated[str, Path(max_length=120, examples=["dekad-reports.210502.2008-06-D1"])]
AsOf = Annotated[
    AwareDatetime | None,
    Query(description="时点,不晚于现在;缺省为现在 · a moment not later than now, the default"),
]
FeedAsked = Annotated[str | None, Query(max_length=60, description="报送项目 · feed")]
DepartmentAsked = Annotated[
    str | None, Query(max_length=60, description="部门,见方案 · department of the plan")
]
UnitAsked = Annotated[str | None, Query(max_length=20, description="填报单位 · unit")]
PeriodAsked = Annotated[
    str | None, Query(max_length=20, description="期间 · period, 2008-06-D1 or 2008-06")
]


async def wanted_of(
    feed: FeedAsked = None,
    department: DepartmentAsked = None,
    unit: UnitAsked = None,
    period: PeriodAsked = None,
    from_on: Annotated[
        date | None, Query(description="期间截止日起(含) · cut off on or after")
    ] = None,
    to_on: Annotated[
        date | None, Query(description="期间截止日止(含) · cut off on or before")
    ] = None,
) -> Wanted:
    """The filters asked for; a code that does not exist matches nothing."""
    return Wanted(feed, department, unit, period, from_on, to_on)


WantedDep = Annotated[Wanted, Depends(wanted_of)]


@router.get("/obligations", summary="报送义务台账 · what is owed and how it stands")
async def list_obligations(
    _: CallerDep,
    runtime: RuntimeDep,
    tx: SnapshotTx,
    page: PageDep,
    wanted: WantedDep,
    request: Request,
    response: Response,
    state: Annotated[list[State] | None, Query(description="状态,可多次 · repeatable")] = None,
    as_of: AsOf = None,
) -> schemas.ObligationPage:
    """每项报送、每个应报单位(部门)、每期一行,按到期时间 · one row for each feed, unit or
    department and period, by due moment. All pages are of the moment of the first."""
    after = page.after(str, str, str, str)
    moment = moment_asked(_moment(after[0]) if after else as_of, runtime)
    found = await report.stood(tx, runtime.plan, moment, wanted)
    states = set(state or State)
    listed = [one for one in found.standings if one.state in states]
    place = (_moment(after[1]), after[2], after[3]) if after else None
    rest = [one for one in listed if place is None or one.owed.order > place]
    items, cursor = page.cut(
        rest[: page.limit + 1],
        lambda one: (
            moment.isoformat(),
            one.owed.due_at.isoformat(),
            one.owed.feed,
            one.owed.ower,
        ),
    )
    return schemas.ObligationPage(
        as_of=moment,
        clock=runtime.clock.kind,
        counts=found.counts(),
        total=len(listed),
        items=[report.shown(runtime.plan, one, found.marks) for one in items],
        next=page.link(cursor, request, response),
    )


@router.get("/obligations/metrics", summary="报送率 · reporting rates")
async def read_metrics(
    _: CallerDep,
    runtime: RuntimeDep,
    tx: SnapshotTx,
    wanted: WantedDep,
    by: Annotated[
        list[Literal["feed", "department", "unit", "period"]] | None,
        Query(description="分组,可多次;缺省按报送项目 · groups, repeatable; default: by feed"),
    ] = None,
    as_of: AsOf = None,
) -> schemas.MetricsAnswer:
    """应报、实报、按期实报、报送率、按期率(DHIS2 五项) · expected, actual, actual on time,
    reporting rate (completeness), reporting rate on time."""
    moment = moment_asked(as_of, runtime)
    names = list(dict.fromkeys(by or ["feed"]))
    total, groups = report.metrics(await report.stood(tx, runtime.plan, moment, wanted), names)
    return schemas.MetricsAnswer(
        as_of=moment, clock=runtime.clock.kind, by=list(names), total=total, groups=groups
    )


@router.get("/obligations/reasons", summary="逾期原因代码 · the closed list of late reasons")
async def list_reasons(_: CallerDep, runtime: RuntimeDep) -> list[schemas.LateReasonShown]:
    """逾期原因代码,出自方案文件 · reasons for lateness, from the plan file."""
    return [
        schemas.LateReasonShown(
            code=one.code,
            zh=one.zh,
            en=one.en,
            excuses=one.excuses,
            text_needed=one.text_needed,
            source=one.source,
            status=one.status,
        )
        for one in runtime.plan.late_reasons
    ]


@router.get("/obligations/reminders", summary="提醒与催报 · reminders and chases")
async def list_reminders(
    _: CallerDep,
    runtime: RuntimeDep,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    kind: Literal["reminder", "overdue"] | None = None,
    feed: FeedAsked = None,
    department: DepartmentAsked = None,
    unit: UnitAsked = None,
    period: PeriodAsked = None,
    standing: Annotated[bool | None, Query(description="未撤销 · true: not taken back")] = None,
) -> schemas.NoticePage:
    """到期前的提醒与逾期后的催报,按发出时间 · in the order they were given."""
    asked = store.NoticesAsked(kind, feed, department, unit, period, standing)
    after = page.after(str, str, str)
    place = (_moment(after[0]), after[1], after[2]) if after else None
    rows = await store.list_notices(tx, asked, place, page.limit + 1)
    counts = await store.count_notices(tx, asked)
    items, cursor = page.cut(rows, lambda row: (row.told_at.isoformat(), row.obligation, row.kind))
    return schemas.NoticePage(
        counts=counts,
        total=sum(counts.values()),
        items=[_notice(runtime.plan, row) for row in items],
        next=page.link(cursor, request, response),
    )


@router.get("/obligations/{obligation}", summary="一项报送义务 · one obligation")
async def read_obligation(
    obligation: Id, _: CallerDep, runtime: RuntimeDep, tx: SnapshotTx, as_of: AsOf = None
) -> schemas.ObligationShown:
    """现状与全部原因、免报记录 · how it stands, and all that was ever said of it."""
    return await _one(tx, runtime, obligation, moment_asked(as_of, runtime))


@router.put("/obligations/{obligation}/reason", summary="登记逾期原因 · why it was late")
async def put_reason(
    obligation: Id, given: schemas.MarkGiven, caller: Office, runtime: RuntimeDep, tx: Tx
) -> schemas.ObligationShown:
    """领导小组办公室登记逾期原因 · the leading group's office says why it was late."""
    await marking.mark(tx, runtime, obligation, marking.REASON, given, caller.subject)
    return await _one(tx, runtime, obligation, runtime.clock.now())


@router.delete("/obligations/{obligation}/reason", summary="撤销逾期原因 · undo the reason")
async def delete_reason(
    obligation: Id, caller: Office, runtime: RuntimeDep, tx: Tx
) -> schemas.ObligationShown:
    """记录仍保留 · what was said stays in the history."""
    await marking.undo(tx, runtime, obligation, marking.REASON, caller.subject)
    return await _one(tx, runtime, obligation, runtime.clock.now())


@router.put("/obligations/{obligation}/excuse", summary="准予免报 · excuse it")
async def put_excuse(
    obligation: Id, given: schemas.MarkGiven, caller: Office, runtime: RuntimeDep, tx: Tx
) -> schemas.ObligationShown:
    """免报的不计入应报 · an excused delivery is not counted as expected."""
    await marking.mark(tx, runtime, obligation, marking.EXCUSE, given, caller.subject)
    return await _one(tx, runtime, obligation, runtime.clock.now())


@router.delete("/obligations/{obligation}/excuse", summary="撤销免报 · undo the excuse")
async def delete_excuse(
    obligation: Id, caller: Office, runtime: RuntimeDep, tx: Tx
) -> schemas.ObligationShown:
    """记录仍保留 · what was said stays in the history."""
    await marking.undo(tx, runtime, obligation, marking.EXCUSE, caller.subject)
    return await _one(tx, runtime, obligation, runtime.clock.now())


def moment_asked(as_of: datetime | None, runtime: Runtime) -> datetime:
    """The moment asked about, by default now; problem ``parameter-invalid`` for a later one."""
    now = runtime.clock.now()
    if as_of is not None and as_of > now:
        error = field_error("value-out-of-range", "query/as_of", {"maximum": now.isoformat()})
        raise problem("parameter-invalid", errors=[error], count=1)
    return as_of or now


async def _one(
    tx: Any, runtime: Runtime, obligation: str, moment: datetime
) -> schemas.ObligationShown:
    owed = report.find_owed(runtime.plan, moment, obligation)
    if owed is None:
        raise problem("not-found")
    wanted = Wanted(feed=owed.feed, period=owed.period, unit=owed.unit)
    found = await report.stood(tx, runtime.plan, moment, wanted)
    one = next(one for one in found.standings if one.owed.id == obligation)
    return schemas.ObligationShown(
        obligation=report.shown(runtime.plan, one, found.marks),
        history=[
            report.past_mark_shown(runtime.plan, mark)
            for mark in await store.history(tx, obligation)
        ],
    )


def _notice(plan: Plan, row: Any) -> schemas.NoticeShown:
    level = None
    if row.level is not None and plan.chasing is not None:
        rows = plan.chasing.levels.rows
        step = rows[min(row.level, len(rows)) - 1]
        level = schemas.Named(code=step.code, zh=step.zh, en=step.en)
    return schemas.NoticeShown(
        obligation=row.obligation,
        kind=row.kind,
        feed=row.feed,
        department=report.department_named(plan, row.department),
        unit=report.unit_named(plan, row.unit),
        period=row.period,
        due_at=row.due_at,
        level=row.level,
        to=level,
        standing=row.standing,
        told_at=row.told_at,
        changed_at=row.changed_at,
    )


def _moment(text: str) -> datetime:
    """A moment of a cursor; problem ``cursor-invalid`` where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise problem("cursor-invalid") from None
    if moment.tzinfo is None:
        raise problem("cursor-invalid")
    return moment
