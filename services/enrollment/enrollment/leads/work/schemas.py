"""What officers send about a lead, and what the API says of the work on it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Means = Annotated[
    Literal["visit", "phone", "letter", "notice"],
    Field(description="方式:走访、电话、信函、书面通知 · means"),
]
Stage = Literal["found", "notified", "promised", "in-enforcement", "enrolled", "excluded", "ended"]
Level = Literal["officer", "unit", "leading-group-office", "supervision"]
NextOn = Annotated[date | None, Field(description="下一步的日期 · day of the next step")]


class Given(BaseModel):
    """Base of every body sent: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid")


class StageGiven(Given):
    """To which stage the lead goes, since when, by what."""

    stage: Stage = Field(
        description="notified 已通知 · promised 已承诺 · in-enforcement 督办执法中 · found 退回待办"
    )
    on: date = Field(description="发生日期 · day it came about")
    means: Means | None = None
    text: Words = Field(description="经过或理由 · what happened, or why")
    promised_by: date | None = Field(
        None, description="承诺办理的日期;转入 promised 时必填 · day promised"
    )
    next_step: Words | None = None
    next_on: NextOn = None


class ContactGiven(Given):
    """An entry of the contact log (F19), or a measure of the leading group (O73)."""

    kind: Literal["contact", "measure"] = Field(
        "contact", description="contact 联系 · measure 督促措施"
    )
    on: date = Field(description="发生日期 · day")
    means: Means | None = Field(None, description="联系必填 · needed for a contact")
    text: Words = Field(description="结果或措施内容 · result, or the measure")
    promised_by: date | None = Field(None, description="承诺办理的日期 · day promised")
    next_step: Words | None = Field(None, description="下一步 · next step")
    next_on: NextOn = None
    corrects: int | None = Field(
        None, ge=1, description="更正第几条;原条目仍保留 · number of the entry it corrects"
    )


class AssignmentGiven(Given):
    """To whom the lead is assigned (F19)."""

    unit: str | None = Field(
        None,
        max_length=20,
        description="承办单位;不填为线索所属单位 · unit, the lead's own if none",
    )
    officer: Name | None = Field(
        None, description="经办人令牌中的 subject;不填为不指定 · the officer's token subject"
    )
    officer_name: Name | None = Field(None, description="经办人姓名 · name to show")
    reason: Words | None = Field(
        None, description="改派时必填 · needed where somebody has it already"
    )


class WantedGiven(Given):
    """Which leads: the same filters as of the list."""

    unit: str | None = Field(None, max_length=20)
    stage: Stage | None = None
    assignee: Name | None = Field(None, description="me 本人 · none 未指定 · subject")
    age: str | None = Field(None, max_length=20)
    overdue: bool | None = None
    never_contacted: bool | None = None
    level: Level | None = None
    excluding: bool | None = None
    kind: str | None = Field(None, max_length=40)
    q: str | None = Field(None, min_length=1, max_length=40)


class BulkAssignmentGiven(Given):
    """All leads of a filter assigned at once."""

    leads: WantedGiven = Field(description="筛选条件,同列表 · filters as of the list")
    assignment: AssignmentGiven
    expected: int = Field(
        ge=1, description="所见条数;不符则不生效(409) · how many the list had; else nothing happens"
    )


class BulkAssigned(BaseModel):
    """What came of it."""

    assigned: int


class ExclusionGiven(Given):
    """Why the lead ought to be excluded; a second person decides."""

    reason: str = Field(
        max_length=40, description="排除原因,见计划中的 lead-exclusion-reasons · coded reason"
    )
    text: Words = Field(description="依据 · what it rests upon")


class ReviewGiven(Given):
    """What the second person says."""

    agreed: bool = Field(description="同意排除 · whether it is excluded")
    text: Words


class RevocationGiven(Given):
    """Why an exclusion no longer holds."""

    text: Words


