"""The records of audits and reviews, and what is shown of them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta
from pydantic import BaseModel, Field

from shared.deliveries.fields import DocumentNo, Month, OrgCode, TaxNo, Yuan
from tax_feed.fields import (
    Cancelled,
    CollectingUnit,
    InsuredHeadcount,
    TaxableHeadcount,
    Taxpayer,
)
from tax_feed.schemas import ListPage, Money, State


class BaseAudit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contribution base of one employer for some months, as declared and as audited (O42)."""

    audit_no: Annotated[DocumentNo, Meta(description="稽核文书号 · number of the audit")]
    name: Taxpayer
    unit: CollectingUnit
    audited_on: Annotated[date, Meta(description="稽核日期 · day of the audit")]
    from_month: Annotated[Month, Meta(description="稽核起始月份 · first month audited")]
    to_month: Annotated[Month, Meta(description="稽核截止月份 · last month audited")]
    declared_base: Annotated[Yuan, Meta(description="申报基数（元） · base declared, yuan")]
    audited_base: Annotated[Yuan, Meta(description="核定基数（元） · base found, yuan")]
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None
    cancelled: Cancelled = False


class DeductionReview(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One month of an employer's review of deductions before tax (O44, O45)."""

    review_no: Annotated[DocumentNo, Meta(description="审核文书号 · number of the review")]
    month: Annotated[Month, Meta(description="列支月份 · month deducted, 2008-05")]
    name: Taxpayer
    unit: CollectingUnit
    reviewed_on: Annotated[date, Meta(description="审核日期 · day of the review")]
    taxable_headcount: TaxableHeadcount
    contributing_headcount: InsuredHeadcount
    accrued: Annotated[Yuan, Meta(description="已提取养老保险费（元） · accrued, yuan")]
    paid: Annotated[Yuan, Meta(description="已缴纳养老保险费（元） · paid, yuan")]
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None


class BaseAuditView(State):
    """An audited base, as it stands now."""

    audit_no: str
    audited_on: date
    from_month: str
    to_month: str
    declared_base: Money
    audited_base: Money
    rate: str = Field(description="单位费率 · employer's rate at the end of the last month")
    pooled_due: Money = Field(description="应补统筹 · pooled part due; below 0 where too much")
    formula: str = Field(description="计算过程 · how it was reckoned, yuan")
    cancelled: bool


class DeductionReviewView(State):
    """One month reviewed, as it stands now."""

    review_no: str
    month: str
    reviewed_on: date
    taxable_headcount: int
    contributing_headcount: int
    approved_headcount: int = Field(description="核准人数 · headcount that may be deducted (O45)")
    accrued: Money
    paid: Money
    not_deductible: Money = Field(description="不予列支 · accrued and not paid (O44)")


class DeductionAnswer(BaseModel):
    """The answer of a review: its months, sums, and words that name months and amounts."""

    review_no: str
    employer_key: str
    name: str
    unit: str
    accrued: Money
    paid: Money
    deductible: Money
    not_deductible: Money
    answer_zh: str
    answer_en: str
    months: list[DeductionReviewView]


class BaseAuditPage(ListPage[BaseAuditView]):
    """One page of audits."""


class DeductionReviewPage(ListPage[DeductionReviewView]):
    """One page of months reviewed."""
