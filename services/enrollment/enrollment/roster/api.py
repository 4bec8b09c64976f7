"""The HTTP door to roster and budget: officers edit what they have seen (ETag, If-Match)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response, status

from enrollment.roster import store
from enrollment.roster.schemas import (
    BodyEdited,
    BodyShown,
    BudgetEdited,
    BudgetShown,
    ChangePage,
    EnumeratorEdited,
    EnumeratorPage,
    EnumeratorShown,
    Roster,
    StrangePage,
)
from enrollment.roster.store import BODIES, BUDGETS, ENUMERATORS, Kind
from enrollment.scope import units_asked
from shared.auth import DEPARTMENTS, Caller, allow
from shared.dependencies import ReadTx, RuntimeDep, SnapshotTx, Tx
from shared.paging import PageDep
from shared.problems import field_error, problem
from shared.runtime import Runtime
from shared.versions import SeenDep, etag_of, set_etag

router = APIRouter(prefix="/enrollment/v1/census/roster", tags=["census"])

Reader = Annotated[
    Caller, allow("agency", "unit", "leading-group", "auditor", "supervision", "labour", "finance")
]
Mustering = Annotated[Caller, allow("agency", "unit", "labour")]
Convening = Annotated[Caller, allow("leading-group", "labour")]
Paying = Annotated[Caller, allow("finance")]
Unit = Annotated[str, Path(max_length=20, description="填报单位 · reporting unit")]
Code = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z-]?[0-9A-Za-z-]{0,19}$",
        min_length=1,
        description="普查员编号 · code, as visits name it",
    ),
]
UnitAsked = Annotated[str | None, Query(description="填报单位 · reporting unit")]
Finding = Literal["not-in-roster", "outside-dates", "other-street"]


@router.get("", summary="普查组织与经费 · roster, budget and findings, by unit")
async def get_census_roster(
    caller: Reader, tx: SnapshotTx, runtime: RuntimeDep, unit: UnitAsked = None
) -> Roster:
    """Each count is the length of its list; units without any of it are left out."""
    units = units_asked(caller, unit)
    counted = await store.count_by_unit(tx, units)
    budgets = {row["unit"]: row for row in await store.list_budgets(tx, units)}
    nothing = {"enumerators": 0, "visits": 0}
    nothing |= dict.fromkeys(("not_in_roster", "outside_dates", "other_street"), 0)
    unpaid = {"budget_fen": None, "spent_fen": None}
    rows = [
        {**unpaid, **budgets.get(code, {}), **counted.get(code, nothing), "unit": code}
        for code in (one.code for one in runtime.plan.units)
        if code in counted or code in budgets
    ]
    bodies = [_shown(BODIES, row) for row in await store.list_bodies(tx)]
    return Roster.model_validate({"units": rows, "bodies": bodies})


@router.get("/enumerators", summary="普查员名册 · enumerators")
async def list_enumerators(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: UnitAsked = None,
) -> EnumeratorPage:
    """By unit and code; each item carries the ETag an edit has to name."""
    after = page.after(str, str)
    rows = await store.list_enumerators(
        tx, units_asked(caller, unit), (after[0], after[1]) if after else None, page.limit + 1
    )
    shown = page.of(
        rows,
        lambda row: (row["unit"], row["code"]),
        request,
        response,
        lambda row: _shown(ENUMERATORS, row),
    )
    return EnumeratorPage.model_validate(shown)


@router.get("/budgets", summary="普查经费 · budgets and what was spent")
async def list_census_budgets(
    caller: Reader, tx: ReadTx, unit: UnitAsked = None
) -> list[BudgetShown]:
    """By unit; each item carries the ETag an edit has to name."""
    rows = await store.list_budgets(tx, units_asked(caller, unit))
    return [BudgetShown.model_validate(_shown(BUDGETS, row)) for row in rows]


@router.get("/changes", summary="变更记录 · every edit, the latest first")
async def list_roster_changes(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: UnitAsked = None,
) -> ChangePage:
    """Who wrote which row when."""
    after = page.after(int)
    rows = await store.list_changes(
        tx, units_asked(caller, unit), after[0] if after else None, page.limit + 1
    )
    shown = page.of(rows, lambda row: (row["id"],), request, response)
    return ChangePage.model_validate(shown)


@router.get("/findings", summary="名册外走访 · visits by who should not have made them")
async def list_strange_visits(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: UnitAsked = None,
    finding: Annotated[Finding | None, Query(description="问题 · finding")] = None,
) -> StrangePage:
    """The last visit of each entry, held against the roster of its unit."""
    after = page.after(str)
    rows = await store.list_strange_visits(
        tx, units_asked(caller, unit), finding, after[0] if after else None, page.limit + 1
    )
    shown = page.of(rows, lambda row: (row["entry"],), request, response)
    return StrangePage.model_validate(shown)


@router.post(
    "/enumerators/{unit}/{code}",
    status_code=status.HTTP_201_CREATED,
    summary="登记普查员 · enter an enumerator",
)
async def add_enumerator(
    unit: Unit,
    code: Code,
    new: EnumeratorEdited,
    caller: Mustering,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> EnumeratorShown:
    """409 where the code is taken in the unit."""
    _require_unit(caller, runtime, unit)
    key = {"unit": unit, "code": code}
    row = await _add(tx, runtime, caller, response, ENUMERATORS, key, new.model_dump())
    return EnumeratorShown.model_validate(row)


@router.put("/enumerators/{unit}/{code}", summary="修改普查员 · edit an enumerator")
async def edit_enumerator(
    unit: Unit,
    code: Code,
    new: EnumeratorEdited,
    caller: Mustering,
    seen: SeenDep,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> EnumeratorShown:
    """Whoever leaves gets a last day; nobody is deleted: visits name them."""
    _require_unit(caller, runtime, unit)
    key = {"unit": unit, "code": code}
    row = await _edit(tx, runtime, caller, response, ENUMERATORS, key, new.model_dump(), seen)
    return EnumeratorShown.model_validate(row)


@router.post(
    "/bodies/{department}",
    status_code=status.HTTP_201_CREATED,
    summary="登记成员单位 · enter a member of the census leading group",
)
async def add_body(
    department: str,
    new: BodyEdited,
    caller: Convening,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> BodyShown:
    """Labour leads, finance pays, with statistics, tax, construction, industry and commerce,
    public security (O68)."""
    _require_department(department)
    key = {"department": department}
    row = await _add(tx, runtime, caller, response, BODIES, key, new.model_dump())
    return BodyShown.model_validate(row)


@router.put("/bodies/{department}", summary="修改成员单位 · edit a member body")
async def edit_body(
    department: str,
    new: BodyEdited,
    caller: Convening,
    seen: SeenDep,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> BodyShown:
    """As seen."""
    _require_department(department)
    key = {"department": department}
    row = await _edit(tx, runtime, caller, response, BODIES, key, new.model_dump(), seen)
    return BodyShown.model_validate(row)


@router.post(
    "/budgets/{unit}", status_code=status.HTTP_201_CREATED, summary="登记经费 · enter a budget"
)
async def add_budget(
    unit: Unit,
    new: BudgetEdited,
    caller: Paying,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> BudgetShown:
    """In fen; finance pays (O68)."""
    _require_unit(caller, runtime, unit)
    row = await _add(tx, runtime, caller, response, BUDGETS, {"unit": unit}, new.model_dump())
    return BudgetShown.model_validate(row)


@router.put("/budgets/{unit}", summary="修改经费 · edit a budget, or what was spent")
async def edit_budget(
    unit: Unit,
    new: BudgetEdited,
    caller: Paying,
    seen: SeenDep,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> BudgetShown:
    """As seen. Spending over the budget is kept as it is: it is a fact, and shows."""
    _require_unit(caller, runtime, unit)
    key = {"unit": unit}
    row = await _edit(tx, runtime, caller, response, BUDGETS, key, new.model_dump(), seen)
    return BudgetShown.model_validate(row)


async def _add(
    tx: Tx,
    runtime: Runtime,
    caller: Caller,
    response: Response,
    kind: Kind,
    key: dict[str, str],
    row: dict[str, Any],
) -> dict[str, Any]:
    told: dict[str, Any] = {"version": 1, "at": runtime.clock.now(), "by": caller.subject}
    if not await store.write_row(tx, kind, key, row, **told):
        raise problem("conflict", reason="已登记,请修改 · it is entered already: edit it")
    set_etag(response, _resource(kind, key), 1)
    return _shown(kind, {**key, **row, **_edited(told)})


async def _edit(
    tx: Tx,
    runtime: Runtime,
    caller: Caller,
    response: Response,
    kind: Kind,
    key: dict[str, str],
    row: dict[str, Any],
    seen: SeenDep,
) -> dict[str, Any]:
    before = await store.lock_row(tx, kind, key)
    if before is None:
        raise problem("not-found")
    seen.require(_resource(kind, key), before["version"])
    version, now = before["version"] + 1, runtime.clock.now()
    told: dict[str, Any] = {"version": version, "at": now, "by": caller.subject}
    await store.write_row(tx, kind, key, row, **told)
    set_etag(response, _resource(kind, key), told["version"])
    return _shown(kind, {**key, **row, **_edited(told)})


def _edited(told: dict[str, Any]) -> dict[str, Any]:
    return {"version": told["version"], "edited_at": told["at"], "edited_by": told["by"]}


def _resource(kind: Kind, key: dict[str, str]) -> str:
    return f"census-{kind.name}:{'.'.join(key.values())}"


def _shown(kind: Kind, row: dict[str, Any]) -> dict[str, Any]:
    key = {name: row[name] for name in kind.key}
    return {**row, "etag": etag_of(_resource(kind, key), row["version"])}


def _require_unit(caller: Caller, runtime: Runtime, unit: str) -> None:
    if unit not in {one.code for one in runtime.plan.units}:
        raise problem("not-found")
    caller.require_unit(unit)


def _require_department(department: str) -> None:
    if department not in DEPARTMENTS:
        errors = [field_error("code-unknown", "path/department", {"value": department[:40]})]
        raise problem("parameter-invalid", errors=errors, count=1)
