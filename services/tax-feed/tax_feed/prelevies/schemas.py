"""The record of a pre-levy, and what is shown of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta
from pydantic import Field

from shared.deliveries.fields import DocumentNo, LicenceNo, Month, OrgCode, RegType, TaxNo, Yuan
from tax_feed.fields import (
    Cancelled,
    CollectingUnit,
    InsuredHeadcount,
    TaxableHeadcount,
    Taxpayer,
)
from tax_feed.prelevies.rules import Stage
from tax_feed.schemas import ListPage, Money, State


class PreLevy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pre-levy of the list of the 20th (O46, O48). Told again under the same number with
    ``enrolled_on``, then with ``settled_on`` and ``individual``, it goes on (O47)."""

    levy_no: Annotated[DocumentNo, Meta(description="先行征收文书号 · number of the levy")]
    month: Annotated[Month, Meta(description="征收月份 · month levied for, 2008-05")]
    name: Taxpayer
    unit: CollectingUnit
    levied_on: Annotated[date, Meta(description="征收日期 · day it was levied")]
    taxable_headcount: TaxableHeadcount
    insured_headcount: InsuredHeadcount = 0
    base: Annotated[Yuan, Meta(description="缴费基数合计（元） · base of those not insured, yuan")]
    pooled: Annotated[Yuan, Meta(description="统筹部分（元） · pooled part levied, yuan")]
    enrolled_on: (
        Annotated[date, Meta(description="参保登记日期 · day it enrolled since")] | None
    ) = None
    settled_on: (
        Annotated[date, Meta(description="个人部分征收日期 · day the individual part came in")]
        | None
    ) = None
    individual: (
        Annotated[Yuan, Meta(description="个人部分（元） · individual part levied, yuan")] | None
    ) = None
    reg_type: RegType | None = None
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None
    licence_no: LicenceNo | None = None
    cancelled: Cancelled = False


class PreLevyView(State):
    """A pre-levy as it stands now."""

    levy_no: str
    month: str
    stage: Stage = Field(
        description="pre-levied 已先行征收 · individual-due 已参保待征个人部分 · settled 已结清"
        " · cancelled 已撤销"
    )
    levied_on: date
    household: bool
    licence_no: str | None
    taxable_headcount: int
    insured_headcount: int
    headcount_gap: int = Field(description="未参保人数 · persons not insured")
    base: Money
    pooled: Money
    individual_rate: str
    individual_due: Money = Field(description="参保后应征个人部分 · individual part to be levied")
    individual_formula: str
    enrolled_on: date | None
    settled_on: date | None
    individual: Money | None


class PreLevyPage(ListPage[PreLevyView]):
    """One page of pre-levies."""
