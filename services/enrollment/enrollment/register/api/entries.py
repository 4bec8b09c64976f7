"""The HTTP door to employers and persons."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from enrollment.leads import store as lead_store
from enrollment.register.answers.entries import (
    AccessShown,
    EmployerDetail,
    EmployerPage,
    PersonShown,
)
from enrollment.register.intake.judging import unsealed
from enrollment.register.store import employers as employer_store
from enrollment.register.store import persons as person_store
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.crypto import mask_document
from shared.dependencies import ReadTx, RuntimeDep, Tx
from shared.paging import PageDep
from shared.problems import problem

router = APIRouter(prefix="/enrollment/v1", tags=["register"])

EmployerReader = Annotated[
    Caller,
    allow("agency", "unit", "leading-group", "auditor", "supervision", "labour-inspection"),
]
PersonReader = Annotated[Caller, allow("agency", "unit", "auditor")]
_LOGGED = 1000


@router.get("/employers", summary="用人单位 · employers known to any department")
async def list_employers(
    caller: EmployerReader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    key: Annotated[
        str | None,
        Query(max_length=100, description="号码 · a number, bare or with oc:, lic:, own:, agency:"),
    ] = None,
    unit: Annotated[str | None, Query(description="填报单位 · reporting unit")] = None,
    q: Annotated[
        str | None,
        Query(
            min_length=2,
            max_length=50,
            description="名称片段（至少两字）或整个号码 · part of the name (two characters) "
            "or a whole number",
        ),
    ] = None,
) -> EmployerPage:
    after = page.after(str)
    rows = await employer_store.list_employers(
        tx,
        units=units_asked(caller, unit),
        key=key,
        asked=q,
        after=after[0] if after else None,
        limit=page.limit + 1,
    )
    return EmployerPage.model_validate(
        page.of(rows, lambda row: (row["employer_id"],), request, response)
    )


@router.get("/employers/{employer_id}", summary="用人单位详情 · links, register entry, leads")
async def get_employer(employer_id: str, caller: EmployerReader, tx: ReadTx) -> EmployerDetail:
    employer = await employer_store.find_employer(tx, employer_id)
    if employer is None:
        raise problem("not-found")
    caller.require_unit(employer["unit"])
    employer["register_entry"] = employer.pop("register")
    employer["leads"] = await lead_store.list_leads(tx, lead_store.Wanted(employer_id=employer_id))
    return EmployerDetail.model_validate(employer)


@router.get("/persons/{person_id}", summary="参保人员(掩码) · an insured person, masked")
async def get_person(
    person_id: str,
    caller: PersonReader,
    tx: Tx,
    runtime: RuntimeDep,
    purpose: Annotated[
        str | None, Query(max_length=200, description="查询事由 · what it is read for")
    ] = None,
    x_purpose: Annotated[
        str | None, Header(max_length=200, description="同上 · the same, as a header")
    ] = None,
) -> PersonShown:
    """Needs a purpose; the reading is logged in the same transaction (F55)."""
    said = (purpose or x_purpose or "").strip()
    if not said:
        raise problem("parameter-invalid", reason="purpose", field="purpose")
    row = await person_store.find_person(tx, person_id)
    if row is None:
        raise problem("not-found")
    caller.require_unit(row["unit"])
    await person_store.log_access(
        tx, person_id, caller.subject, caller.department, said, runtime.clock.now()
    )
    known = unsealed(bytes(row["sealed"]), row["person_key"], runtime.secrecy)
    shown = {
        **row,
        "identity_no": mask_document(known.kind, known.number),
        "identity_kind": known.kind,
        "nationality": known.nationality,
        "name": known.name[:1] + "*" * (len(known.name) - 1),
    }
    return PersonShown.model_validate(shown)


@router.get("/persons/{person_id}/accesses", summary="查询留痕 · who read this person")
async def list_accesses(
    person_id: str, caller: Annotated[Caller, allow("auditor", "agency")], tx: ReadTx
) -> list[AccessShown]:
    rows = await person_store.accesses_of(tx, person_id, _LOGGED)
    return [AccessShown.model_validate(row) for row in rows]
