"""Bodies of obligations. Moments are UTC; days are calendar days in Asia/Shanghai."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from reporting.figures.schemas import Answer, UnitName
from reporting.obligations.rules import State


class Named(Answer):
    """A code with its words."""

    code: str
    zh: str
    en: str


class DeliveryLink(Answer):
    """The first delivery that counts, and where it can be read."""

    id: UUID
    href: str


class Mark(Answer):
    """What the leading group's office said of an obligation, and when."""

    code: str
    zh: str
    en: str
    words: str | None
    by: str
    at: datetime


class Obligation(Answer):
    """One expected delivery and how it stands."""

    id: str = Field(examples=["dekad-reports.210502.2008-06-D1"])
    feed: str
    department: Named
    unit: UnitName | None = Field(
        description="应报单位;空:由部门报送 · who owes it; null: the department itself"
    )
    period: str
    cut_off_on: date
    due_at: datetime
    state: State
    received_at: datetime | None = Field(
        description="收到首次报送的时间,以本系统时钟为准 · when the first one came, by our clock"
    )
    delivery: DeliveryLink | None
    deliveries: int = Field(description="撤回的不计 · withdrawn ones do not count")
    days_late: int = Field(description="逾期天数 · calendar days after the due day; 0 in time")
    reason: Mark | None = Field(description="逾期原因 · why it was late or did not come")
    excuse: Mark | None


class ObligationPage(Answer):
    """One page of obligations, and how many there are of each state in all pages.

    ``counts`` leaves the filter by state out; ``total`` is the length of the list as asked for.
    """

    as_of: datetime
    clock: str
    counts: dict[State, int]
    total: int
    items: list[Obligation]
    next: str | None


class PastMark(Mark):
    """A mark with its end."""

    kind: Literal["reason", "excuse"]
    undone_by: str | None
    undone_at: datetime | None


class ObligationShown(Answer):
    """One obligation with everything ever said of it, oldest first."""

    obligation: Obligation
    history: list[PastMark]


class MarkGiven(BaseModel):
    """A coded reason; ``words`` where the code alone says too little."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=60, description="代码,见方案 · of the plan's closed list")
    words: str | None = Field(default=None, min_length=2, max_length=500)


class LateReasonShown(Named):
    """A reason of the plan's closed list."""

    excuses: bool
    text_needed: bool
    source: str
    status: str


class Metrics(Answer):
    """Reporting rates in the manner of DHIS2, over what has fallen due and is not excused.

    Rates are percents with one decimal, half up; null where nothing was expected.
    """

    feed: str | None = None
    department: str | None = None
    unit: str | None = None
    period: str | None = None
    expected: int = Field(description="应报 · expected reports")
    actual: int = Field(description="实报 · actual reports, late ones too")
    actual_on_time: int = Field(description="按期报送 · actual reports on time")
    reporting_rate: str | None = Field(description="报送率,即完整率 · completeness")
    reporting_rate_on_time: str | None = Field(description="按期率 · on-time rate")
    missing: int
    late: int
    excused: int


class MetricsAnswer(Answer):
    """The whole and, of it, each group."""

    as_of: datetime
    clock: str
    by: list[str]
    total: Metrics
    groups: list[Metrics]


class NoticeShown(Answer):
    """A reminder before, or a chase after, a due moment."""

    obligation: str
    kind: Literal["reminder", "overdue"]
    feed: str
    department: Named
    unit: UnitName | None
    period: str
    due_at: datetime
    level: int | None = Field(description="催报级次 · each missed deadline in a row goes one up")
    to: Named | None = Field(description="催报对象 · to whom it goes at that level")
    standing: bool = Field(description="否:已撤销(已按期收到或获准免报) · false: taken back")
    told_at: datetime
    changed_at: datetime


class NoticePage(Answer):
    """One page of notices and how many of each kind there are in all pages."""

    counts: dict[str, int]
    total: int
    items: list[NoticeShown]
    next: str | None
