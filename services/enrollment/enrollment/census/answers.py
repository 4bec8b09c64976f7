"""What the API says of the census."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field


class Shown(BaseModel):
    """Base of every answer: read from rows, nothing that is not declared."""

    model_config = ConfigDict(from_attributes=True)


class Version(Shown):
    """Which record made the state."""

    revision: int
    delivery_id: str
    record_no: int
    recorded_at: datetime


class UnitShown(Version):
    """An entry of the frame, and the visit to it."""

    unit: str
    frame_no: str
    street: str
    community: str | None
    kind: str = Field(
        description="enterprise 企业单位 · household-business 个体工商户 · residence 居民户"
    )
    name: str | None
    org_code: str | None
    licence_no: str | None
    visited: bool = Field(description="计为已走访 · counts as visited")
    visited_on: date | None
    visitor: str | None
    outcome: str | None = Field(description="走访结果 · by the plan's list visit-outcomes")
    persons_found: int
    uninsured_found: int
    void: bool


class UnitPage(Shown):
    """A page of the frame; ``next`` is the address of the next one."""

    items: list[UnitShown]
    next: str | None


class FoundShown(Version):
    """A person found not insured, without number, name and birth date."""

    entry: str = Field(description="登记 · <unit>.<entry_no>")
    unit: str
    entry_no: str
    street: str
    frame_no: str | None
    found_on: date
    has_identity_no: bool
    sex: str
    post: str | None
    worker_class: str
    employer_name: str | None
    org_code: str | None
    licence_no: str | None
    reason: str = Field(description="未参保原因 · by the plan's list uninsured-reasons")
    can_pay: bool
    eligible: bool | None = Field(description="符合参保年龄 · null: 无法判断 cannot be told")
    age_finding: str = Field(
        description="of-working-age · too-young · too-old · post-unknown (O67)"
    )
    void: bool


class FoundPage(Shown):
    """A page of persons found; ``next`` is the address of the next one."""

    items: list[FoundShown]
    next: str | None


class FoundDetail(FoundShown):
    """The same with number and name masked; reading it is logged."""

    identity_no: str | None = Field(description="证件号码(掩码) · masked")
    identity_kind: str | None = Field(description="证件类别 · paper; null without a number")
    nationality: str | None = Field(description="国籍 · of a passport")
    name: str = Field(description="姓名(掩码) · masked")
    birth_on: date
