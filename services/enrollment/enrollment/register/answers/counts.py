"""What the API says of who was in the register on a day, as known at a moment."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field


class Shown(BaseModel):
    """Base of every answer: read from rows, nothing that is not declared."""

    model_config = ConfigDict(from_attributes=True)


class CountRow(Shown):
    """The counts of one segment (or of all), each opened by an address."""

    segment: dict[str, str | bool] = Field(description="分段 · what the rows have in common")
    count: int = Field(description="全部(含终止) · all, those that ended included")
    statuses: dict[str, int] = Field(description="按状态 · by status")
    measures: dict[str, int] = Field(
        description="总数与在职，按方案指标口径 · by the plan's measures, persons only"
    )
    members: str = Field(description="名单地址 · address of the list behind count")


class CountsShown(Shown):
    """Who was in the register on ``as_of``, as the register said at ``known_at``."""

    as_of: date
    known_at: datetime
    plan: str = Field(description="方案版本 · version of the plan that says which statuses count")
    total: CountRow
    rows: list[CountRow]


class SpellShown(Shown):
    """A state, from when to when it held, and since when it was known."""

    kind: str = Field(
        description="active 在保, interrupted 中断, retired 退休, left 终止, "
        "transferred-in 转入, transferred-out 转出"
    )
    status: str
    entry: str | None = Field(
        description="由何产生 · listed, or the application's action or reason"
    )
    unit: str
    ownership: str
    trade: str
    from_on: date = Field(description="自 · first day it holds")
    to_on: date | None = Field(description="至(不含) · first day it does not; null: no end known")
    known_from: datetime = Field(description="登记时刻 · when the register came to say so")


class PersonAt(SpellShown):
    """A person's state, pseudonymous."""

    person_id: str
    worker_class: str
    employer_id: str | None


class EmployerAt(SpellShown):
    """An employer's state."""

    employer_id: str
    household: bool
    in_township: bool


class PersonsAtPage(Shown):
    """A page of persons; ``next`` is the address of the next one."""

    items: list[PersonAt]
    next: str | None


class EmployersAtPage(Shown):
    """A page of employers; ``next`` is the address of the next one."""

    items: list[EmployerAt]
    next: str | None
