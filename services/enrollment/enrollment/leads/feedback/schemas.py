"""What a department is told of its records."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field


class Feedback(BaseModel):
    """What became of a feed's records (F21). Each count is the length of ``/leads/feedback/rows``
    with the same feed and period and its outcome or part."""

    feed: str
    period: str | None = Field(description="期间 · when recorded; null for all time")
    rows: int = Field(description="记录数 · records that bear on leads")
    opened: int = Field(description="由其立项 · records that opened a lead")
    joined: int = Field(description="并入已有 · records that joined a lead others had opened")
    outcomes: dict[str, int] = Field(
        description="结果 · in-progress 跟进中, enrolled 已参保, not-effective 无效, "
        "already-enrolled 此前已参保, held 身份待认定, no-lead 未形成线索; they add up to rows"
    )
    leads: int = Field(description="线索数 · leads they led to")
    leads_enrolled: int = Field(description="其中已参保 · of them enrolled")
    conversion: Decimal | None = Field(description="转化率 · enrolled over leads; null of none")
    days_to_enrol_median: float | None = Field(
        description="参保用时中位数(天) · days to enrolment since the department told, median"
    )
    days_to_enrol_p90: float | None = Field(description="同上九成位 · the same, 90th percentile")


class FeedbackRow(BaseModel):
    """A record and what became of it; delivery and number find it at the service of its feed."""

    model_config = ConfigDict(from_attributes=True)

    delivery_id: str
    record_no: int
    unit: str
    recorded_at: datetime
    lead_id: str | None
    part: str | None = Field(description="opened 由其立项 · joined 并入已有")
    outcome: str
    effect: str | None = Field(description="甄别结果 · of the lead, by the effectiveness test")
    reasons: list[str]
    opened_on: date | None
    closed_on: date | None


class FeedbackPage(BaseModel):
    """A page of records; ``next`` is the address of the next one."""

    items: list[FeedbackRow]
    next: str | None
