"""The HTTP door to the census: the frame, who was found, how far it is (O65–O70)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import RowMapping

from enrollment.census import models, store
from enrollment.census.answers import FoundDetail, FoundPage, UnitPage
from enrollment.census.intake.persons import unsealed
from enrollment.register.store.persons import log_access
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.crypto import mask_document
from shared.dependencies import ReadTx, RuntimeDep, Tx
from shared.paging import PageDep
from shared.problems import problem

router = APIRouter(prefix="/enrollment/v1/census", tags=["census"])

Reader = Annotated[
    Caller, allow("agency", "unit", "leading-group", "auditor", "supervision", "labour-inspection")
]
PersonReader = Annotated[Caller, allow("agency", "unit", "auditor")]
UnitAsked = Annotated[str | None, Query(description="填报单位 · reporting unit")]
StreetAsked = Annotated[
    str | None, Query(max_length=40, description="街道(乡镇) · street or township")
]
VoidAsked = Annotated[bool, Query(description="仅作废 · those taken back, instead of the others")]


@router.get("/units", summary="普查对象与走访 · the frame and its visits")
async def list_frame(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: UnitAsked = None,
    street: StreetAsked = None,
    kind: Annotated[str | None, Query(max_length=40, description="普查对象类别 · kind")] = None,
    visited: Annotated[bool | None, Query(description="计为已走访 · counts as visited")] = None,
    outcome: Annotated[str | None, Query(max_length=40, description="走访结果 · outcome")] = None,
    visited_from: Annotated[date | None, Query(description="走访日期起 · visited from")] = None,
    visited_to: Annotated[date | None, Query(description="走访日期止 · visited up to")] = None,
    void: VoidAsked = False,
) -> UnitPage:
    """In order of unit and number."""
    equal = {"street": street, "kind": kind, "visited": visited, "outcome": outcome, "void": void}
    after = page.after(str)
    rows = await store.list_states(
        tx,
        models.census_units,
        equal,
        units_asked(caller, unit),
        after[0] if after else None,
        page.limit + 1,
        {"visited_on": (visited_from, visited_to)},
    )
    shown = page.of(rows, lambda row: (row["natural_key"],), request, response, _version)
    return UnitPage.model_validate(shown)


@router.get("/persons", summary="普查登记人员 · persons found not insured, nobody named")
async def list_persons_found(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: UnitAsked = None,
    street: StreetAsked = None,
    reason: Annotated[
        str | None, Query(max_length=40, description="未参保原因 · reason, by the plan's list")
    ] = None,
    eligible: Annotated[bool | None, Query(description="符合参保年龄 · by age (O67)")] = None,
    age_finding: Annotated[
        str | None, Query(max_length=40, description="年龄判断 · finding; post-unknown 岗位不明")
    ] = None,
    can_pay: Annotated[bool | None, Query(description="有缴费能力 · able to pay")] = None,
    found_from: Annotated[date | None, Query(description="登记日期起 · found from")] = None,
    found_to: Annotated[date | None, Query(description="登记日期止 · found up to")] = None,
    void: VoidAsked = False,
) -> FoundPage:
    """In order of unit and number."""
    equal = {
        "street": street,
        "reason": reason,
        "eligible": eligible,
        "age_finding": age_finding,
        "can_pay": can_pay,
        "void": void,
    }
    after = page.after(str)
    rows = await store.list_states(
        tx,
        models.census_persons,
        equal,
        units_asked(caller, unit),
        after[0] if after else None,
        page.limit + 1,
        {"found_on": (found_from, found_to)},
    )
    shown = page.of(rows, lambda row: (row["natural_key"],), request, response, _found)
    return FoundPage.model_validate(shown)


@router.get("/persons/{entry}", summary="普查登记人员(掩码) · a person found, masked")
async def get_person_found(
    entry: str,
    caller: PersonReader,
    tx: Tx,
    runtime: RuntimeDep,
    purpose: Annotated[
        str, Query(min_length=1, max_length=200, description="查询事由 · what it is read for")
    ],
) -> FoundDetail:
    """Needs a purpose; the reading is logged in the same transaction (F55)."""
    row = await store.find_person(tx, entry)
    if row is None:
        raise problem("not-found")
    caller.require_unit(row["unit"])
    await log_access(
        tx,
        f"found:{entry}",
        caller.subject,
        caller.department,
        purpose,
        runtime.clock.now(),
    )
    number, name, kind, nationality = unsealed(bytes(row["sealed"]), entry, runtime.secrecy)
    return FoundDetail.model_validate(
        {
            **_found(row),
            "identity_no": mask_document(kind, number) if number else None,
            "identity_kind": kind if number else None,
            "nationality": nationality,
            "name": name[:1] + "*" * (len(name) - 1),
        }
    )


def _version(row: RowMapping | dict[str, Any]) -> dict[str, Any]:
    return {**row, "delivery_id": str(row["delivery_id"])}


def _found(row: RowMapping | dict[str, Any]) -> dict[str, Any]:
    key = row["person_key"]
    return {**_version(row), "entry": row["natural_key"], "has_identity_no": key is not None}
