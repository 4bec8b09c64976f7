"""What the API says of golden records and their conflicts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal[
    "address-differs",
    "unit-differs",
    "name-differs",
    "two-codes",
    "reg-type-differs",
    "private-firm-differs",
    "industry-differs",
    "struck-off-elsewhere",
    "deregistered-with-insured",
]
Status = Literal["open", "set-aside", "gone"]


class Shown(BaseModel):
    """Base of every answer: read from rows, nothing that is not declared."""

    model_config = ConfigDict(from_attributes=True)


class Word(Shown):
    """What one record says of a field; delivery and number find it at the service of its feed."""

    value: str
    department: str = Field(description="部门 · who says so")
    feed: str
    subject: str
    revision: int
    status: str = Field(
        default="standing",
        description="standing 有效 · struck-off 已注销: believed only where nobody standing speaks",
    )
    effective_on: date = Field(description="何日起 · since when it is so")
    recorded_at: datetime = Field(description="何时记录 · when its service recorded it")
    delivery_id: str | None
    record_no: int | None


class FormerWord(Word):
    """A value another took the place of."""

    until: datetime = Field(description="至何时 · until when it stood in the golden record")


class FieldShown(Shown):
    """One field: the value that counts, whose it is, and what the others say."""

    field: str
    believed: Word
    others: list[Word] = Field(description="其他记录所载，按可信次序 · in the order of precedence")
    differs: bool = Field(description="各记录所载不一 · not all say the same")
    history: list[FormerWord] = Field(description="先前的值，新者在前 · newest first, at most 100")


class SightingShown(Shown):
    """The latest state of one subject of a department."""

    subject: str
    revision: int
    department: str
    feed: str
    status: str = Field(description="standing 有效 · struck-off 已注销 · withdrawn 已撤回")
    name: str | None
    unit: str
    address: str | None
    legal_rep_key: str | None = Field(
        description="法定代表人姓名的密钥散列 · keyed hash: equal for equal names, tells no name"
    )
    founded_on: date | None
    reg_type: str | None
    industry: str | None
    household: bool | None
    org_code: str | None
    licence_no: str | None
    owner_key: str | None
    headcount: int | None
    period: str | None
    effective_on: date
    recorded_at: datetime
    delivery_id: str | None
    record_no: int | None


class Evidence(Shown):
    """Who says what."""

    source: str = Field(
        description="报送项目；register 参保登记，link 他人号码 · feed; register; link: a number "
        "that is another employer's, named in subject"
    )
    value: str
    subject: str


class ConflictShown(Shown):
    """A contradiction about one employer."""

    conflict_id: int
    employer_id: str
    employer_name: str
    unit: str
    kind: Kind = Field(
        description="address-differs 地址不一 · unit-differs 所属县区不一 · "
        "name-differs 名称不一 · two-codes 一户两码 · reg-type-differs 登记类型不一 · "
        "private-firm-differs 是否私营不一(O15) · industry-differs 行业不一 · "
        "struck-off-elsewhere 一处注销一处存续 · deregistered-with-insured 已注销仍有参保职工"
    )
    status: Status = Field(description="open 待核 · set-aside 已搁置 · gone 已消除")
    evidence: list[Evidence]
    found_at: datetime
    changed_at: datetime
    set_aside_at: datetime | None
    set_aside_by: str | None
    reason: str | None


class ConflictPage(Shown):
    """A page of conflicts; ``next`` is the address of the next one."""

    items: list[ConflictShown]
    next: str | None


class ConflictCount(Shown):
    """How many the list has for this unit and kind."""

    unit: str
    kind: Kind
    count: int


class RecordShown(Shown):
    """The golden record of an employer."""

    employer_id: str
    name: str
    unit: str
    fields: list[FieldShown]
    sources: list[SightingShown]
    conflicts: list[ConflictShown]


class SettingAside(BaseModel):
    """Why a contradiction need not be looked at any more."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(
        min_length=2,
        max_length=500,
        description="搁置理由；证据有变时重新列出 · the reason; it is open again when the evidence "
        "changes",
    )
