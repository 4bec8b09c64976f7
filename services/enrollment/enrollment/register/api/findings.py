"""What the register shows to be looked into: employed and not enrolled, transfers, refusals."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from enrollment.policy.rules.ages import DatedLimits, dated_limits
from enrollment.policy.rules.reading import EARLIEST, LATEST
from enrollment.register.answers.applications import (
    AttemptPage,
    DoubtCount,
    DoubtPage,
    GapCount,
    GapPage,
    TransferPage,
)
from enrollment.register.store import doubts, officers
from enrollment.register.store import findings as store
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import ReadTx, RuntimeDep
from shared.paging import PageDep
from shared.runtime import Runtime

router = APIRouter(prefix="/enrollment/v1/register", tags=["register"])

Reader = Annotated[
    Caller,
    allow(
        "agency", "labour", "unit", "leading-group", "auditor", "supervision", "labour-inspection"
    ),
]
Finding = Literal["too-old", "too-young", "post-unknown", "employer-ended"]
_Unit = Annotated[str | None, Query(description="填报单位 · reporting unit")]
_AsOf = Annotated[date | None, Query(description="截至日 · as of; today if left out")]


@router.get("/employed-not-enrolled", summary="已用工未参保 · employed and not enrolled")
async def employed_not_enrolled(
    caller: Reader,
    tx: ReadTx,
    runtime: RuntimeDep,
    page: PageDep,
    request: Request,
    response: Response,
    unit: _Unit = None,
    as_of: _AsOf = None,
    open: Annotated[
        bool | None, Query(description="未补上 · true: not enrolled yet; false: enrolled late")
    ] = None,
) -> GapPage:
    """Days run from the first day of the employment, or from the day the census met the person at
    work, to the enrolment; those still open to ``as_of`` (O4)."""
    after = page.after(str, str)
    rows = await store.list_gaps(
        tx,
        units=units_asked(caller, unit),
        as_of=as_of or runtime.clock.today(),
        open_only=open,
        after=(after[0], after[1]) if after else None,
        limit=page.limit + 1,
    )
    return GapPage.model_validate(
        page.of(rows, lambda row: (row["source"], row["key"]), request, response)
    )


@router.get("/employed-not-enrolled/counts", summary="已用工未参保人数 · the same, counted by unit")
async def count_employed_not_enrolled(
    caller: Reader, tx: ReadTx, runtime: RuntimeDep, unit: _Unit = None, as_of: _AsOf = None
) -> list[GapCount]:
    """Each count is the length of the list with the same unit and ``open``."""
    rows = await store.count_gaps(
        tx, units=units_asked(caller, unit), as_of=as_of or runtime.clock.today()
    )
    return [GapCount.model_validate(row) for row in rows]


@router.get("/enrolment-findings", summary="参保存疑 · enrolments with something against them")
async def list_enrolment_findings(
    caller: Reader,
    tx: ReadTx,
    runtime: RuntimeDep,
    page: PageDep,
    request: Request,
    response: Response,
    unit: _Unit = None,
    finding: Annotated[Finding | None, Query(description="问题 · finding")] = None,
) -> DoubtPage:
    """Enrolments over or under age on the day they took effect, by the plan's limits of that day
    and the person's class and post as they are now; and at an employer that had left the register.
    Age is never a ground to refuse (O82): each was taken in, and is to be looked into."""
    after = page.after(str, str)
    rows = await doubts.list_doubts(
        tx,
        _limits(runtime),
        units=units_asked(caller, unit),
        finding=finding,
        after=(after[0], after[1]) if after else None,
        limit=page.limit + 1,
    )
    return DoubtPage.model_validate(
        page.of(rows, lambda row: (row["application_no"], row["finding"]), request, response)
    )


@router.get("/enrolment-findings/counts", summary="参保存疑件数 · the same, counted by unit")
async def count_enrolment_findings(
    caller: Reader, tx: ReadTx, runtime: RuntimeDep, unit: _Unit = None
) -> list[DoubtCount]:
    """Each count is the length of the list with the same unit and finding."""
    rows = await doubts.count_doubts(tx, _limits(runtime), units=units_asked(caller, unit))
    return [DoubtCount.model_validate(row) for row in rows]


def _limits(runtime: Runtime) -> list[DatedLimits]:
    return dated_limits(runtime.plan, EARLIEST, LATEST)


@router.get("/transfers", summary="关系转移 · persons transferred from and to other cities")
async def list_person_transfers(
    caller: Annotated[Caller, allow("agency", "unit", "auditor", "labour", "leading-group")],
    tx: ReadTx,
    runtime: RuntimeDep,
    page: PageDep,
    request: Request,
    response: Response,
    unit: _Unit = None,
    within_province: Annotated[bool | None, Query(description="省内 · within the province")] = None,
) -> TransferPage:
    """Within the province the relation is continued (O81). Between provinces there is no common
    procedure before the day the plan says; until then each is a case of its own."""
    after = page.after(str)
    rows = await store.list_transfers(
        tx,
        units=units_asked(caller, unit),
        province=runtime.plan.city.code[:2],
        within_province=within_province,
        after=after[0] if after else None,
        limit=page.limit + 1,
    )

    def with_case(row: dict[str, Any]) -> dict[str, Any]:
        if row["within_province"]:
            return {**row, "case": "continued"}
        common = runtime.plan.parameter("transfer-between-provinces", row["effective_on"]).value
        return {**row, "case": "common-procedure" if common else "single-procedure"}

    return TransferPage.model_validate(
        page.of(rows, lambda row: (row["application_no"],), request, response, with_case)
    )


@router.get("/refusal-attempts", summary="违规拒收记录 · refusals on forbidden grounds")
async def list_refusal_attempts(
    caller: Annotated[Caller, allow("leading-group", "supervision", "auditor", "labour")],
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: _Unit = None,
) -> AttemptPage:
    """None of them took effect (O82); oldest first."""
    after = page.after(int)
    rows = await officers.list_attempts(
        tx,
        units=units_asked(caller, unit),
        after=after[0] if after else None,
        limit=page.limit + 1,
    )
    return AttemptPage.model_validate(page.of(rows, lambda row: (row["id"],), request, response))
