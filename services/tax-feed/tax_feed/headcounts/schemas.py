"""The records of headcounts that 地税 pushes, and what is shown of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta
from pydantic import Field

from shared.deliveries.fields import (
    Address,
    Industry,
    LegalRep,
    LicenceNo,
    Month,
    OrgCode,
    RegType,
    TaxNo,
    Yuan,
)
from tax_feed.fields import (
    Cancelled,
    CollectingUnit,
    InsuredHeadcount,
    TaxableHeadcount,
    Taxpayer,
)
from tax_feed.schemas import ListPage, Money, State


class EmployerCheck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the joint check of tax and contributions (同征同查, O37, O39, O40)."""

    period: Annotated[Month, Meta(description="检查月份 · month checked, 2008-05")]
    name: Taxpayer
    reg_type: RegType
    industry: Industry
    taxable_headcount: TaxableHeadcount
    insured_headcount: InsuredHeadcount
    due: Annotated[Yuan, Meta(description="应缴金额（元） · due, yuan")]
    paid: Annotated[Yuan, Meta(description="实缴金额（元） · paid, yuan")]
    arrears: Annotated[Yuan, Meta(description="欠缴金额（元） · owed, yuan")]
    collecting_unit: CollectingUnit
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None
    licence_no: LicenceNo | None = None
    tax_reg_date: (
        Annotated[date, Meta(description="税务登记日期 · date of tax registration (O38)")] | None
    ) = None
    pre_levied: Annotated[
        Yuan, Meta(description="先行征收金额（元） · levied before enrolment, yuan")
    ] = Decimal(0)


class UnenrolledEmployer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One employer of the list of those with nobody, or too few, insured (O40). ``cancelled``
    takes the finding back."""

    period: Annotated[Month, Meta(description="反馈月份 · month of the list, 2008-05")]
    name: Taxpayer
    unit: CollectingUnit
    taxable_headcount: TaxableHeadcount
    insured_headcount: InsuredHeadcount = 0
    found_on: Annotated[date, Meta(description="发现日期 · day it was found")]
    reg_type: RegType | None = None
    industry: Industry | None = None
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None
    licence_no: LicenceNo | None = None
    cancelled: Cancelled = False
    address: Address | None = None
    legal_rep: LegalRep | None = None


class Headcount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Taxable and contributing headcount of one employer in one month (O45)."""

    period: Annotated[Month, Meta(description="申报月份 · month declared, 2008-05")]
    name: Taxpayer
    unit: CollectingUnit
    taxable_headcount: TaxableHeadcount
    contributing_headcount: InsuredHeadcount
    reg_type: RegType | None = None
    industry: Industry | None = None
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None
    licence_no: LicenceNo | None = None


class _Counted(State):
    period: str
    reg_type: str | None
    industry: str | None
    household: bool
    licence_no: str | None
    taxable_headcount: int = Field(description="计税工资人数 · persons taxed")
    insured_headcount: int = Field(description="缴费人数 · persons paid for")
    unenrolled: bool = Field(description="未参保或未全员参保 · nobody or too few insured (O40)")


class CheckView(_Counted):
    """A row of the joint check, as it stands now."""

    due: Money
    paid: Money
    arrears: Money
    pre_levied: Money
    tax_reg_on: date | None


class UnenrolledView(_Counted):
    """An employer of the list of the unenrolled, as it stands now; ``unenrolled`` is false where
    the finding was taken back."""

    missing: int = Field(description="未参保人数 · persons not insured, 0 where taken back")
    found_on: date
    cancelled: bool
    address: str | None
    legal_rep: str | None = Field(description="法定代表人(掩码) · legal representative, masked")


class HeadcountView(_Counted):
    """Headcounts of an employer and month, as they stand now."""

    deductible_headcount: int = Field(
        description="可税前列支人数 · headcount that may be deducted: the smaller one (O45)"
    )


class CheckPage(ListPage[CheckView]):
    """One page of check rows."""


class UnenrolledPage(ListPage[UnenrolledView]):
    """One page of the list of the unenrolled."""


class HeadcountPage(ListPage[HeadcountView]):
    """One page of headcounts."""
