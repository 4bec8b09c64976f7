"""``GET /plan`` and ``GET /units``: the targets with source and status, never without them."""

from __future__ import annotations

from fastapi import APIRouter

from reporting.figures.rules import HEADLINE, MEASURES
from reporting.figures.views import API, measure_definition
from reporting.progress.report import cascade_of, target_shown
from reporting.targets import schemas
from shared.auth import CallerDep
from shared.dependencies import RuntimeDep
from shared.plan import Plan, Unit

router = APIRouter(prefix=API, tags=["plan"])


@router.get("/plan", summary="方案与任务 · the plan and its targets")
async def read_plan(_: CallerDep, runtime: RuntimeDep) -> schemas.PlanShown:
    """方案:单位、任务及其来源与状态、分解核对 · units, targets, the cascade's sum check."""
    plan = runtime.plan
    identity = plan.identity
    return schemas.PlanShown(
        version=plan.version,
        zh=identity.name.zh,
        en=identity.name.en,
        document_number=identity.document_number.value,
        issued_on=plan.issued_on,
        campaign_from=plan.campaign_from,
        campaign_to=plan.campaign_to,
        opening_on=plan.opening_on,
        cutoff_days=list(plan.calendar.dekad_cutoff_days.value),
        units=_units(plan),
        measures=[_measure(plan, name) for name in HEADLINE],
    )


@router.get("/units", summary="填报单位 · reporting units")
async def list_units(_: CallerDep, runtime: RuntimeDep) -> list[schemas.UnitShown]:
    """填报单位,按报表次序,全市在末 · reporting units in the form's order, the city last."""
    return _units(runtime.plan)


def _units(plan: Plan) -> list[schemas.UnitShown]:
    return [_unit(unit) for unit in (*plan.units, plan.city)]


def _unit(unit: Unit) -> schemas.UnitShown:
    return schemas.UnitShown(
        code=unit.code,
        zh=unit.zh,
        en=unit.en,
        kind=unit.kind,
        within=unit.within,
        source=unit.source,
        status=unit.status,
    )


def _measure(plan: Plan, name: str) -> schemas.MeasureTargets:
    found = [
        schemas.UnitTarget(unit=unit.code, target=shown)
        for unit in (*plan.units, plan.city)
        if (shown := target_shown(plan.find_target(name, unit.code))) is not None
    ]
    return schemas.MeasureTargets(
        name=name,
        quantity=MEASURES[name].quantity,
        measure=measure_definition(MEASURES[name], plan),
        targets=found,
        cascade=cascade_of(plan, name),
    )
