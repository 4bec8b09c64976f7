"""What the API says and takes of links between employers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Shown(BaseModel):
    """Base of every answer: read from rows, nothing that is not declared."""

    model_config = ConfigDict(from_attributes=True)


class SignShown(Shown):
    """One sign that was compared."""

    what: str
    zh: str
    en: str
    finding: str = Field(description="agreed 一致 · differs 不一致 · unknown 无从比对")
    points: int


class LinkRow(Shown):
    """Two employers that are, may be, or are known not to be one."""

    id: int
    left_id: str
    left_name: str
    left_unit: str
    right_id: str
    right_name: str
    right_unit: str
    status: str = Field(
        description=(
            "suggested 待核对 · linked 自动关联 · confirmed 已确认 · refused 已否定 · split 已拆分"
        )
    )
    rule: str = Field(description="认定规则 · what the names are to each other, or what forbids")
    score: int = Field(description="0–1000")
    automatic: bool = Field(description="将自动关联 · to be joined without asking")
    survivor_id: str | None = Field(description="保留的单位 · the employer that stays")
    absorbed_id: str | None = Field(description="并入的单位 · the employer found to be it")
    found_at: datetime
    decided_at: datetime | None
    decided_by: str | None = Field(description="system 系统 · or the officer")
    reason: str | None
    evidence: list[SignShown] = Field(description="比对依据 · what was compared")


class LinkPage(Shown):
    """A page of pairs; ``next`` is the address of the next one."""

    items: list[LinkRow]
    next: str | None


class KeyShown(Shown):
    """A number by which departments name the employer."""

    key: str
    rule: str
    via: str | None = Field(description="随其并入的号码 · the key it joined through")
    linked_at: datetime
    delivery_id: str | None
    record_no: int | None


class RecordShown(Shown):
    """What one department's record says of the employer, in its newest state. The legal
    representative is a keyed hash: equal ones are one person."""

    department: str
    feed: str
    subject: str
    status: str = Field(description="standing 有效 · struck-off 已注销")
    name: str | None
    unit: str
    address: str | None
    legal_rep_key: str | None
    founded_on: date | None
    reg_type: str | None
    industry: str | None
    household: bool | None
    org_code: str | None
    licence_no: str | None
    headcount: int | None
    period: str | None
    effective_on: date
    recorded_at: datetime
    delivery_id: str | None
    record_no: int | None


class SideShown(Shown):
    """One of the two employers."""

    employer_id: str
    name: str
    unit: str
    household: bool
    merged_into: str | None
    agency_no: str | None
    keys: list[KeyShown]
    records: list[RecordShown] = Field(description="各部门记录 · by feed and subject")


class DecisionShown(Shown):
    """What was decided, by whom, when and why."""

    decision: str
    reason: str
    decided_by: str
    department: str | None
    decided_at: datetime
    effect: dict[str, Any] = Field(description="变动的单位和号码 · employers and keys it moved")


class LinkDetail(LinkRow):
    """A pair side by side."""

    zh: str = Field(description="结论 · the verdict in words")
    en: str
    left: SideShown
    right: SideShown
    decisions: list[DecisionShown]


Reason = Annotated[
    str, Field(min_length=2, max_length=500, description="理由 · why, for the record")
]


class LinkOrder(BaseModel):
    """A decision about a pair."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["confirm", "refuse", "split"] = Field(
        description="confirm 同一单位 · refuse 不是同一单位 · split 拆分"
    )
    reason: Reason


class ConflictRow(Shown):
    """A record named numbers of two employers."""

    id: int
    key: str = Field(description="另一单位的号码 · the key that belongs to the other employer")
    owner_id: str
    owner_name: str
    owner_unit: str
    employer_id: str = Field(description="记录所指的单位 · whom the record was taken to be about")
    employer_name: str
    employer_unit: str
    delivery_id: str | None
    record_no: int | None
    found_at: datetime
    resolved_at: datetime | None
    resolution: str | None


class ConflictPage(Shown):
    """A page of conflicts; ``next`` is the address of the next one."""

    items: list[ConflictRow]
    next: str | None


class ConflictDetail(ConflictRow):
    """A conflict with both employers."""

    owner: SideShown
    employer: SideShown
    decisions: list[DecisionShown]


class ConflictOrder(BaseModel):
    """A decision about a conflict."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["keep", "move", "merge"] = Field(
        description="keep 号码不动 · move 号码归记录所指的单位 · merge 两者为同一单位"
    )
    reason: Reason


class KeysShown(Shown):
    """An employer's keys and what was decided about them."""

    employer_id: str
    name: str
    unit: str
    household: bool
    merged_into: str | None
    keys: list[KeyShown]
    decisions: list[DecisionShown]


class PartOrder(BaseModel):
    """Keys that are another employer's."""

    model_config = ConfigDict(extra="forbid")

    keys: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=50)]
    reason: Reason


class PartedShown(Shown):
    """The employer that has the keys now."""

    employer_id: str


class MatchingShown(Shown):
    """How far matching is."""

    due: int = Field(description="待比对单位 · employers not looked at since they were named")
    joining: int = Field(description="待自动关联 · pairs about to be joined unasked")


class PersonNameShown(Shown):
    """One identity number told with two names, masked."""

    id: int
    person_id: str
    unit: str
    name_before: str = Field(description="原姓名(掩码) · the name known before, masked")
    name_told: str = Field(description="新报姓名(掩码) · the name told now, masked")
    delivery_id: str
    record_no: int
    found_at: datetime
    status: str = Field(description="open 待核对 · same 同一人 · different 号码有误，不是同一人")


class PersonNamePage(Shown):
    """A page of them; ``next`` is the address of the next one."""

    items: list[PersonNameShown]
    next: str | None


class PersonNameDetail(PersonNameShown):
    """With what was decided."""

    decisions: list[DecisionShown]


class PersonNameOrder(BaseModel):
    """A decision about a number with two names."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["same", "different"] = Field(
        description="same 同一人，姓名已更正 · different 不是同一人，号码有误"
    )
    reason: Reason
