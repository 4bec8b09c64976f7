"""What the API says of leads."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field


class Shown(BaseModel):
    """Base of every answer: read from rows, nothing that is not declared."""

    model_config = ConfigDict(from_attributes=True)


class LeadShown(Shown):
    """A lead (扩面资源): an employer or person that should be covered and is not, or not fully."""

    lead_id: str
    employer_id: str | None = Field(description="null of a lead of a person")
    employer_name: str | None
    person_id: str | None = Field(
        description="人员 · of a person who is or was in the register; nobody is named"
    )
    kind: str = Field(
        description="unenrolled-employer 未参保单位 · not-fully-enrolled 未全员参保 · "
        "unenrolled-person 未参保或中断缴费人员"
    )
    status: str = Field(description="open 立项 · advanced 跟进 · closed 办结")
    unit: str
    gap: int = Field(description="疑漏人数 · persons believed missing")
    opened_on: date
    closed_on: date | None
    outcome: str | None = Field(
        description=(
            "enrolled 已参保 · ceased 已注销 · evidence-withdrawn 线索撤回 · excluded 已排除 · "
            "merged 并入另一单位 the employer was found to be another"
        )
    )
    sources: list[str] = Field(description="线索来源 · feeds, in order of arrival")
    effect: str = Field(
        description="甄别结果 · effective 有效 · not-effective 无效 · unclear 待核实"
    )
    reasons: list[str] = Field(
        description="无效或待核实原因 · by the plan's list lead-ineffective-reasons"
    )
    persons: int | None = Field(
        description="可扩面人数 · persons it would bring in; null where nobody can tell"
    )
    basis: str = Field(
        description="人数依据 · register-gap, tax-headcount, licence-headcount, "
        "census-found, report, "
        "household-owner, person or unknown"
    )
    revision: int
    changed_at: datetime


class LeadWorthShown(LeadShown):
    """A lead with what it would bring a year by the parameters in force."""

    pooled_fen: int | None = Field(
        description="年统筹基金潜力(分) · pooled part a year, in fen; null where it cannot be told"
    )


class SourceShown(Shown):
    """A record a lead rests on; delivery and number find it at the service of its feed."""

    no: int
    subject: str
    revision: int
    what: str
    feed: str
    period: str
    taxable: int = Field(description="计税工资人数 · taxable headcount, 0 where not stated")
    effective_on: date
    recorded_at: datetime
    delivery_id: str | None
    record_no: int | None


class LeadDetail(LeadWorthShown):
    """A lead with the records it rests on."""

    records: list[SourceShown]


class LeadPage(Shown):
    """A page of leads; ``next`` is the address of the next one."""

    items: list[LeadWorthShown]
    next: str | None
