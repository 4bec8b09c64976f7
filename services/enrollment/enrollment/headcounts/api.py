"""The HTTP door to headcounts: side by side per employer and month, and summed (F22, O45)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from enrollment.headcounts import store
from enrollment.headcounts.schemas import (
    Cause,
    EmployerHeadcounts,
    HeadcountPage,
    HeadcountSums,
)
from enrollment.leads.projections import gap_threshold
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import ReadTx, RuntimeDep
from shared.paging import PageDep
from shared.periods import Month
from shared.problems import problem

router = APIRouter(prefix="/enrollment/v1", tags=["headcounts"])

Reader = Annotated[
    Caller,
    allow("agency", "unit", "tax", "leading-group", "auditor", "supervision", "labour-inspection"),
]
_MONTH = r"^(19|2[0-9])[0-9]{2}-(0[1-9]|1[0-2])$"
UnitAsked = Annotated[str | None, Query(description="填报单位 · reporting unit")]


@router.get("/headcounts", summary="三方人数 · taxable, contributing, found by the census")
async def list_headcounts(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    month: Annotated[str, Query(pattern=_MONTH, description="月份 YYYY-MM · month")],
    unit: UnitAsked = None,
    gap_at_least: Annotated[
        int | None, Query(ge=0, le=10**9, description="缺口不少于 · gap of at least")
    ] = None,
    cause: Annotated[Cause | None, Query(description="缺口来源 · what makes the gap")] = None,
) -> HeadcountPage:
    """Employers of a month, by id. Sums that agree with it: `/headcounts/summary`."""
    after = page.after(str)
    rows = await store.list_headcounts(
        tx,
        month=month,
        units=units_asked(caller, unit),
        gap_at_least=gap_at_least,
        cause=cause,
        after=after[0] if after else None,
        limit=page.limit + 1,
    )
    shown = page.of(rows, lambda row: (row["employer_id"],), request, response)
    return HeadcountPage.model_validate(shown)


@router.get("/headcounts/summary", summary="三方人数汇总 · summed by month and unit")
async def sum_headcounts(
    caller: Reader,
    tx: ReadTx,
    runtime: RuntimeDep,
    month: Annotated[
        str | None, Query(pattern=_MONTH, description="月份，默认全部 · month, default all")
    ] = None,
    unit: UnitAsked = None,
) -> HeadcountSums:
    """Each count is the length of the list of `/headcounts` with the same month and unit:
    `with_gap` with `gap_at_least` of the threshold, the causes with `cause`."""
    on = runtime.clock.today() if month is None else Month.parse(month).last_on
    threshold = gap_threshold(runtime.plan)(on)
    rows = await store.sum_headcounts(
        tx, month=month, units=units_asked(caller, unit), threshold=threshold
    )
    return HeadcountSums.model_validate({"threshold": threshold, "items": rows})


@router.get(
    "/employers/{employer_id}/headcounts", summary="单位逐月三方人数 · an employer's months"
)
async def get_headcounts(employer_id: str, caller: Reader, tx: ReadTx) -> EmployerHeadcounts:
    unit = await store.unit_of(tx, employer_id)
    if unit is None:
        raise problem("not-found")
    caller.require_unit(unit)
    months = await store.months_of(tx, employer_id)
    return EmployerHeadcounts.model_validate({"employer_id": employer_id, "months": months})
