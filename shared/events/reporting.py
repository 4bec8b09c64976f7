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


class ObligationOverdue(Fact, frozen=True, kw_only=True):
    """Who owed what, for which period, and by when it should have come (O94, O95)."""

    producer: ClassVar[str] = "reporting"
    kind: ClassVar[str] = "obligation-overdue"
    title_zh: ClassVar[str] = "义务逾期"

    obligation: str
    department: str
    unit: str | None = None
    period: str
    cut_off_on: date
    due_at: Moment
