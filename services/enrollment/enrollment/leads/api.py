"""The HTTP door to leads. A department that feeds us sees what became of its records (F21)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from enrollment.leads import store
from enrollment.leads.schemas import LeadDetail, LeadPage, SourceShown
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import ReadTx, RuntimeDep
from shared.paging import PageDep
from shared.problems import problem
from shared.runtime import Runtime

router = APIRouter(prefix="/enrollment/v1", tags=["leads"])

_SOURCES = ("tax", "industry-commerce", "quality-supervision")
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
    kind: Literal["unenrolled-employer", "not-fully-enrolled"] | None = None,
    status: Annotated[
        Literal["open", "advanced", "closed", "standing"] | None,
        Query(description="standing 未办结 · not closed"),
    ] = None,
    source: Annotated[str | None, Query(description="来源 · feed")] = None,
    employer: Annotated[str | None, Query(description="employer_id")] = None,
) -> LeadPage:
    after = page.after(str)
    rows = await store.list_leads(
        tx,
        units=units_asked(caller, unit),
        kind=kind,
        status=status,
        source=source,
        feeds=_own_feeds(caller, runtime),
        employer_id=employer,
        after=after[0] if after else None,
        limit=page.limit + 1,
    )
    return LeadPage.model_validate(page.of(rows, lambda row: (row.lead_id,), request, response))


@router.get("/leads/{lead_id}", summary="扩面资源及其线索 · a lead and the records it rests on")
async def get_lead(lead_id: str, caller: LeadReader, tx: ReadTx, runtime: RuntimeDep) -> LeadDetail:
    lead = await store.find_lead(tx, lead_id)
    if lead is None:
        raise problem("not-found")
    caller.require_unit(lead.unit)
    feeds = _own_feeds(caller, runtime)
    if feeds is not None and not feeds.intersection(lead.sources):
        raise problem("not-found")
    records = [SourceShown.model_validate(row) for row in await store.sources_of(tx, lead_id)]
    shown: dict[str, Any] = {**lead._asdict(), "records": records}
    return LeadDetail.model_validate(shown)


def _own_feeds(caller: Caller, runtime: Runtime) -> frozenset[str] | None:
    """The feeds whose leads the caller is confined to, None for all."""
    if not caller.is_any(*_SOURCES):
        return None
    return frozenset(
        feed.name for feed in runtime.plan.feeds if caller.department in feed.departments
    )
