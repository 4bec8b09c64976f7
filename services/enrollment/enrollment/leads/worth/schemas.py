"""What the API says of the effectiveness test and of the potential."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field


class ReasonCount(BaseModel):
    """Leads with one reason; the length of ``/leads?reason=…`` with the same filters."""

    code: str = Field(description="原因 · by the plan's list lead-ineffective-reasons")
    zh: str
    en: str
    leads: int


class Effectiveness(BaseModel):
    """How the leads asked for fare in the test (F18). Each count is the length of ``/leads`` with
    the same filters and ``effective=``."""

    rule_version: int = Field(description="规则版本 · version of the rule")
    effective: int = Field(description="有效 · effective")
    not_effective: int = Field(description="无效 · not effective")
    unclear: int = Field(description="待核实 · unclear")
    reasons: list[ReasonCount] = Field(
        description="按原因 · by reason; a lead may have several, so they add up to more"
    )


class PotentialRow(BaseModel):
    """Potential of one group."""

    key: str
    leads: int = Field(description="扩面资源数 · leads")
    leads_unknown: int = Field(description="其中人数不明 · of them, persons not known")
    persons: int = Field(description="可扩面人数 · persons they would bring in")
    pooled_fen: int | None = Field(
        description="年统筹基金潜力(分) · pooled part a year, in fen; null where it cannot be told"
    )


class Potential(BaseModel):
    """What standing leads would bring (O24). Each row sums the list ``/leads`` with its filters
    and ``status=standing``; the rows sum to the total."""

    on: date = Field(description="参数日期 · the day whose parameters are used")
    by: str
    rule_version: int
    base: str = Field(description="基数口径 · floor, mean or unknown")
    employee_fen: int | None = Field(
        description="每名职工每年(分) · pooled part of one employee a year, in fen"
    )
    flexible_fen: int | None = Field(
        description="每名灵活就业人员每年(分) · the same of one who pays alone"
    )
    missing: list[str] = Field(description="缺少的参数 · parameters the plan has no value of")
    rows: list[PotentialRow]
    total: PotentialRow
