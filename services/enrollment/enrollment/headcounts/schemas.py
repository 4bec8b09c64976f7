"""What the API says of headcounts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Cause = Literal["none", "taxable-over-contributing", "found-by-census"]


class Shown(BaseModel):
    """Base of every answer: read from rows, nothing that is not declared."""

    model_config = ConfigDict(from_attributes=True)


class HeadcountShown(Shown):
    """An employer's three headcounts for a month, each with who said it."""

    employer_id: str
    employer_name: str
    unit: str
    month: str
    in_register: bool = Field(description="已参保登记 · in the register now")
    taxable: int | None = Field(
        description="计税工资人数；未报送为空 · taxable headcount, null where none was told"
    )
    taxable_feed: str | None
    taxable_told_at: datetime | None
    taxable_delivery_id: str | None
    taxable_record_no: int | None
    contributing: int = Field(description="缴费人数 · persons contributions are paid for")
    contributing_from: Literal["tax", "register"] = Field(
        description="tax 税务所报, register 登记库月末在职(税务未报) · as the tax office told, or "
        "where it did not, active in the register on the month's last day"
    )
    register_active: int = Field(description="登记库当前在职 · active in the register now")
    found_entries: int = Field(
        description="截至月末普查登记人次 · entries of uninsured persons, age not against it, whom "
        "the census found there up to the month's end"
    )
    found_persons: int = Field(description="其中可辨识人数 · of these, different persons by number")
    found_missing: int = Field(
        description="其中现不在该单位参保 · of these, not active at the employer now"
    )
    found_told_at: datetime | None
    gap: int = Field(
        description="缺口：计税多于缴费与普查未参保两者取大 · the larger of taxable less "
        "contributing and persons found missing"
    )
    cause: Cause = Field(
        description="none 无缺口, taxable-over-contributing 计税多于缴费, found-by-census 普查发现"
    )
    deductible: int | None = Field(
        description="税前列支核准人数 · headcount deductible before tax: the contributing where "
        "that is lower (O45)"
    )


class HeadcountPage(Shown):
    """A page of employers; ``next`` is the address of the next one."""

    items: list[HeadcountShown]
    next: str | None


class EmployerHeadcounts(Shown):
    """An employer's months, oldest first."""

    employer_id: str
    months: list[HeadcountShown]


class HeadcountSum(Shown):
    """Counts and sums of a unit and month."""

    month: str
    unit: str
    employers: int
    taxable: int
    contributing: int
    found_persons: int
    with_gap: int = Field(
        description="缺口达到门槛的单位数 · employers whose gap reaches the threshold"
    )
    gap: int = Field(description="其缺口人数合计 · persons missing at these")
    taxable_over_contributing: int
    found_by_census: int


class HeadcountSums(Shown):
    """Sums by month and unit."""

    threshold: int = Field(
        description="缺口门槛（方案参数） · the least gap that counts, by the plan"
    )
    items: list[HeadcountSum]
