"""The record of an instalment, and what is shown of clearing plans."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta
from pydantic import BaseModel, Field

from shared.deliveries.fields import DocumentNo, OrgCode, TaxNo, Yuan
from tax_feed.clearing.rules import Keeping
from tax_feed.fields import Cancelled, CollectingUnit, Taxpayer
from tax_feed.schemas import ListPage, Money


class ClearingInstalment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One instalment of one employer's plan to clear its arrears (O41): a plan is as many records
    as it has instalments, so that it fits a table."""

    plan_no: Annotated[DocumentNo, Meta(description="清欠计划号 · number of the plan")]
    instalment_no: Annotated[int, Meta(ge=1, le=120, description="期次 · which instalment, from 1")]
    name: Taxpayer
    unit: CollectingUnit
    agreed_on: Annotated[date, Meta(description="约定日期 · day the plan was agreed")]
    due_on: Annotated[date, Meta(description="应清日期 · day it is due, inclusive")]
    amount: Annotated[Yuan, Meta(description="本期应清金额（元） · to be cleared, yuan")]
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None
    cancelled: Cancelled = False


class InstalmentView(BaseModel):
    """One instalment against what receipts say was cleared."""

    instalment_no: int
    due_on: date
    amount: Money
    due_by_then: Money = Field(description="累计应清 · all due up to it")
    cleared_by_then: Money = Field(description="累计已清 · cleared by the end of its day")
    keeping: Keeping = Field(description="kept 按期 · late 逾期清缴 · missed 违约 · open 未到期")
    cleared_on: date | None


class ClearingPlanView(BaseModel):
    """A plan against what was cleared since it was agreed, until the employer's next plan."""

    plan_no: str
    employer_key: str
    org_code: str | None
    name: str
    unit: str
    agreed_on: date
    total: Money = Field(description="计划清欠 · all instalments")
    due: Money = Field(description="已到期应清 · of which were due before as_of")
    cleared: Money = Field(description="已清 · arrears cleared under the plan, from receipts")
    behind: Money = Field(description="未按计划清缴 · due and not cleared")
    in_default: bool = Field(description="违约 · an instalment was missed")
    as_of: date


class ClearingPlanDetails(ClearingPlanView):
    """A plan with its instalments."""

    instalments: list[InstalmentView]


class ClearingPlanPage(ListPage[ClearingPlanView]):
    """One page of clearing plans."""
