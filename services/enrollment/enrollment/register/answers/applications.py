"""What the API says of applications, of the days they take and of refusals not allowed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from enrollment.register.answers.counts import Shown


class ApplicationMade(BaseModel):
    """What an officer applies for."""

    model_config = ConfigDict(extra="forbid")

    feed: Literal["person-applications", "employer-applications"] = Field(
        description="申请种类 · whose application; the record is one of this feed's"
    )
    record: dict[str, Any] = Field(description="申请内容 · see GET …/feeds/{feed}")


class Decision(BaseModel):
    """What another person says of an application."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["approve", "refuse"] = Field(description="approve 同意, refuse 不予办理")
    reason: str | None = Field(
        default=None,
        max_length=40,
        description="不予办理的理由 · needed to refuse: a code of the plan's list refusal-reasons",
    )
    note: str | None = Field(default=None, max_length=500, description="说明 · in words")


class ApplicationShown(Shown):
    """An officer's application, without who it is about."""

    application_id: str
    feed: str
    application_no: str
    action: str
    unit: str
    applied_on: date
    effective_on: date
    state: str = Field(description="pending 待审, approved 同意, refused 不予办理")
    maker: str
    made_at: datetime
    checker: str | None
    decided_at: datetime | None
    reason: str | None
    note: str | None
    delivery_id: str | None = Field(
        description="办理报送 · the delivery by which it went into the register; it says how the "
        "record ended"
    )


class ApplicationDetail(ApplicationShown):
    """The same with what was applied for, masked."""

    record: Any


class ApplicationPage(Shown):
    """A page of applications; ``next`` is the address of the next one."""

    items: list[ApplicationShown]
    next: str | None


class DaysTaken(Shown):
    """How long the applications of a unit take, from the day applied to the decision."""

    unit: str
    count: int
    decided_count: int
    pending_count: int
    median_days: int | None
    p90_days: int | None = Field(description="九成在此天数内 · nine of ten took no longer")
    late_count: int = Field(description="超期办结 · decided after the limit")
    overdue_count: int = Field(description="超期未办 · not decided, and beyond the limit")


class Statistics(Shown):
    """Days taken per unit, against the plan's limit."""

    limit_days: int
    units: list[DaysTaken]


class TakenShown(Shown):
    """An application that ``Statistics`` counts, without who it is about."""

    source: str = Field(
        description="person-applications, employer-applications 已入库, "
        "officer-applications 待审或不予办理 · where it stands"
    )
    key: str = Field(description="编号 · of the application")
    action: str
    unit: str
    applied_on: date
    effective_on: date
    decided_on: date | None
    days: int = Field(description="办理或等待天数 · days taken, or waited so far")
    late: bool = Field(description="超期 · more than the limit")


class TakenPage(Shown):
    """A page of applications counted; ``next`` is the address of the next one."""

    items: list[TakenShown]
    next: str | None


class AttemptShown(Shown):
    """A refusal on a ground the plan forbids; it took no effect."""

    application_id: str
    unit: str
    officer: str
    department: str
    ground: str = Field(description="禁止的理由 · by the plan's list forbidden-refusals")
    said: str
    attempted_at: datetime


class AttemptPage(Shown):
    """A page of attempts; ``next`` is the address of the next one."""

    items: list[AttemptShown]
    next: str | None


class GapShown(Shown):
    """Someone employed and not enrolled, or enrolled later than employed (O4)."""

    source: str = Field(
        description="person-applications 参保申请(已办), officer-applications 待审申请, "
        "census-persons 普查登记"
    )
    key: str = Field(description="编号 · of the application or the census entry")
    person_id: str | None
    unit: str
    agency_no: str | None
    employed_from: date = Field(description="用工(或登记)起 · employed since, at the latest")
    enrolled_on: date | None = Field(description="参保生效 · null: not enrolled on the day")
    days: int = Field(description="未参保天数 · days employed without being enrolled")
    open: bool


class GapPage(Shown):
    """A page of gaps; ``next`` is the address of the next one."""

    items: list[GapShown]
    next: str | None


class GapCount(Shown):
    """Gaps of a unit: open, closed, and the longest."""

    unit: str
    open_count: int
    closed_count: int
    most_days: int


class DoubtShown(Shown):
    """An enrolment that was taken in, and what speaks against it."""

    application_no: str
    finding: str = Field(
        description="too-old 超龄, too-young 未达年龄, post-unknown 女性岗位不明(无法判断年龄), "
        "employer-ended 用人单位已注销"
    )
    person_id: str | None
    action: str
    unit: str
    agency_no: str | None
    applied_on: date
    effective_on: date
    delivery_id: str
    record_no: int


class DoubtPage(Shown):
    """A page of findings; ``next`` is the address of the next one."""

    items: list[DoubtShown]
    next: str | None


class DoubtCount(Shown):
    """Findings of a kind in a unit."""

    unit: str
    finding: str
    count: int


class TransferShown(Shown):
    """A person transferred from or to another city."""

    application_no: str
    person_id: str | None
    action: str
    unit: str
    other_place: str
    applied_on: date
    effective_on: date
    within_province: bool
    case: str = Field(
        description="continued 省内接续, common-procedure 跨省统一办法, "
        "single-procedure 跨省一事一办(2010年前无统一办法)"
    )


class TransferPage(Shown):
    """A page of transfers; ``next`` is the address of the next one."""

    items: list[TransferShown]
    next: str | None
