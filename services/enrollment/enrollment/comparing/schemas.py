"""What the API takes and says of comparisons."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field


class Shown(BaseModel):
    """Base of every answer: read from rows, nothing that is not declared."""

    model_config = ConfigDict(from_attributes=True)


class ComparisonAsked(BaseModel):
    """What to compare."""

    model_config = ConfigDict(extra="forbid")

    unit: str | None = Field(
        default=None, max_length=20, description="填报单位,不填为全市 · none: all units"
    )
    as_of: date | None = Field(
        default=None, description="截至日期,不填为今日 · found up to; none: today"
    )


class Counts(Shown):
    """Counts of lines; each is the length of the list the same filter gives."""

    compared: int = Field(description="比对条数 · lines")
    outcomes: dict[str, int] = Field(
        description="比对结果 · new 新发现, already-insured 已参保, ineligible 不符合条件, "
        "insured-elsewhere 已在外地参保, conflict 信息冲突, unclear 无法判断, repeated 重复登记"
    )
    causes: dict[str, dict[str, int]] = Field(description="依据 · by which rule")
    new_by_reason: dict[str, int] = Field(description="新发现人员的未参保原因 · of the new")
    new_able_to_pay: int = Field(description="新发现且有缴费能力 · of the new")
    new_eligible: int = Field(description="新发现且符合参保年龄 · of the new")
    potential: int = Field(
        description="扩面潜力 · new, of working age and able to pay (O70): whom to win"
    )


class UnitCounts(Counts):
    """One unit's."""

    unit: str


class ComparisonShown(Shown):
    """A run: what was compared, when, by whom, and what came out."""

    run_no: int
    unit: str | None = Field(description="范围,空为全市 · null: all units")
    as_of: date
    compared_at: datetime
    compared_by: str
    plan_version: str
    sha256: str = Field(description="封存摘要 · of the sealed document")
    counts: Counts


class ComparisonPage(Shown):
    """A page of runs, the latest first; ``next`` is the address of the next one."""

    items: list[ComparisonShown]
    next: str | None


class ComparisonDetail(ComparisonShown):
    """A run with the counts of the units the caller may see."""

    units: list[UnitCounts]


class LineShown(Shown):
    """What one person found turned out to be; nobody is named."""

    entry: str = Field(description="登记 · <unit>.<entry_no>")
    entry_revision: int
    unit: str
    street: str
    found_on: date
    outcome: str
    cause: str
    matched_by: str | None = Field(description="number 身份证号 · name 姓名+出生日期+性别")
    person_id: str | None
    insured_from: date | None = Field(description="参保日期 · insured since")
    insured_unit: str | None
    insured_status: str | None
    same_as: str | None = Field(description="重复登记时首次登记 · the entry that counts")
    sex: str
    worker_class: str
    reason: str
    can_pay: bool
    eligible: bool | None
    potential: bool


class LinePage(Shown):
    """A page of lines; ``next`` is the address of the next one."""

    items: list[LineShown]
    next: str | None


class Move(Shown):
    """How many went from one outcome to another; null: not in that run."""

    before: str | None
    after: str | None
    persons: int


class Difference(Shown):
    """What changed from the earlier run to the later one."""

    earlier: int
    later: int
    moved: int = Field(description="结果有变化的人数 · with another outcome, come or gone")
    moves: list[Move]


class MovedShown(Shown):
    """Someone whose outcome changed."""

    entry: str
    unit: str
    street: str
    before: str | None
    cause_before: str | None
    after: str | None
    cause_after: str | None


class MovedPage(Shown):
    """A page of them; ``next`` is the address of the next one."""

    items: list[MovedShown]
    next: str | None