class Shown(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(from_attributes=True)


class WorkShown(Shown):
    """A lead and how the work on it stands. Days are counted from ``found_on``."""

    lead_id: str
    employer_id: str | None
    employer_name: str
    kind: str
    status: str
    outcome: str | None
    gap: int
    sources: list[str]
    opened_on: date
    closed_on: date | None
    found_on: date = Field(description="本系统获知之日 · day it came to be known here")
    age_days: int
    stage: str
    stage_on: date | None
    unit: str = Field(description="承办单位 · unit that works on it")
    lead_unit: str = Field(description="线索所属单位 · the lead's own unit")
    officer: str | None
    officer_name: str | None
    contacted_on: date | None = Field(description="首次联系 · first contact")
    last_contact_on: date | None
    contact_count: int
    never_contacted: bool
    promised_by: date | None
    next_step: str | None
    next_on: date | None
    register_by: date | None = Field(
        description="登记时限:自执照或通知起 · last day to register, from licence or notice"
    )
    due_on: date | None
    due_for: str | None = Field(
        description="first-contact 首次联系 · promise 承诺 · next-step 下一步"
        " · registration 登记时限"
    )
    days_overdue: int
    level: str | None = Field(
        description="升级至:officer 经办人 · unit 承办单位 · leading-group-office 领导小组办公室"
        " · supervision 监察"
    )
    proposal_no: int | None = Field(description="待审核的排除申请 · exclusion to be decided")
    decision_no: int | None = Field(description="现行排除决定 · exclusion that stands")
    version: int


class WorkPage(Shown):
    """A page of leads, the longest known first."""

    items: list[WorkShown]
    next: str | None


class EntryShown(Shown):
    """One line of a lead's log."""

    no: int
    kind: str
    on: date
    recorded_at: datetime
    made_by: str
    department: str
    code: str | None
    means: str | None
    text: str | None
    next_step: str | None
    next_on: date | None
    promised_by: date | None
    unit: str | None
    officer: str | None
    officer_name: str | None
    corrects: int | None


class WorkDetail(WorkShown):
    """A lead with its whole log and where it can go from here."""

    stages_next: list[str]
    log: list[EntryShown]


class OfficerCount(Shown):
    """What one officer has; officer null: nobody's."""

    officer: str | None
    officer_name: str | None
    standing: int
    overdue: int


class UnitCount(Shown):
    """Counts of a unit; each is the length of the list with the same filter."""

    unit: str
    standing: int
    stages: dict[str, int]
    ages: dict[str, int] = Field(description="在办天数 · days known, of standing leads")
    never_contacted: int
    overdue: int
    levels: dict[str, int] = Field(description="逾期升级 · overdue, by level it has gone to")
    excluding: int
    officers: list[OfficerCount]


class WorkSummary(Shown):
    """Counts by unit, in the plan's order, and their sums."""

    as_of: date
    total: UnitCount
    units: list[UnitCount]


class LoggedShown(Shown):
    """An entry of any lead's log; ``followed_by``: how many entries came after it."""

    lead_id: str
    employer_name: str
    lead_unit: str
    stage: str
    no: int
    kind: str
    on: date
    recorded_at: datetime
    made_by: str
    department: str
    means: str | None
    text: str | None
    next_step: str | None
    next_on: date | None
    corrects: int | None
    followed_by: int


class LoggedPage(Shown):
    """A page of entries in the order they were recorded."""

    items: list[LoggedShown]
    next: str | None


class Told(Shown):
    """One thing that happened, as a sentence."""

    at: datetime = Field(description="记录时间 · when it was recorded")
    on: date = Field(description="发生日期 · when it took effect")
    kind: str
    by: str | None = Field(description="来源或经办人 · feed, or who")
    zh: str
    en: str
    no: int | None = Field(None, description="日志条目号 · entry of the log")
    subject: str | None = None
    delivery_id: str | None = None
    record_no: int | None = None


class StoryShown(Shown):
    """All that is known of a lead, in the order it was recorded."""

    lead_id: str
    employer_id: str | None
    employer_name: str
    stage: str
    items: list[Told]
