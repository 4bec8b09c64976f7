"""What the API takes and says of frames and of progress."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

NO_IDENTITY = r"^\d{0,14}([^\d\x00]\d{0,14})*$"
"""Nowhere fifteen digits on end."""


class Shown(BaseModel):
    """Base of every answer: read from rows, nothing that is not declared."""

    model_config = ConfigDict(from_attributes=True)


class FrameNamed(BaseModel):
    """A name for the version."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=2, max_length=80, pattern=NO_IDENTITY),
    ] = Field(description="底册版本名称 · name of the version, such as 第一版底册")


class FrameShown(Shown):
    """A frozen version of the frame."""

    version: int
    name: str
    frozen_at: datetime
    frozen_by: str
    entry_count: int = Field(description="应走访 · entries")
    sha256: str = Field(description="底册摘要 · over the entries in their order")


class FramePage(Shown):
    """A page of versions, the latest first."""

    items: list[FrameShown]
    next: str | None


class EntryShown(Shown):
    """An entry as it was frozen, with the visit as it is known now."""

    entry: str = Field(description="普查对象 · <unit>.<frame_no>")
    unit: str
    street: str
    community: str | None
    kind: str
    name: str | None
    org_code: str | None
    licence_no: str | None
    visited: bool
    visited_on: date | None
    visitor: str | None
    outcome: str | None
    persons_found: int
    gone: bool = Field(description="定版后撤销 · taken out of the frame since")


class EntryPage(Shown):
    """A page of entries."""

    items: list[EntryShown]
    next: str | None


class Change(Shown):
    """How many entries of a unit changed how."""

    unit: str
    change: str = Field(description="added 新增 · removed 撤销 · moved 迁移 · changed 变更")
    entries: int


class FrameDifference(Shown):
    """What changed from the earlier version to the later one."""

    earlier: int
    later: int
    totals: dict[str, int]
    changes: list[Change]


class ChangedShown(Shown):
    """One entry that changed."""

    entry: str
    unit: str
    change: str
    street_before: str | None
    street_after: str | None
    kind_before: str | None
    kind_after: str | None


class ChangedPage(Shown):
    """A page of them."""

    items: list[ChangedShown]
    next: str | None


class Progress(Shown):
    """How far the census is; every number is the length of a list of this API."""

    frame: int = Field(description="应走访 · entries of the frame")
    visited: int = Field(description="已走访 · of these, visited")
    visited_rate: str | None = Field(description="走访率(%) · see the definition")
    refused: int = Field(description="拒绝登记 · of these, refused")
    gone: int = Field(description="定版后撤销 · of the frame, taken out since it was frozen")
    outside: int = Field(description="底册外 · entries added since, not counted in the frame")
    outside_visited: int = Field(description="底册外已走访 · of these, visited")
    counted_on_visits: int = Field(description="走访查到人数 · persons counted on the visits")
    found: int = Field(description="登记未参保人数 · persons entered as not insured")
    eligible: int = Field(description="符合参保年龄 · of these, of working age")
    able_to_pay: int = Field(description="有缴费能力 · of those found, able to pay")
    eligible_able_to_pay: int = Field(description="符合年龄且有缴费能力 · both (O70)")
    by_reason: dict[str, int] = Field(description="按未参保原因 · persons found, by reason")


class StreetProgress(Progress):
    """One street's."""

    street: str


class UnitProgress(Progress):
    """One unit's, and its streets'."""

    unit: str
    streets: list[StreetProgress]


class Basis(Shown):
    """What the progress is counted against."""

    kind: str = Field(description="frozen 定版底册 · live 现时底册,尚未定版")
    version: int | None
    name: str | None
    frozen_at: datetime | None


class Definition(Shown):
    """A named, versioned formula."""

    id: str
    zh: str
    en: str


class CensusProgress(Progress):
    """All units' the caller may see, in the order of the plan, and each unit's."""

    census_from: date
    census_to: date
    to: date = Field(description="截至日期 · up to and including")
    basis: Basis
    definitions: list[Definition]
    units: list[UnitProgress]


class StepShown(Shown):
    """A day or dekad, and up to its end."""

    period: str
    last_on: date
    visited: int
    found: int
    visited_to_date: int
    found_to_date: int


class Series(Shown):
    """Days or dekads on which there were visits or findings."""

    basis: Basis
    items: list[StepShown]
