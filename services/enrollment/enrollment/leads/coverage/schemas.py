"""What the API says of coverage."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel, Field


class DefinitionShown(BaseModel):
    """How a rate is defined; the version changes with the definition."""

    name: str
    version: int
    zh: str
    en: str


class CoverageRow(BaseModel):
    """Coverage of one group."""

    key: str
    enrolled: int = Field(description="已参保 · enrolled")
    missing: int = Field(description="应参未参 · eligible by the leads and not enrolled")
    eligible: int = Field(description="应参保 · enrolled and missing")
    leads_unknown: int = Field(
        description="人数不明的线索 · leads that say nothing of how many persons are missing"
    )
    rate: Decimal | None = Field(description="覆盖率 · enrolled over eligible; null of nobody")


class Coverage(BaseModel):
    """Coverage of employers or of persons."""

    definition: DefinitionShown
    rows: list[CoverageRow]
    total: CoverageRow


class SourceShown(BaseModel):
    """A feed the denominator rests on."""

    feed: str
    as_of: datetime = Field(description="截至 · when its newest record was recorded")
    leads: int = Field(description="线索数 · leads counted as missing with a record of it")


class FrameShown(BaseModel):
    """The census frame as it stands (O68)."""

    entries: int
    as_of: datetime | None


class CoverageShown(BaseModel):
    """Coverage by segment, with what its denominator rests on (O6)."""

    on: date
    by: str
    rule_version: int = Field(description="甄别规则版本 · version of the effectiveness test")
    employers: Coverage
    persons: Coverage
    sources: list[SourceShown]
    census_frame: FrameShown
