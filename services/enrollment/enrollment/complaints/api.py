"""The HTTP door to complaints: lists name no informant; what was written is for investigators."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import RowMapping

from enrollment.complaints import store
from enrollment.complaints.intake import unsealed
from enrollment.complaints.schemas import ComplaintContent, ComplaintPage
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import ReadTx, RuntimeDep, Tx
from shared.paging import PageDep
from shared.problems import problem

router = APIRouter(prefix="/enrollment/v1/complaints", tags=["complaints"])

Reader = Annotated[
    Caller,
    allow("agency", "unit", "leading-group", "auditor", "supervision", "labour-inspection"),
]
Investigator = Annotated[Caller, allow("labour-inspection")]


@router.get("", summary="举报投诉 · complaints, without the informant")
async def list_complaints(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: Annotated[str | None, Query(description="填报单位 · reporting unit")] = None,
    ground: Annotated[
        str | None, Query(max_length=40, description="举报事项 · ground, by the plan's list")
    ] = None,
    org_code: Annotated[
        str | None, Query(max_length=9, description="组织机构代码 · organisation code")
    ] = None,
    void: Annotated[
        bool, Query(description="仅作废 · those taken back, instead of the others")
    ] = False,
) -> ComplaintPage:
    """In order of sender and number."""
    after = page.after(str)
    rows = await store.list_complaints(
        tx,
        {"ground": ground, "org_code": org_code, "void": void},
        units_asked(caller, unit),
        after[0] if after else None,
        page.limit + 1,
    )
    return ComplaintPage.model_validate(
        page.of(rows, lambda row: (row["natural_key"],), request, response, _shown)
    )


@router.get("/{complaint}/content", summary="举报内容(保密) · what was written and by whom")
async def get_complaint_content(
    complaint: str,
    caller: Investigator,
    tx: Tx,
    runtime: RuntimeDep,
    purpose: Annotated[
        str, Query(min_length=1, max_length=200, description="查询事由 · what it is read for")
    ],
) -> ComplaintContent:
    """For the labour inspection only, with a purpose; the reading is logged in the same
    transaction."""
    row = await store.find_sealed(tx, complaint)
    if row is None:
        raise problem("not-found")
    caller.require_unit(row["unit"])
    await store.log_access(
        tx, complaint, caller.subject, caller.department, purpose, runtime.clock.now()
    )
    written = unsealed(bytes(row["sealed"]), complaint, runtime.secrecy)
    return ComplaintContent.model_validate({"complaint": complaint, **written._asdict()})


def _shown(row: RowMapping | dict[str, Any]) -> dict[str, Any]:
    return {**row, "complaint": row["natural_key"], "delivery_id": str(row["delivery_id"])}
