"""The records of money that 地税 pushes, and what is shown of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.deliveries.fields import Month, OrgCode, Persons, TaxNo, Yuan
from tax_feed.fields import CollectingUnit, Taxpayer
from tax_feed.schemas import ListPage, Money, State


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money received (O11): the only source of money collected.

    ``tax_no`` or ``org_code`` says who paid. They alone, for a licence number given once and
    left out another time would make two payers of one.
    """

    receipt_no: Annotated[
        str,
        Meta(pattern=r"^[0-9A-Za-z-]{4,40}$", description="缴款书号 · voucher number, unique"),
    ]
    name: Taxpayer
    month_for: Annotated[Month, Meta(description="费款所属月份 · month it is for, 2008-05")]
    received_on: Annotated[date, Meta(description="入库日期 · date received")]
    collecting_unit: CollectingUnit
    pooled: Annotated[Yuan, Meta(description="统筹部分（元） · pooled part, yuan")]
    individual: Annotated[Yuan, Meta(description="个人部分（元） · individual part, yuan")]
    of_which_arrears: Annotated[
        Yuan,
        Meta(description="其中清欠（元，统筹部分内） · of the pooled part, arrears cleared"),
    ] = Decimal(0)
    payer_count: Annotated[Persons, Meta(description="缴费人数 · persons it was paid for")]
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None
    cancelled: Annotated[bool, Meta(description="已冲销 · cancelled: counts as nothing")] = False


class ArrearsStock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stock of arrears of one employer at the end of one month (O41). ``tax_no`` or
    ``org_code`` says whose, as for receipts."""

    month: Annotated[Month, Meta(description="欠费月份 · month at whose end it is owed")]
    name: Taxpayer
    balance: Annotated[Yuan, Meta(description="欠费余额（元） · balance owed at month end")]
    unit: CollectingUnit
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None


class ReceiptView(State):
    """A receipt as it stands now; a cancelled one counts as nothing."""

    receipt_no: str
    month_for: str
    received_on: date
    pooled: Money
    individual: Money
    of_which_arrears: Money
    payer_count: int
    cancelled: bool


class ArrearsView(State):
    """An employer's arrears at the end of a month, as they stand now."""

    month: str
    balance: Money


class ReceiptPage(ListPage[ReceiptView]):
    """One page of receipts."""


class ArrearsPage(ListPage[ArrearsView]):
    """One page of arrears."""
