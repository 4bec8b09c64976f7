"""What may be read of persons without wage (O43): by who levies and who insures them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from shared.auth import allow
from tax_feed.listing import PREFIX, AskedDep, MonthAsked
from tax_feed.no_wage import models, views
from tax_feed.no_wage.schemas import NoWagePage

router = APIRouter(prefix=PREFIX, tags=["no-wage"])


@router.get(
    "/no-wage-persons",
    response_model=NoWagePage,
    summary="未领取工资人员 · persons without wage",
    dependencies=[allow("tax", "agency", "unit", "auditor")],
)
async def list_no_wage_persons(
    asked: AskedDep,
    month: MonthAsked = None,
    person_key: Annotated[
        str | None, Query(max_length=80, description="人员散列 · keyed hash of a person")
    ] = None,
) -> dict[str, Any]:
    """In order of month. The employer's part is a line of its own, with its formula; people are
    keyed hashes, their numbers and names stay sealed."""
    return await asked.page_of(
        models.no_wage_persons,
        "month",
        views.no_wage_view,
        equal={"month": month, "person_key": person_key},
    )
