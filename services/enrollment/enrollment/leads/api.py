"""The HTTP door to leads. A department that feeds us sees what became of its records (F21)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from enrollment.leads import store
from enrollment.leads.schemas import LeadDetail, LeadPage, SourceShown
from enrollment.leads.store import LeadRow, Wanted
from enrollment.leads.worth.rules import Amounts, amounts, pooled_of
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import ReadTx, RuntimeDep
from shared.paging import PageDep
from shared.periods import local_date
from shared.problems import problem
from shared.runtime import Runtime

router = APIRouter(prefix="/enrollment/v1", tags=["leads"])

_SOURCES = ("tax", "industry-commerce", "quality-supervision")
LeadKind = Literal["unenrolled-employer", "not-fully-enrolled", "unenrolled-person"]
LeadEffect = Literal["effective", "not-effective", "unclear"]
LeadReader = Annotated[
    Caller,
    allow(
        "agency", "unit", "leading-group", "auditor", "supervision", "labour-inspection", *_SOURCES
    ),
]


@router.get("/leads", summary="扩面资源 · leads")
async def list_leads(
    caller: LeadReader,
    tx: ReadTx,
    runtime: RuntimeDep,
    page: PageDep,
    request: Request,
    response: Response,
    unit: Annotated[str | None, Query(description="填报单位 · reporting unit")] = None,
    kind: LeadKind | None = None,
    status: Annotated[
        Literal["open", "advanced", "closed", "standing"] | None,
        Query(description="standing 未办结 · not closed"),
    ] = None,
    source: Annotated[str | None, Query(description="来源 · feed")] = None,
    employer: Annotated[str | None, Query(description="employer_id")] = None,
    person: Annotated[str | None, Query(description="person_id")] = None,
    effective: Annotated[
        LeadEffect | None, Query(description="甄别结果 · result of the effectiveness test")
    ] = None,
    reason: Annotated[
        str | None,
        Query(max_length=40, description="原因 · code of the plan's lead-ineffective-reasons"),
    ] = None,
    household: Annotated[
        Literal["enterprise", "household", "none"] | None,
        Query(description="enterprise 企业 · household 个体工商户 · none 个人线索 of a person"),
    ] = None,
    ownership: Annotated[
        str | None, Query(max_length=20, description="经济类型 · ownership; unknown 不明")
    ] = None,
    trade: Annotated[
        str | None, Query(max_length=20, description="重点行业 · breakthrough trade; unknown 不明")
    ] = None,
) -> LeadPage:
    after = page.after(str)
    wanted = Wanted(
        units=units_asked(caller, unit),
        kind=kind,
        status=status,
        source=source,
        feeds=own_feeds(caller, runtime),
        employer_id=employer,
        person_id=person,
        effect=effective,
        reason=reason,
        household=household,
        ownership=ownership,
        trade=trade,
    )
    rows = await store.list_leads(
        tx, wanted, after=after[0] if after else None, limit=page.limit + 1
    )
    by = amounts(runtime.plan, local_date(runtime.clock.now()))
    found = page.of(
        rows, lambda row: (row.lead_id,), request, response, lambda row: _with_worth(row, by)
    )
    return LeadPage.model_validate(found)


@router.get("/leads/{lead_id}", summary="扩面资源及其线索 · a lead and the records it rests on")
async def get_lead(lead_id: str, caller: LeadReader, tx: ReadTx, runtime: RuntimeDep) -> LeadDetail:
    lead = await store.find_lead(tx, lead_id)
    if lead is None:
        raise problem("not-found")
    caller.require_unit(lead.unit)
    feeds = own_feeds(caller, runtime)
    if feeds is not None and not feeds.intersection(lead.sources):
        raise problem("not-found")
    records = [SourceShown.model_validate(row) for row in await store.sources_of(tx, lead_id)]
    by = amounts(runtime.plan, local_date(runtime.clock.now()))
    shown: dict[str, Any] = {**_with_worth(lead, by), "records": records}
    return LeadDetail.model_validate(shown)


def _with_worth(lead: LeadRow, by: Amounts) -> dict[str, Any]:
    return {**lead._asdict(), "pooled_fen": pooled_of(lead.persons, lead.basis, by)}


def own_feeds(caller: Caller, runtime: Runtime) -> frozenset[str] | None:
    """The feeds whose leads the caller is confined to, None for all."""
    if not caller.is_any(*_SOURCES):
        return None
    return frozenset(
        feed.name for feed in runtime.plan.feeds if caller.department in feed.departments
    )
