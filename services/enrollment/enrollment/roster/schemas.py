"""What the API takes and says of roster and budget."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

NO_IDENTITY = r"^\d{0,14}([^\d\x00]\d{0,14})*$"
"""Nowhere fifteen digits on end."""

Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=NO_IDENTITY)
]
Fen = Annotated[int, Field(ge=0, le=10**15)]


class Shown(BaseModel):
    """Base of every answer: read from rows, nothing that is not declared."""

    model_config = ConfigDict(from_attributes=True)


class Body(BaseModel):
    """Base of what is taken in: nothing that is not declared."""

    model_config = ConfigDict(extra="forbid")


class _Period(Body):
    from_on: date = Field(description="起始日期 · first day")
    to_on: date | None = Field(default=None, description="截止日期 · last day; none: still")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_on is not None and self.to_on < self.from_on:
            raise ValueError("to_on lies before from_on")
        return self


class EnumeratorEdited(_Period):
    """An enumerator: a code, and no private data."""

    street: Text | None = Field(default=None, description="街道(乡镇) · none: the whole unit")
    role: Literal["enumerator", "supervisor"] = Field(
        default="enumerator", description="普查员 · 督导员"
    )
    display_name: Text | None = Field(default=None, description="称呼 · only where needed")


class BodyEdited(_Period):
    """A member of the census leading group (O68)."""

    role: Literal["lead", "pays", "member"] = Field(
        default="member", description="牵头 lead · 出资 pays · 成员 member"
    )
    duty: Text | None = Field(default=None, description="职责 · duty")


class BudgetEdited(Body):
    """What the unit's census may cost and has cost, in fen."""

    budget_fen: Fen = Field(description="预算(分) · budget")
    spent_fen: Fen = Field(default=0, description="支出(分) · spent")
    source: Text | None = Field(default=None, description="文号 · by which document")


class _Edited(Shown):
    version: int
    edited_at: datetime
    edited_by: str
    etag: str


class EnumeratorShown(_Edited):
    """An enumerator of a unit."""

    unit: str
    code: str
    street: str | None
    role: str
    display_name: str | None
    from_on: date
    to_on: date | None


class EnumeratorPage(Shown):
    """A page of them."""

    items: list[EnumeratorShown]
    next: str | None


class BodyShown(_Edited):
    """A member body."""

    department: str
    role: str
    duty: str | None
    from_on: date
    to_on: date | None


class BudgetShown(_Edited):
    """A unit's budget."""

    unit: str
    budget_fen: int
    spent_fen: int
    source: str | None


class ChangeShown(Shown):
    """One edit, with the row as it was written."""

    id: int
    kind: str
    unit: str | None
    key: str
    version: int
    row: dict[str, Any]
    edited_at: datetime
    edited_by: str


class ChangePage(Shown):
    """A page of edits, the latest first."""

    items: list[ChangeShown]
    next: str | None


class StrangeVisit(Shown):
    """A visit by someone who should not have made it."""

    entry: str
    unit: str
    street: str
    visitor: str
    visited_on: date
    finding: str = Field(
        description="not-in-roster 名册外 · outside-dates 不在任期 · other-street 非所辖街道"
    )


class StrangePage(Shown):
    """A page of them."""

    items: list[StrangeVisit]
    next: str | None


class UnitRoster(Shown):
    """One unit's; each count is the length of its list."""

    unit: str
    enumerators: int
    visits: int = Field(description="走访数 · entries with a visit")
    not_in_roster: int
    outside_dates: int
    other_street: int
    budget_fen: int | None
    spent_fen: int | None


class Roster(Shown):
    """All units' the caller may see, and the member bodies."""

    units: list[UnitRoster]
    bodies: list[BodyShown]
