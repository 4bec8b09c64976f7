"""The body of a progress answer. Shares are percentages as text with one decimal, null for "—"."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from reporting.figures.schemas import (
    Answer,
    FigureValue,
    MarkPosition,
    MeasureDefinition,
    UnitName,
)


class TargetShown(Answer):
    """Duty and stretch of a unit. With ``sample`` true they are made up and must be marked so."""

    duty: int
    stretch: int | None
    status: str
    source: str
    sample: bool


class Row(Answer):
    """One unit (or the city, which has no rank) against its target."""

    unit: UnitName
    city: bool
    opening: FigureValue
    this_dekad: FigureValue
    cumulative: FigureValue
    target: TargetShown | None
    completion: str | None = Field(description="完成任务 % · of the duty target")
    completion_stretch: str | None = Field(description="完成奋斗目标 %")
    completion_net_gain: str | None = Field(description="净增完成 % · of the net gain required")
    against_pace: str | None = Field(description="快慢,百分点 · points ahead (+) or behind (−)")
    ahead: bool | None
    shortfall: int | None
    needed_per_dekad: int | None
    projected_end: int | None
    rank: int | None


class CascadeShown(Answer):
    """The units' figures against the city's (O21): parts must sum to at least the whole."""

    line: str
    city: int
    parts_sum: int
    difference: int
    ok: bool
    missing: list[str]


class MeasureProgress(Answer):
    """One measure, unit by unit in the order of the report form, the city last (合计行)."""

    measure: MeasureDefinition
    name: str
    quantity: str
    pace: str = Field(description="净增进度要求 % · share of the net gain due by now")
    rows: list[Row]
    cascade: list[CascadeShown]
    unplaced: dict[str, int] = Field(
        description="方案之外单位代码上的数量 · what stands under unit codes the plan does not know"
    )


class DefinitionShown(Answer):
    """A named, versioned formula."""

    id: str
    zh: str
    en: str


class PeriodShown(Answer):
    """The dekad: what counts, until when, and by when its report is due."""

    period: str
    previous: str
    next: str
    after_on: date
    cut_off_on: date
    due_at: datetime
    still_open: bool
    paced_on: date = Field(description="进度计算日 · the day paces are computed for")
    time_progress: str
    dekads_left: int


class SampleNote(Answer):
    """Whether anything shown is a sample, and the words to mark it with."""

    sample: bool
    zh: str
    en: str


class Progress(Answer):
    """How far every unit is from its target in one dekad."""

    period: PeriodShown
    plan_version: str
    plan_zh: str
    plan_en: str
    opening_on: date
    asked_at: datetime
    clock: str
    note: SampleNote
    measures: list[MeasureProgress]
    definitions: list[DefinitionShown]
    as_of: list[MarkPosition]
