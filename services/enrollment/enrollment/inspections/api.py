"""The HTTP door to the labour inspection's findings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import RowMapping

from enrollment.inspections import store
from enrollment.inspections.schemas import FindingPage
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import ReadTx
from shared.paging import PageDep

router = APIRouter(prefix="/enrollment/v1/inspections", tags=["inspections"])

Reader = Annotated[
    Caller,
    allow("agency", "unit", "leading-group", "auditor", "supervision", "labour-inspection"),
]


@router.get("", summary="劳动监察检查结果 · findings of the labour inspection")
async def list_findings(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: Annotated[str | None, Query(description="填报单位 · reporting unit")] = None,
    org_code: Annotated[
        str | None, Query(max_length=9, description="组织机构代码 · organisation code")
    ] = None,
    void: Annotated[
        bool, Query(description="仅作废 · those taken back, instead of the others")
    ] = False,
) -> FindingPage:
    """In order of unit and number."""
    after = page.after(str)
    rows = await store.list_findings(
        tx,
        {"org_code": org_code, "void": void},
        units_asked(caller, unit),
        after[0] if after else None,
        page.limit + 1,
    )
    return FindingPage.model_validate(
        page.of(rows, lambda row: (row["natural_key"],), request, response, _shown)
    )


def _shown(row: RowMapping | dict[str, Any]) -> dict[str, Any]:
    return {**row, "finding": row["natural_key"], "delivery_id": str(row["delivery_id"])}
