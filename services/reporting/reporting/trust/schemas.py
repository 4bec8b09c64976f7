"""The body of ``GET /trust``."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from reporting.figures.schemas import Answer, UnitName


class FeedLine(Answer):
    """One expected delivery and what has come of it; of a feed owed by units, one for each.

    The counts are of the unit's own deliveries. What one sender gave for all units has a line of
    its own that nobody owes, and answers for every unit that owes one.
    """

    feed: str
    departments: list[str]
    unit: UnitName | None = Field(
        description="应报单位;空:不分单位 · who owes it; null: not by unit"
    )
    owed: bool = Field(description="应报 · expected; false: came without being owed by unit")
    period: str
    cut_off_on: date
    due_at: datetime
    state: str = Field(description="in, nil, late, missing or not-due")
    first_received_at: datetime | None
    deliveries: int
    sent: int
    applied: int
    duplicate: int
    rejected: int
    held: int


class ProducerLine(Answer):
    """How far behind a producer's facts the figures are. ``known`` false: it could not be asked."""

    producer: str
    known: bool
    on_the_way: int | None = Field(
        description="尚未计入的事实,无论已否发出 · facts that do not count yet, sent or not"
    )
    lag: int | None
    unsent: int | None
    oldest_unsent_seconds: float | None
    behind: dict[int, int] = Field(description="分区 → 落后条数 · partition to facts behind")


class ReasonLine(Answer):
    """Something that stands against the figures."""

    code: str
    grave: bool
    count: int
    zh: str
    en: str


class UnknownMoney(Answer):
    """Money that counts but whose payer or unit is not known, in fen."""

    employers: int
    employers_fen: int
    unit_codes: dict[str, int]


class Trust(Answer):
    """Can today's figures be trusted, and if not why not."""

    verdict: str
    zh: str
    en: str
    asked_at: datetime
    clock: str
    reasons: list[ReasonLine]
    feeds: list[FeedLine]
    not_received_yet: list[str] = Field(
        description="方案列明但尚未接入的报送 · feeds the plan names that nothing receives yet"
    )
    held: int
    rejected: int
    producers: list[ProducerLine]
    dead_letters_open: int
    gaps: int
    consumer_stopped: bool
    unknown_money: UnknownMoney
