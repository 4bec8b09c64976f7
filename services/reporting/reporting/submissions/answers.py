"""Bodies of submissions as they are read. Rates are percents with one decimal, half up."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from reporting.figures.schemas import Answer


class Money(Answer):
    """A sum, exactly: integer fen, and yuan as written."""

    fen: int
    yuan: str


class Submission(Answer):
    """Whose it is, for which period, and the record it comes from."""

    department: str
    unit: str | None
    period: str
    revision: int
    delivery_id: UUID = Field(description="当前内容所出自的报送 · the delivery it comes from")
    record_no: int
    recorded_at: datetime


class FormNote(Answer):
    """Something in the form that does not agree with something else."""

    code: str
    field: str
    stated: str
    expected: str
    zh: str
    en: str


class DekadForm(Submission):
    """A dekad's form: figures as stated, and apart from them what we compute from them. null: not
    stated, which is not 0."""

    sent_on: date | None
    counts: dict[str, int | None]
    money: dict[str, Money | None]
    percents: dict[str, str | None] = Field(description="填报的百分比 · percentages as stated")
    computed: dict[str, str | None] = Field(
        description="按填报数计算的百分比 · percentages computed from the stated figures"
    )
    notes: list[FormNote]
    remarks: str | None


class DekadFormPage(Answer):
    """One page of forms."""

    items: list[DekadForm]
    next: str | None


class MonthlyText(Submission):
    """A monthly report in its three parts."""

    sent_on: date | None
    overall: str
    problems: str
    suggestions: str
    measures: str | None
    problem_items: list[str]
    suggestion_items: list[str]


class MonthlyTextPage(Answer):
    """One page of monthly reports."""

    items: list[MonthlyText]
    next: str | None


class ProblemItem(Answer):
    """One problem of one monthly report."""

    department: str
    unit: str | None
    period: str
    no: int
    text: str


class ProblemPage(Answer):
    """One page of problems."""

    items: list[ProblemItem]
    next: str | None


class ActivityShown(Submission):
    """An activity as it was logged."""

    activity_no: str
    duty: str
    kind: str
    held_on: date
    place: str
    title: str
    copies: int | None
    persons_reached: int | None
    questions: str | None
    cancelled: bool


class ActivityPage(Answer):
    """One page of activities."""

    items: list[ActivityShown]
    next: str | None
