"""Applications recorded by officers: one person makes them, another decides."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from enrollment.register.answers.applications import (
    ApplicationDetail,
    ApplicationMade,
    ApplicationPage,
    Decision,
    Statistics,
    TakenPage,
)
from enrollment.register.intake import officers
from enrollment.register.store import officers as store
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import ReadTx, RuntimeDep
from shared.paging import PageDep
from shared.problems import problem
from shared.versions import SeenDep, require_other_person, set_etag

router = APIRouter(prefix="/enrollment/v1/register/applications", tags=["register"])

Officer = Annotated[Caller, allow("agency", "unit")]
Reader = Annotated[
    Caller, allow("agency", "labour", "unit", "leading-group", "auditor", "supervision")
]
_Unit = Annotated[str | None, Query(description="填报单位 · reporting unit")]


@router.post("", status_code=201, summary="录入申请 · an application; pending until checked")
async def propose_application(
    made: ApplicationMade, caller: Officer, runtime: RuntimeDep, response: Response
) -> ApplicationDetail:
    """Judged as a delivery's record would be; nothing is in the register before another person
    approves. ``conflict`` for a number that was used already."""
    feed = officers.BY_OFFICERS[made.feed]
    application_id = await officers.propose(runtime, feed, caller, made.record)
    async with runtime.database.read() as conn:
        row = await store.find_application(conn, application_id)
    response.headers["Location"] = f"{router.prefix}/{application_id}"
    return _detail(runtime, row, response)


@router.get("", summary="申请列表 · applications in the order they were made")
async def list_officer_applications(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: _Unit = None,
    state: Annotated[
        Literal["pending", "approved", "refused"] | None, Query(description="状态 · state")
    ] = None,
) -> ApplicationPage:
    after = page.after(str)
    rows = await store.list_applications(
        tx,
        units=units_asked(caller, unit),
        state=state,
        after=after[0] if after else None,
        limit=page.limit + 1,
    )
    return ApplicationPage.model_validate(
        page.of(rows, lambda row: (row["application_id"],), request, response)
    )


async def taken_asked(
    caller: Reader,
    runtime: RuntimeDep,
    unit: _Unit = None,
    from_on: Annotated[date | None, Query(description="申请日期自 · applied from")] = None,
    to_on: Annotated[date | None, Query(description="申请日期至 · applied to")] = None,
) -> store.Taken:
    """Dependency reading which applications, confined to the units the caller may see. The limit
    is the plan's parameter ``application-decision-limit``."""
    today = runtime.clock.today()
    limit = int(str(runtime.plan.parameter("application-decision-limit", today).value))
    return store.Taken(units_asked(caller, unit), from_on, to_on, today, limit)


TakenDep = Annotated[store.Taken, Depends(taken_asked)]


@router.get("/statistics", summary="办理天数 · days taken, per unit")
async def application_statistics(tx: ReadTx, asked: TakenDep) -> Statistics:
    """Of applications from feeds and of officers': a feed's is decided when it is recorded. Each
    count is the length of the list at ``…/statistics/applications`` with the same filters."""
    rows = await store.days_taken(tx, asked)
    return Statistics.model_validate({"limit_days": asked.limit_days, "units": rows})


@router.get("/statistics/applications", summary="办理天数明细 · the applications counted")
async def applications_counted(
    tx: ReadTx,
    asked: TakenDep,
    page: PageDep,
    request: Request,
    response: Response,
    decided: Annotated[bool | None, Query(description="已办结 · decided")] = None,
    late: Annotated[
        bool | None, Query(description="超期 · took, or waits, longer than the limit")
    ] = None,
) -> TakenPage:
    after = page.after(str, str)
    rows = await store.list_taken(
        tx, asked, decided=decided, late=late, after=after, limit=page.limit + 1
    )
    return TakenPage.model_validate(
        page.of(rows, lambda row: (row["source"], row["key"]), request, response)
    )


@router.get("/{application_id}", summary="申请详情(掩码) · an application, masked")
async def get_officer_application(
    application_id: str, caller: Officer, tx: ReadTx, runtime: RuntimeDep, response: Response
) -> ApplicationDetail:
    row = await store.find_application(tx, application_id)
    if row is not None:
        caller.require_unit(row["unit"])
    return _detail(runtime, row, response)


@router.post("/{application_id}/decision", summary="审核 · approve or refuse, by another person")
async def decide_application(
    application_id: str,
    said: Decision,
    caller: Officer,
    runtime: RuntimeDep,
    seen: SeenDep,
    response: Response,
) -> ApplicationDetail:
    """Problems: ``same-person`` for the maker, ``precondition-failed`` when it was changed since
    it was seen, ``refusal-forbidden`` (O82; the attempt is on record), ``conflict`` when it is
    decided already, or being decided by somebody else."""
    resource = officers.resource_of(application_id)
    async with officers.deciding(runtime, application_id):
        async with runtime.database.read() as conn:
            row = await store.find_application(conn, application_id)
        if row is None:
            raise problem("not-found")
        caller.require_unit(row["unit"])
        require_other_person(caller, row["maker"])
        if said.decision == "refuse":
            await officers.guard_refusal(runtime, caller, row, said.reason, said.note)
        seen.require(resource, row["version"])
        if row["state"] != officers.PENDING:
            raise problem(
                "conflict", reason=f"该申请已审结（{row['state']}）· it is decided already"
            )
        delivery_id = None
        if said.decision == "approve":
            # Accepted twice it is one delivery, should what follows fail.
            delivery_id = await officers.into_register(runtime, caller, row)
        async with runtime.database.transaction() as conn:
            await store.decide(
                conn,
                application_id,
                state=officers.APPROVED if said.decision == "approve" else officers.REFUSED,
                checker=caller.subject,
                decided_at=runtime.clock.now(),
                reason=said.reason,
                note=said.note,
                delivery_id=delivery_id,
            )
            row = await store.find_application(conn, application_id)
    return _detail(runtime, row, response)


def _detail(
    runtime: RuntimeDep, row: dict[str, Any] | None, response: Response
) -> ApplicationDetail:
    if row is None:
        raise problem("not-found")
    set_etag(response, officers.resource_of(row["application_id"]), row["version"])
    return ApplicationDetail.model_validate({**row, "record": officers.record_shown(runtime, row)})
