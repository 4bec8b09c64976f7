"""Bodies of figures, members and entries. Quantities are persons, pieces or fen, as ``quantity``
says; days are calendar days in Asia/Shanghai."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Base of every body."""

    model_config = ConfigDict(frozen=True)


class UnitName(Answer):
    """A reporting unit, or the city."""

    code: str
    zh: str
    en: str
    kind: str


class FigureLinks(Answer):
    """Where to open the number."""

    figure: str
    members: str
    entries: str


class FigureValue(Answer):
    """A number and how to open it."""

    id: str
    value: int
    links: FigureLinks


class MeasureDefinition(Answer):
    """What is counted. ``status`` and ``source`` say how far the plan text goes."""

    id: str = Field(examples=["insured-total@1"])
    zh: str
    en: str
    definition_zh: str
    definition_en: str
    status: str | None = None
    source: str | None = None
    counts: list[str] = Field(default=[], description="计入的参保状态 · person statuses counted")


class WindowDays(Answer):
    """Effective days after ``after_on`` (null: from ever) and up to ``up_to_on`` count."""

    after_on: date | None
    up_to_on: date


class MarkPosition(Answer):
    """Up to which of a producer's facts the figures go."""

    producer: str
    partition: int
    position: int


class Figure(Answer):
    """One number with everything needed to understand and to open it."""

    id: str
    value: int
    quantity: str = Field(description="persons, fen, leads, employers, enterprises or places")
    measure: MeasureDefinition
    unit: UnitName
    period: str
    kind: str
    window: WindowDays
    filters: dict[str, str]
    plan_version: str
    links: FigureLinks
    as_of: list[MarkPosition]


class Member(Answer):
    """A subject and what it weighs in the figure."""

    subject: str
    quantity: int
    name: str | None = Field(None, description="用人单位名称,若已知 · the employer's name if known")
    entries: str


class MemberPage(Answer):
    """Members by subject. ``count`` members weigh ``sum`` together, and ``sum`` is the figure."""

    figure: str
    value: int
    sum: int
    count: int | None = Field(
        description="首页给出，至多数到 500（或 count=true） · on the first page, counted up to 500"
        " (or with count=true)"
    )
    items: list[Member]
    next: str | None


class FactReference(Answer):
    """The fact behind an entry, and where it stands in the journal."""

    id: str
    type: str
    revision: int
    block: int
    index: int


class DeliveryReference(Answer):
    """The record behind the fact."""

    id: str
    record_no: int | None
    href: str


class Entry(Answer):
    """One line of the ledger."""

    id: int
    quantity: int
    effective_on: date
    recorded_at: datetime
    unit: str
    subject: str
    segments: dict[str, str]
    fact: FactReference
    delivery: DeliveryReference | None


class EntryPage(Answer):
    """Entries by effective day; all of them together sum to ``value``."""

    figure: str
    value: int
    items: list[Entry]
    next: str | None


class RebuildStanding(Answer):
    """How the running rebuild stands, or how the last one ended.

    ``running`` false with a phase other than ``swapped`` and ``differs``: it was interrupted."""

    phase: str = Field(
        description="replaying, finishing, catching-up, comparing, swapping, swapped, differs"
    )
    running: bool
    facts_done: int
    facts_total: int
    seconds_left: int | None = Field(description="重放尚需秒数 · of replaying, by its rate")
    started_at: datetime
    updated_at: datetime
    hash_before: str | None
    hash_after: str | None
