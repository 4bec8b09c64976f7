"""The HTTP door to the work on leads: lists and counts (F19), and what officers do (F20)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads.work import intake, rules, schemas
from enrollment.leads.work.reading import (
    FiltersDep,
    LimitsDep,
    Logger,
    Officer,
    Reader,
    wanted_of,
)
from enrollment.leads.work.rules import Limits
from enrollment.leads.work.store import lists, log
from enrollment.leads.work.store.lists import WorkRow
from enrollment.leads.work.story import told
from enrollment.leads.work.summary import summed
from enrollment.linking.store import links
from enrollment.scope import units_asked
from shared.auth import Caller
from shared.dependencies import ReadTx, RuntimeDep, SnapshotTx, Tx
from shared.paging import PageDep
from shared.problems import problem
from shared.versions import SeenDep

router = APIRouter(prefix="/enrollment/v1", tags=["lead-work"])


@router.get("/lead-work", summary="线索办理 · leads as work, the longest known first")
async def list_lead_work(
    caller: Reader,
    tx: ReadTx,
    limits: LimitsDep,
    asked: FiltersDep,
    page: PageDep,
    request: Request,
    response: Response,
) -> schemas.WorkPage:
    """Overdue, age and level are of today; ``GET /lead-work/summary`` counts the same."""
    after = page.after(str, str)
    place = (_day(after[0]), after[1]) if after else None
    rows = await lists.list_work(
        tx, wanted_of(asked, caller, limits), limits, place, page.limit + 1
    )
    shown = page.of(
        rows, lambda row: (row.found_on.isoformat(), row.lead_id), request, response, _shown
    )
    return schemas.WorkPage.model_validate(shown)


@router.get("/lead-work/summary", summary="线索办理汇总 · counts by unit, stage, age and level")
async def get_lead_work_summary(
    caller: Reader, tx: SnapshotTx, runtime: RuntimeDep, limits: LimitsDep, asked: FiltersDep
) -> schemas.WorkSummary:
    """Each count is the length of the list with the same filter; without ``stage`` the closed
    stages are counted too, which the list shows when asked for one of them."""
    wanted = wanted_of(asked, caller, limits)
    groups = await lists.count_work(tx, wanted, limits)
    units = [one.code for one in runtime.plan.units if wanted.units is None] or sorted(
        wanted.units or ()
    )
    return schemas.WorkSummary.model_validate(summed(groups, limits, units))


@router.post("/lead-work/assignments", summary="批量指定经办 · assign all leads of a filter")
async def assign_leads(
    given: schemas.BulkAssignmentGiven,
    caller: Officer,
    tx: Tx,
    runtime: RuntimeDep,
    limits: LimitsDep,
) -> schemas.BulkAssigned:
    """All or none: 409 where there are not as many as ``expected``, or somebody works on one."""
    wanted = wanted_of(given.leads, caller, limits)
    if wanted.stage in rules.CLOSED:
        raise problem("lead-closed", lead="—", outcome=wanted.stage)
    done = await intake.assign_all(tx, runtime, caller, wanted, given.assignment, given.expected)
    return schemas.BulkAssigned(assigned=done)


@router.get("/lead-work/entries", summary="联系与督促措施 · contacts and measures of all leads")
async def list_lead_entries(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    kind: Annotated[
        Literal["contact", "measure", "stage", "exclusion-proposed", "excluded"],
        Query(description="measure 督促措施 · O73"),
    ] = "measure",
    unit: Annotated[str | None, Query(max_length=20, description="线索所属单位 · unit")] = None,
) -> schemas.LoggedPage:
    """In the order they were recorded; corrected ones are left out."""
    after = page.after(str, str, int)
    place = (_moment(after[0]), after[1], after[2]) if after else None
    rows = await lists.list_entries(tx, kind, units_asked(caller, unit), place, page.limit + 1)
    shown = page.of(
        rows, lambda row: (row.recorded_at.isoformat(), row.lead_id, row.no), request, response
    )
    return schemas.LoggedPage.model_validate(shown)


@router.get("/leads/{lead_id}/work", summary="一条线索的办理 · the work on a lead and its log")
async def get_lead_work(
    lead_id: str, caller: Reader, tx: SnapshotTx, limits: LimitsDep, response: Response
) -> schemas.WorkDetail:
    """The ETag goes into ``If-Match`` of every edit."""
    return await _detail(tx, await _readable(tx, lead_id, caller, limits), response)


@router.get("/leads/{lead_id}/story", summary="线索始末 · a lead's history in sentences")
async def get_lead_story(
    lead_id: str, caller: Reader, tx: SnapshotTx, runtime: RuntimeDep, limits: LimitsDep
) -> schemas.StoryShown:
    """Every source, event, stage, contact and decision in the order it was recorded (F19)."""
    lead = await _readable(tx, lead_id, caller, limits)
    known = await log.known_of(tx, lead.employer_id, lead.person_key)
    entries = await log.log_of(tx, lead_id)
    return schemas.StoryShown(
        lead_id=lead_id,
        employer_id=lead.employer_id,
        employer_name=lead.employer_name,
        stage=lead.stage,
        items=told(
            runtime.plan,
            lead,
            known,
            entries,
            await log.logs_joined(tx, entries),
            await links.decided_of(tx, lead.employer_id) if lead.employer_id else (),
        ),
    )


@router.put("/leads/{lead_id}/stage", summary="转入阶段 · bring a lead to another stage")
async def put_lead_stage(
    lead_id: str,
    given: schemas.StageGiven,
    seen: SeenDep,
    caller: Officer,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> schemas.WorkDetail:
    """Enrolled comes from the register alone, excluded from ``/exclusion``."""
    desk = await intake.take(tx, runtime, caller, seen, lead_id)
    await intake.stage(desk, given)
    return await _after(desk, response)


@router.post("/leads/{lead_id}/contacts", status_code=201, summary="登记联系 · log a contact")
async def post_lead_contact(
    lead_id: str,
    given: schemas.ContactGiven,
    seen: SeenDep,
    caller: Logger,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> schemas.WorkDetail:
    """A visit, call, letter or notice; a measure (O73), which is all the leading group may log.
    Entries stay for ever; a mistaken one is corrected by a further one."""
    if caller.is_any("leading-group") and given.kind != rules.MEASURE:
        caller.require("agency", "unit")
    desk = await intake.take(tx, runtime, caller, seen, lead_id)
    await intake.contact(desk, given)
    return await _after(desk, response)


@router.put("/leads/{lead_id}/assignment", summary="指定经办 · assign a lead")
async def put_lead_assignment(
    lead_id: str,
    given: schemas.AssignmentGiven,
    seen: SeenDep,
    caller: Officer,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> schemas.WorkDetail:
    """To a unit and an officer; void once the lead has moved to another unit."""
    desk = await intake.take(tx, runtime, caller, seen, lead_id)
    await intake.assign(desk, given)
    return await _after(desk, response)


@router.post("/leads/{lead_id}/exclusion", status_code=201, summary="申请排除 · propose to exclude")
async def post_lead_exclusion(
    lead_id: str,
    given: schemas.ExclusionGiven,
    seen: SeenDep,
    caller: Officer,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> schemas.WorkDetail:
    """By a coded reason; the lead stays open until a second person agrees."""
    desk = await intake.take(tx, runtime, caller, seen, lead_id)
    await intake.propose(desk, given)
    return await _after(desk, response)


@router.put("/leads/{lead_id}/exclusion/review", summary="审核排除 · decide on an exclusion")
async def put_lead_exclusion_review(
    lead_id: str,
    given: schemas.ReviewGiven,
    seen: SeenDep,
    caller: Officer,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> schemas.WorkDetail:
    """By another person than proposed it. Agreed, each piece of evidence seen is spoken against,
    and the lead closes; evidence that comes later opens one again."""
    desk = await intake.take(tx, runtime, caller, seen, lead_id)
    await intake.review(desk, given)
    return await _after(desk, response)


@router.post("/leads/{lead_id}/exclusion/revocation", summary="撤销排除 · take an exclusion back")
async def post_lead_exclusion_revocation(
    lead_id: str,
    given: schemas.RevocationGiven,
    seen: SeenDep,
    caller: Officer,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> schemas.WorkDetail:
    """The lead is open again, as if it had never been excluded."""
    desk = await intake.take(tx, runtime, caller, seen, lead_id)
    await intake.revoke(desk, given.text)
    return await _after(desk, response)


async def _readable(tx: AsyncConnection, lead_id: str, caller: Caller, limits: Limits) -> WorkRow:
    lead = await lists.find_work(tx, lead_id, limits)
    if lead is None:
        raise problem("not-found")
    if not caller.may_read_unit(lead.lead_unit):
        caller.require_unit(lead.unit)
    return lead


async def _after(desk: intake.Desk, response: Response) -> schemas.WorkDetail:
    lead = await lists.find_work(desk.conn, desk.lead.lead_id, desk.limits)
    assert lead is not None  # noqa: S101 - it is locked
    return await _detail(desk.conn, lead, response)


async def _detail(tx: AsyncConnection, lead: WorkRow, response: Response) -> schemas.WorkDetail:
    response.headers["ETag"] = intake.tag_of(lead)
    entries = await log.log_of(tx, lead.lead_id)
    shown = {
        **_shown(lead),
        "stages_next": rules.TRANSITIONS.get(lead.stage, ()),
        "log": [entry._asdict() for entry in entries],
    }
    return schemas.WorkDetail.model_validate(shown)


def _shown(row: WorkRow) -> dict[str, Any]:
    return {**row._asdict(), "level": row.level}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise problem("cursor-invalid") from None


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise problem("cursor-invalid") from None
