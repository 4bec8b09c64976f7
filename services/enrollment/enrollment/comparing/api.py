"""The HTTP door to the comparison with the register (O71, F35)."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response, status
from fastapi.responses import PlainTextResponse

from enrollment.census.intake.persons import REASONS
from enrollment.comparing import rules, store
from enrollment.comparing.projections import run_comparison
from enrollment.comparing.schemas import (
    ComparisonAsked,
    ComparisonDetail,
    ComparisonPage,
    ComparisonShown,
    Difference,
    LinePage,
    LineShown,
    MovedPage,
)
from enrollment.comparing.summary import markdown
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import ReadTx, RuntimeDep, SnapshotTx, Tx
from shared.paging import PageDep
from shared.problems import field_error, problem

router = APIRouter(prefix="/enrollment/v1/census/comparisons", tags=["census"])

Reader = Annotated[
    Caller, allow("agency", "unit", "leading-group", "auditor", "supervision", "labour-inspection")
]
Comparer = Annotated[Caller, allow("agency", "leading-group")]
Outcome = Literal[
    "new",
    "already-insured",
    "ineligible",
    "insured-elsewhere",
    "conflict",
    "unclear",
    "repeated",
]
UnitAsked = Annotated[str | None, Query(description="填报单位 · reporting unit")]
With = Annotated[
    int, Query(alias="with", ge=1, le=2**31 - 1, description="另一次比对 · the other run")
]


@router.post("", status_code=status.HTTP_201_CREATED, summary="与参保数据库比对 · compare now")
async def compare_census(
    asked: ComparisonAsked, caller: Comparer, tx: Tx, runtime: RuntimeDep, response: Response
) -> ComparisonShown:
    """Compares everybody found so far, seals the run and publishes it by unit (O71)."""
    today = runtime.clock.today()
    as_of = asked.as_of or today
    if as_of > today:
        limit = {"value": as_of.isoformat(), "limit": today.isoformat()}
        errors = [field_error("date-in-future", "/as_of", limit)]
        raise problem("parameter-invalid", errors=errors, count=1)
    if asked.unit is None and caller.units is not None:
        raise problem("forbidden-unit", unit="*")
    if asked.unit is not None:
        if asked.unit not in {one.code for one in runtime.plan.units}:
            errors = [field_error("unit-unknown", "/unit", {"value": asked.unit})]
            raise problem("parameter-invalid", errors=errors, count=1)
        caller.require_unit(asked.unit)
    run = await run_comparison(tx, runtime, unit=asked.unit, as_of=as_of, by=caller.subject)
    response.headers["Location"] = f"{router.prefix}/{run.run_no}"
    return ComparisonShown.model_validate({**run.document, "sha256": run.sha256})


@router.get("", summary="历次比对 · runs, the latest first")
async def list_comparisons(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: UnitAsked = None,
) -> ComparisonPage:
    """Those that tell of a unit the caller may see, with the counts of its units only."""
    after = page.after(int)
    units = units_asked(caller, unit)
    rows = await store.list_runs(tx, units, after[0] if after else None, page.limit + 1)
    shown = page.of(rows, lambda row: (row["run_no"],), request, response, _counted)
    return ComparisonPage.model_validate(shown)


@router.get("/{run_no}", summary="一次比对 · a run, with the counts of its units")
async def get_comparison(
    run_no: int, caller: Reader, tx: ReadTx, runtime: RuntimeDep, unit: UnitAsked = None
) -> ComparisonDetail:
    """Sealed: it says the same for ever."""
    row = await _run(tx, caller, run_no, unit)
    order = [one.code for one in runtime.plan.units if one.code in row["counted"]]
    counted = [{"unit": code, **rules.added([row["counted"][code]])} for code in order]
    return ComparisonDetail.model_validate({**_counted(row), "units": counted})


@router.get("/{run_no}/document", summary="封存文件 · the sealed document, byte for byte")
async def get_comparison_document(run_no: int, caller: Reader, tx: ReadTx) -> Response:
    """Canonical JSON (RFC 8785) with every unit's counts, the digest of the lines, how census and
    register stood, and the plan's version. Its SHA-256 is the run's ``sha256``."""
    _, document = await _sealed(tx, caller, run_no)
    return Response(document, media_type="application/json")


@router.get(
    "/{run_no}/summary",
    summary="汇总分析 · summary and analysis for the leading group, to be read and printed",
    response_class=PlainTextResponse,
)
async def get_comparison_summary(
    run_no: int, caller: Reader, tx: ReadTx, runtime: RuntimeDep
) -> PlainTextResponse:
    """The sealed document written out in Markdown, zh and en (O72): whom the campaign can win,
    outcomes by unit and rule, reasons, progress; each number of persons links to its list."""
    run, document = await _sealed(tx, caller, run_no)
    plan = runtime.plan
    text = markdown(
        json.loads(document),
        run["sha256"],
        {one.code: (one.zh, one.en) for one in plan.units},
        {one.code: (one.zh, one.en) for one in plan.codes(REASONS)},
    )
    return PlainTextResponse(text, media_type="text/markdown")


@router.get("/{run_no}/persons", summary="比对明细 · what everybody found turned out to be")
async def list_compared(
    run_no: int,
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: UnitAsked = None,
    street: Annotated[str | None, Query(max_length=40, description="街道 · street")] = None,
    outcome: Annotated[Outcome | None, Query(description="比对结果 · outcome")] = None,
    cause: Annotated[str | None, Query(max_length=40, description="依据 · by which rule")] = None,
    reason: Annotated[str | None, Query(max_length=40, description="未参保原因 · reason")] = None,
    can_pay: Annotated[bool | None, Query(description="有缴费能力 · able to pay")] = None,
    eligible: Annotated[bool | None, Query(description="符合参保年龄 · by age")] = None,
    potential: Annotated[bool | None, Query(description="扩面潜力 · whom to win")] = None,
) -> LinePage:
    """In order of unit and number; nobody is named."""
    units = units_asked(caller, unit)
    await _run(tx, caller, run_no, unit)
    equal = {
        "street": street,
        "outcome": outcome,
        "cause": cause,
        "reason": reason,
        "can_pay": can_pay,
        "eligible": eligible,
        "potential": potential,
    }
    after = page.after(str)
    rows = await store.list_lines(
        tx, run_no, equal, units, after[0] if after else None, page.limit + 1
    )
    shown = page.of(rows, lambda row: (row["entry"],), request, response, LineShown.model_validate)
    return LinePage.model_validate(shown)


@router.get("/{run_no}/difference", summary="与另一次比对的差异 · what changed between two runs")
async def get_comparison_difference(
    run_no: int, other: With, caller: Reader, tx: SnapshotTx, unit: UnitAsked = None
) -> Difference:
    """From the earlier to the later one, whichever is asked first; within what both compared."""
    earlier, later, units = await _both(tx, caller, run_no, other, unit)
    moves = await store.count_moves(tx, earlier, later, units)
    moved = sum(move["persons"] for move in moves)
    return Difference.model_validate(
        {"earlier": earlier, "later": later, "moved": moved, "moves": moves}
    )


@router.get("/{run_no}/difference/persons", summary="结果有变化的人员 · whose outcome changed")
async def list_moved(
    run_no: int,
    other: With,
    caller: Reader,
    tx: SnapshotTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: UnitAsked = None,
    before: Annotated[
        Outcome | Literal["none"] | None, Query(description="先前结果 · none: not in it")
    ] = None,
    after: Annotated[
        Outcome | Literal["none"] | None, Query(description="其后结果 · none: not in it")
    ] = None,
) -> MovedPage:
    """In order of unit and number."""
    earlier, later, units = await _both(tx, caller, run_no, other, unit)
    behind = page.after(str)
    rows = await store.list_moves(
        tx,
        earlier,
        later,
        units,
        before=before,
        after=after,
        behind=behind[0] if behind else None,
        limit=page.limit + 1,
    )
    shown = page.of(rows, lambda row: (row["entry"],), request, response)
    return MovedPage.model_validate(shown)


async def _run(tx: ReadTx, caller: Caller, run_no: int, unit: str | None) -> dict[str, Any]:
    """The run as the caller may see it. Raises ``not-found``."""
    known = 0 < run_no < 2**31
    row = await store.find_run(tx, run_no, units_asked(caller, unit)) if known else None
    if row is None:
        raise problem("not-found")
    return row


async def _sealed(tx: ReadTx, caller: Caller, run_no: int) -> tuple[dict[str, Any], bytes]:
    """The run and its bytes: they tell of every unit, so of all the caller's at least."""
    run = await _run(tx, caller, run_no, None)
    if caller.units is not None and run["unit"] not in caller.units:
        raise problem("forbidden-unit", unit=run["unit"] or "*")
    return run, await store.find_document(tx, run_no) or b""


async def _both(
    tx: ReadTx, caller: Caller, run_no: int, other: int, unit: str | None
) -> tuple[int, int, frozenset[str] | None]:
    """The two runs by number, and the units both of them compared and the caller may see."""
    units = units_asked(caller, unit)
    for no in (run_no, other):
        compared = (await _run(tx, caller, no, unit))["unit"]
        if compared is not None:
            units = frozenset({compared}) if units is None else units & {compared}
    return min(run_no, other), max(run_no, other), units


def _counted(row: dict[str, Any]) -> dict[str, Any]:
    counted = list(row["counted"].values())
    return {**row, "counts": rules.added(counted)}
