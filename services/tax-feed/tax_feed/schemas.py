"""What the lists of every capability are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

Item = TypeVar("Item", bound=BaseModel)


class Money(BaseModel):
    """A sum, exactly: integer fen, and yuan as written."""

    fen: int
    yuan: str


class State(BaseModel):
    """What every row shown has: whose it is, and the record it comes from. No tax number, no
    identity number; an ``own:`` key is a keyed hash."""

    employer_key: str
    org_code: str | None
    name: str
    unit: str
    revision: int
    delivery_id: UUID = Field(description="当前内容所出自的报送 · the delivery it comes from")
    record_no: int
    recorded_at: datetime


class ListPage(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(description="下一页地址 · address of the next page")
