"""What may be read of tax registrations (O38)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from tax_feed.listing import PREFIX, AskedDep
from tax_feed.registrations import models, store
from tax_feed.registrations.schemas import TaxRegistrationPage

router = APIRouter(prefix=PREFIX, tags=["registrations"])


@router.get(
    "/tax-registrations",
    response_model=TaxRegistrationPage,
    summary="税务登记与参保告知 · tax registrations and notices to enrol",
)
async def list_tax_registrations(
    asked: AskedDep,
    notified: Annotated[
        bool | None, Query(description="false 即未告知清单 · false lists those not told (O38)")
    ] = None,
    enrol_by_until: Annotated[
        date | None, Query(description="最后日期不晚于 · whose last day to enrol is not after")
    ] = None,
) -> dict[str, Any]:
    """In order of the day of registration. ``notified=false`` lists those that nobody told to
    enrol; ``enrol_by_until`` those whose clock has run out by a day, enrolled since or not."""
    return await asked.page_of(
        models.tax_registrations, "registered_on", conditions=store.told(notified, enrol_by_until)
    )
