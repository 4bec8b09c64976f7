"""Who was in the register on any day, as known at any moment: counts, and the lists behind them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from enrollment.register.answers.counts import (
    CountRow,
    CountsShown,
    EmployerAt,
    EmployersAtPage,
    PersonAt,
    PersonsAtPage,
)
from enrollment.register.store import asof as store
from enrollment.register.store.asof import Asked
from enrollment.register.timeline import spell_kind
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import ReadTx, RuntimeDep, SnapshotTx
from shared.paging import PageDep
from shared.problems import field_error, problem
from shared.runtime import Runtime

router = APIRouter(prefix="/enrollment/v1/register", tags=["register"])

CountReader = Annotated[
    Caller,
    allow(
        "agency",
        "labour",
        "unit",
        "leading-group",
        "auditor",
        "supervision",
        "statistics",
        "labour-inspection",
    ),
]
PersonReader = Annotated[Caller, allow("agency", "unit", "auditor")]

_SEGMENTS = {
    "persons": {
        "unit": ("unit",),
        "worker-class": ("worker_class",),
        "ownership": ("ownership",),
        "trade": ("trade",),
        "segment": ("worker_class", "ownership", "trade"),
    },
    "employers": {
        "unit": ("unit",),
        "ownership": ("ownership",),
        "trade": ("trade",),
        "township": ("in_township",),
        "segment": ("household", "ownership", "trade"),
    },
}


class AsOf:
    """The two clocks and the unit; ``known_at`` without a zone is refused by its type."""

    def __init__(self, as_of: date, known_at: datetime, unit: str | None) -> None:
        self.as_of = as_of
        self.known_at = known_at
        self.unit = unit

    def asked(self, caller: Caller, **more: Any) -> Asked:
        return Asked(self.as_of, self.known_at, units_asked(caller, self.unit), **more)


async def as_of_asked(
    runtime: RuntimeDep,
    as_of: Annotated[
        date | None, Query(description="生效截至日 · the day asked about; today if left out")
    ] = None,
    known_at: Annotated[
        datetime | None,
        Query(description="登记截至时刻(含时区) · as known at this moment; now if left out"),
    ] = None,
    unit: Annotated[str | None, Query(description="填报单位 · reporting unit")] = None,
) -> AsOf:
    """Dependency reading ``as_of``, ``known_at`` and ``unit``."""
    moment = known_at or runtime.clock.now()
    if moment.tzinfo is None:
        reason = "须注明时区 · needs its offset from UTC"
        errors = [field_error("parameter-invalid", "query/known_at", {"reason": reason})]
        raise problem("parameter-invalid", errors=errors, count=1)
    return AsOf(as_of or runtime.clock.today(), moment, unit)


AsOfDep = Annotated[AsOf, Depends(as_of_asked)]
_Measure = Annotated[
    Literal["insured-total", "insured-active"] | None,
    Query(description="方案指标口径 · a measure of the plan: only the statuses that count in it"),
]
_Employer = Annotated[str | None, Query(description="用人单位 · employer_id")]


@router.get("/counts", summary="在职与总数 · counts on any day, as known at any moment")
async def register_counts(
    caller: CountReader,
    tx: ReadTx,
    runtime: RuntimeDep,
    at: AsOfDep,
    of: Annotated[Literal["persons", "employers"], Query(description="人员或单位")] = "persons",
    by: Annotated[
        Literal["unit", "worker-class", "ownership", "trade", "segment", "township"] | None,
        Query(description="分组 · group by; segment: class, ownership and trade together"),
    ] = None,
    employer_id: _Employer = None,
) -> CountsShown:
    """Every count is the length of the list at its ``members``; ``township`` is of employers
    and ``worker-class`` of persons only."""
    if by is not None and by not in _SEGMENTS[of]:
        reason = f"{of} 没有此分组 · {of} are not grouped by it"
        errors = [field_error("parameter-invalid", "query/by", {"reason": reason})]
        raise problem("parameter-invalid", errors=errors, count=1)
    columns = _SEGMENTS[of][by] if by is not None else ()
    equal = {} if employer_id is None else {"employer_id": employer_id}
    if of == "employers" and equal:
        reason = "只用于人员 · of persons only"
        errors = [field_error("parameter-invalid", "query/employer_id", {"reason": reason})]
        raise problem("parameter-invalid", errors=errors, count=1)
    found = await store.count_at(tx, of, at.asked(caller, equal=equal), columns)
    groups: dict[tuple[Any, ...], dict[str, int]] = {(): {}} if not columns else {}
    whole: dict[str, int] = {}
    for row in found:
        statuses = groups.setdefault(tuple(row[name] for name in columns), {})
        statuses[row["status"]] = statuses.get(row["status"], 0) + row["count"]
        whole[row["status"]] = whole.get(row["status"], 0) + row["count"]

    def shown(segment: dict[str, Any], statuses: dict[str, int]) -> CountRow:
        return _row(runtime, of, at, {**equal, **segment}, statuses)

    return CountsShown(
        as_of=at.as_of,
        known_at=at.known_at,
        plan=runtime.plan.version,
        total=shown({}, whole),
        rows=[
            shown(dict(zip(columns, values, strict=True)), statuses)
            for values, statuses in groups.items()
            if columns
        ],
    )


def _row(
    runtime: Runtime, of: str, at: AsOf, segment: dict[str, Any], statuses: dict[str, int]
) -> CountRow:
    query: dict[str, Any] = {"as_of": at.as_of.isoformat(), "known_at": at.known_at.isoformat()}
    if at.unit is not None:
        query["unit"] = at.unit
    query |= {k: str(v).lower() if isinstance(v, bool) else v for k, v in segment.items()}
    plan = runtime.plan
    measures = {
        measure.name: sum(n for status, n in statuses.items() if status in measure.counts)
        for measure in plan.measures
        if of == "persons" and measure.counts
    }
    return CountRow(
        segment=segment,
        count=sum(statuses.values()),
        statuses=statuses,
        measures=measures,
        members=f"/enrollment/v1/register/{of}?{urlencode(query)}",
    )


@router.get("/persons", summary="参保人员名单(去标识) · persons on any day, pseudonymous")
async def persons_at(
    caller: PersonReader,
    tx: ReadTx,
    runtime: RuntimeDep,
    at: AsOfDep,
    page: PageDep,
    request: Request,
    response: Response,
    measure: _Measure = None,
    status: Annotated[
        Literal["active", "suspended", "retired", "ended"] | None, Query(description="状态")
    ] = None,
    employer_id: _Employer = None,
    worker_class: Annotated[str | None, Query(description="人员类别 · class")] = None,
    ownership: Annotated[str | None, Query(description="经济类型 · of the employer")] = None,
    trade: Annotated[str | None, Query(description="重点行业 · breakthrough trade")] = None,
) -> PersonsAtPage:
    """By ``person_id``; each person at most once, in the state it was in on the day."""
    asked = at.asked(
        caller,
        statuses=_statuses(runtime, measure, status),
        equal=_given(
            employer_id=employer_id, worker_class=worker_class, ownership=ownership, trade=trade
        ),
    )
    after = page.after(str)
    rows = await store.list_at(tx, "persons", asked, after[0] if after else None, page.limit + 1)
    return PersonsAtPage.model_validate(
        page.of(rows, lambda row: (row["person_id"],), request, response, _with_kind)
    )


@router.get("/employers", summary="参保单位名单 · employers of the register on any day")
async def employers_at(
    caller: CountReader,
    tx: ReadTx,
    at: AsOfDep,
    page: PageDep,
    request: Request,
    response: Response,
    status: Annotated[
        Literal["enrolled", "suspended", "ended"] | None, Query(description="状态")
    ] = None,
    household: Annotated[bool | None, Query(description="个体工商户")] = None,
    in_township: Annotated[bool | None, Query(description="地处乡镇 · in a township")] = None,
    ownership: Annotated[str | None, Query(description="经济类型 · ownership")] = None,
    trade: Annotated[str | None, Query(description="重点行业 · breakthrough trade")] = None,
) -> EmployersAtPage:
    """By ``employer_id``; each employer at most once, in the state it was in on the day."""
    asked = at.asked(
        caller,
        statuses=None if status is None else (status,),
        equal=_given(
            household=household, in_township=in_township, ownership=ownership, trade=trade
        ),
    )
    after = page.after(str)
    rows = await store.list_at(tx, "employers", asked, after[0] if after else None, page.limit + 1)
    return EmployersAtPage.model_validate(
        page.of(rows, lambda row: (row["employer_id"],), request, response, _with_kind)
    )


@router.get("/persons/{person_id}/spells", summary="人员参保经历 · a person's spells")
async def person_spells(
    person_id: str, caller: PersonReader, tx: SnapshotTx, at: AsOfDep
) -> list[PersonAt]:
    """All spells known at ``known_at``, by first day; of these ``as_of`` picks none."""
    rows = await _spells(tx, "persons", person_id, caller, at)
    return [PersonAt.model_validate(row) for row in rows]


@router.get("/employers/{employer_id}/spells", summary="单位参保经历 · an employer's spells")
async def employer_spells(
    employer_id: str, caller: CountReader, tx: SnapshotTx, at: AsOfDep
) -> list[EmployerAt]:
    """As of a person."""
    rows = await _spells(tx, "employers", employer_id, caller, at)
    return [EmployerAt.model_validate(row) for row in rows]


async def _spells(
    tx: SnapshotTx, what: str, subject: str, caller: Caller, at: AsOf
) -> list[dict[str, Any]]:
    """Raises ``not-found``, and ``forbidden-unit`` where the last spell is in another unit."""
    rows = await store.spells_of(tx, what, subject, at.known_at)
    if not rows:
        raise problem("not-found")
    caller.require_unit(rows[-1]["unit"])
    return [_with_kind(row) for row in rows]


def _with_kind(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "kind": spell_kind(row["status"], row["entry"])}


def _given(**values: str | bool | None) -> dict[str, str | bool]:
    return {name: value for name, value in values.items() if value is not None}


def _statuses(runtime: Runtime, measure: str | None, status: str | None) -> list[str] | None:
    """The statuses that both the measure and the status asked for leave."""
    if measure is None:
        return None if status is None else [status]
    counting = runtime.plan.measure(measure).counts
    return [one for one in counting if status in (None, one)]
