"""Facts of reporting (F44, F45)."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from shared.events.base import Fact, Moment


class ReportSealed(Fact, frozen=True, kw_only=True):
    """A report was sealed for a cut; its canonical bytes hash to ``sha256`` for ever."""

    producer: ClassVar[str] = "reporting"
    kind: ClassVar[str] = "report-sealed"
    title_zh: ClassVar[str] = "报表封存"

    report_id: str
    form: str
    period: str
    unit: str | None = None
    sha256: str


class ObligationReminded(Fact, frozen=True, kw_only=True):
    """Whoever owes a delivery was reminded before its due moment: nothing had come yet (F44)."""

    producer: ClassVar[str] = "reporting"
    kind: ClassVar[str] = "obligation-reminded"
    title_zh: ClassVar[str] = "报送提醒"

    obligation: str
    """Feed, who owes it and period, as in ``GET /reporting/v1/obligations/{id}``."""
    feed: str
    department: str
    unit: str | None = None
    period: str
    cut_off_on: date
    due_at: Moment


class ObligationOverdue(Fact, frozen=True, kw_only=True):
    """Who owed what, for which period, and by when it should have come (O94, O95): a chase."""

    producer: ClassVar[str] = "reporting"
    kind: ClassVar[str] = "obligation-overdue"
    title_zh: ClassVar[str] = "义务逾期"

    obligation: str
    """Feed, who owes it and period, as in ``GET /reporting/v1/obligations/{id}``."""
    department: str
    unit: str | None = None
    period: str
    cut_off_on: date
    due_at: Moment
    feed: str = ""
    level: int = 1
    """How many deadlines were missed in a row with this one, at most the highest level."""
    level_code: str = ""
    """To whom it goes at that level, by the plan file."""
    standing: bool = True
    """False: taken back, for it was excused, or had come in time after all."""


class DekadReported(Fact, frozen=True, kw_only=True):
    """The figures of a dekad's form as a county or the tax office stated them (O94). Not in
    ``figures``, or null there: not stated, which is not 0."""

    producer: ClassVar[str] = "reporting"
    kind: ClassVar[str] = "dekad-reported"
    title_zh: ClassVar[str] = "旬报上报"

    department: str
    unit: str | None = None
    period: str
    figures: dict[str, int | None]
    """Households, persons and fen by field of the form; percentages are computed, never taken."""
    sent_on: date | None = None
    """As the form claims; lateness is not judged by it."""
    withdrawn: bool = False
    """Taken back: no figure is stated any more."""


class MonthlyReported(Fact, frozen=True, kw_only=True):
    """A monthly report in three parts came in (O95). Its texts stay with reporting."""

    producer: ClassVar[str] = "reporting"
    kind: ClassVar[str] = "monthly-reported"
    title_zh: ClassVar[str] = "月报上报"

    department: str
    unit: str | None = None
    period: str
    problem_count: int
    suggestion_count: int
    withdrawn: bool = False
    """Taken back: the counts are 0."""


class ActivityLogged(Fact, frozen=True, kw_only=True):
    """Something was done to make the policy known or to urge enrolment (O32, O35, O58, O93)."""

    producer: ClassVar[str] = "reporting"
    kind: ClassVar[str] = "activity-logged"
    title_zh: ClassVar[str] = "宣传活动登记"

    department: str
    unit: str | None = None
    duty: str
    """The duty of the plan it meets, as ``O93``."""
    activity: str
    """Its kind, of a closed list."""
    held_on: date
    copies: int | None = None
    persons_reached: int | None = None
    cancelled: bool = False
