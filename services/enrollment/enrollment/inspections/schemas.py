"""The record a finding is pushed as, and what the API says of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta
from pydantic import BaseModel, ConfigDict, Field

from enrollment.census.schemas import NO_IDENTITY
from shared.deliveries.fields import LicenceNo, OrgCode, Unit

_Count = Annotated[int, Meta(ge=0, le=200_000)]


class InspectionFinding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the labour inspection found at one employer on one visit (O33): staff, how many of them
    without a written contract, how many not enrolled. Nobody is named."""

    finding_no: Annotated[
        str,
        Meta(
            pattern=rf"^{NO_IDENTITY}[0-9A-Za-z-]{{1,32}}$",
            description="检查编号 · number of the inspection",
        ),
    ]
    inspected_on: Annotated[date, Meta(description="检查日期 · day of the inspection")]
    unit: Unit
    employer_name: Annotated[
        str,
        Meta(
            pattern=rf"^{NO_IDENTITY}.{{2,200}}$",
            description="被检查单位 · name of the employer inspected",
        ),
    ]
    staff_found: Annotated[_Count, Meta(description="实有用工人数 · persons found working there")]
    not_enrolled: Annotated[
        _Count, Meta(description="其中未参保人数 · of them not enrolled in the insurance")
    ]
    without_contract: Annotated[
        _Count, Meta(description="其中未签劳动合同人数 · of them without a written contract")
    ] = 0
    org_code: OrgCode | None = None
    licence_no: LicenceNo | None = None
    void: Annotated[bool, Meta(description="作废 · entered by mistake, or twice")] = False


class Shown(BaseModel):
    """Base of every answer: read from rows, nothing that is not declared."""

    model_config = ConfigDict(from_attributes=True)


class FindingShown(Shown):
    """A finding of the labour inspection."""

    finding: str = Field(description="编号 · <unit>.<finding_no>")
    unit: str
    inspected_on: date
    employer_name: str
    org_code: str | None
    licence_no: str | None
    staff_found: int
    without_contract: int
    not_enrolled: int
    void: bool
    revision: int
    delivery_id: str
    record_no: int
    recorded_at: datetime


class FindingPage(Shown):
    """A page of findings; ``next`` is the address of the next one."""

    items: list[FindingShown]
    next: str | None
