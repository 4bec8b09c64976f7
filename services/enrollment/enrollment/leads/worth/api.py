"""The HTTP door to what leads are worth."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from enrollment.leads.store import Wanted
from enrollment.leads.worth import rules, store
from enrollment.leads.worth.rules import Amounts
from enrollment.leads.worth.schemas import Effectiveness, Potential, PotentialRow, ReasonCount
from enrollment.leads.worth.store import Sum
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import ReadTx, RuntimeDep, SnapshotTx
from shared.periods import local_date

router = APIRouter(prefix="/enrollment/v1/leads", tags=["leads"])

Reader = Annotated[
    Caller,
    allow("agency", "unit", "leading-group", "auditor", "supervision", "labour-inspection"),
]
Unit = Annotated[str | None, Query(description="填报单位 · reporting unit")]
Kind = Literal["unenrolled-employer", "not-fully-enrolled", "unenrolled-person"]


@router.get("/effectiveness", summary="扩面资源甄别 · leads by effectiveness and reason")
async def get_effectiveness(
    caller: Reader,
    tx: SnapshotTx,
    runtime: RuntimeDep,
    unit: Unit = None,
    kind: Kind | None = None,
    status: Annotated[
        Literal["open", "advanced", "closed", "standing"] | None,
        Query(description="standing 未办结 · not closed"),
    ] = None,
    source: Annotated[str | None, Query(description="来源 · feed")] = None,
) -> Effectiveness:
    """Counts of the test's results and of its reasons, over the leads asked for."""
    wanted = Wanted(units=units_asked(caller, unit), kind=kind, status=status, source=source)
    counts = {row.key: row.leads for row in await store.sums(tx, wanted, "effect")}
    codes = await store.reasons(tx, wanted)
    found = []
    for code, leads in codes.items():
        known = runtime.plan.find_code(rules.REASONS_LIST, code)
        words = (code, code) if known is None else (known.zh, known.en)
        found.append(ReasonCount(code=code, zh=words[0], en=words[1], leads=leads))
    return Effectiveness(
        rule_version=rules.RULE_VERSION,
        effective=counts.get(rules.EFFECTIVE, 0),
        not_effective=counts.get(rules.NOT_EFFECTIVE, 0),
        unclear=counts.get(rules.UNCLEAR, 0),
        reasons=found,
    )


@router.get("/potential", summary="参保缴费潜力 · what standing leads would bring")
async def get_potential(
    caller: Reader,
    tx: ReadTx,
    runtime: RuntimeDep,
    by: Literal["unit", "kind", "effect", "household", "ownership", "trade"] = "unit",
    unit: Unit = None,
    kind: Kind | None = None,
    effective: Annotated[
        Literal["effective", "not-effective", "unclear"] | None,
        Query(description="甄别结果 · result of the effectiveness test"),
    ] = None,
    on: Annotated[
        date | None, Query(description="参数日期 · day whose parameters are used; today")
    ] = None,
) -> Potential:
    """Persons and pooled fen a year of the leads not closed, by group."""
    day = on or local_date(runtime.clock.now())
    amounts = rules.amounts(runtime.plan, day)
    wanted = Wanted(units=units_asked(caller, unit), kind=kind, status="standing", effect=effective)
    found = await store.sums(tx, wanted, by)
    return Potential(
        on=day,
        by=by,
        rule_version=rules.RULE_VERSION,
        base=amounts.base,
        employee_fen=amounts.employee,
        flexible_fen=amounts.flexible,
        missing=list(amounts.missing),
        rows=[_shown(row, amounts) for row in found],
        total=_shown(_total(found), amounts),
    )


def _total(rows: Iterable[Sum]) -> Sum:
    columns = [0, 0, 0, 0]
    for row in rows:
        columns = [one + other for one, other in zip(columns, row[1:], strict=True)]
    return Sum("total", *columns)


def _shown(row: Sum, amounts: Amounts) -> PotentialRow:
    return PotentialRow(
        key=row.key,
        leads=row.leads,
        leads_unknown=row.unknown,
        persons=row.employees + row.flexible,
        pooled_fen=rules.pooled_fen(row.employees, row.flexible, amounts),
    )
