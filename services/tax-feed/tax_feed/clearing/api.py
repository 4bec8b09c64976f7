"""What may be read of clearing plans: planned against cleared, and who is in default (O41)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from shared.dependencies import RuntimeDep, SnapshotTx
from shared.periods import local_date
from shared.problems import problem
from tax_feed.clearing import rules, store, views
from tax_feed.clearing.schemas import ClearingPlanDetails, ClearingPlanPage
from tax_feed.listing import PREFIX, AskedDep, Reader

router = APIRouter(prefix=PREFIX, tags=["clearing"])

AsOf = Annotated[
    date | None,
    Query(description="截至日(含)，缺省为今日 · end of which day, else today"),
]


@router.get(
    "/clearing-plans",
    response_model=ClearingPlanPage,
    summary="清欠计划执行情况 · clearing plans against what was cleared",
)
async def list_clearing_plans(
    asked: AskedDep,
    runtime: RuntimeDep,
    as_of: AsOf = None,
    in_default: Annotated[
        bool | None, Query(description="true 仅违约 · true: only those behind their plan")
    ] = None,
) -> dict[str, Any]:
    """In order of plan number. Cleared is what receipts of the employer say clears arrears, since
    the plan was agreed and until its next plan; a plan is in default when less than was due."""
    on = as_of or local_date(runtime.clock.now())
    wanted = store.WantedPlans(
        on,
        employer_key=asked.employer_key,
        unit=asked.unit,
        units=asked.caller.units,
        in_default=in_default,
    )
    after = asked.page.after(str)
    rows = await store.list_plans(
        asked.tx, wanted, after[0] if after else None, asked.page.limit + 1
    )
    return asked.page.of(
        rows,
        lambda row: (row["plan_no"],),
        asked.request,
        asked.response,
        lambda row: views.plan_view(row, on),
    )


@router.get(
    "/clearing-plans/{plan_no}",
    response_model=ClearingPlanDetails,
    summary="一份清欠计划及其分期 · one clearing plan with its instalments",
)
async def get_clearing_plan(
    plan_no: Annotated[str, Path(max_length=40, description="清欠计划号 · number of the plan")],
    caller: Reader,
    tx: SnapshotTx,
    runtime: RuntimeDep,
    as_of: AsOf = None,
) -> dict[str, Any]:
    """Each instalment: kept, late, missed or open. 404 also for a plan of another unit."""
    on = as_of or local_date(runtime.clock.now())
    wanted = store.WantedPlans(on, plan_no=plan_no, units=caller.units)
    rows = await store.list_plans(tx, wanted, None, 1)
    if not rows:
        raise problem("not-found")
    planned = await store.instalments_of(tx, plan_no)
    cleared = await store.cleared_under(tx, rows[0])
    found = rules.standings(planned, cleared, on)
    return {**views.plan_view(rows[0], on), "instalments": views.instalments_view(found)}
