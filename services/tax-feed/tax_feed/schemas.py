"""The records 地税 pushes (strict shapes, every field documented for the sender), and what is shown
of them.

Money is decimal yuan with at most two decimals, as a string ("125000.00") or a JSON number;
it is integer fen from the first step on.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta
from pydantic import BaseModel, Field

Name = Annotated[str, Meta(min_length=2, max_length=200, description="纳税人名称 · full name")]
RegType = Annotated[
    str,
    Meta(pattern=r"^[1-4][0-9]{2}$", description="登记注册类型代码 · registration type, 110–420"),
]
Industry = Annotated[
    str, Meta(pattern=r"^[0-9]{2}$", description="行业大类 · GB/T 4754-2002 division")
]
Unit = Annotated[
    str,
    Meta(min_length=3, max_length=12, description="征收单位所属填报单位 · reporting unit"),
]
TaxNo = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{6}[0-9A-Z]{9}|[0-9]{15}00000|[0-9]{17}[0-9X]00|[0-9A-HJ-NP-RTUWXY]{18})$",
        description="税务登记号 · tax number: 15 characters, 20 for households, or 18",
    ),
]
OrgCode = Annotated[
    str,
    Meta(pattern=r"^[0-9A-Z]{8}-?[0-9X]$", description="组织机构代码 · organisation code"),
]
LicenceNo = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{13}|[0-9]{15}|[0-9A-HJ-NP-RTUWXY]{18})$",
        description="营业执照注册号 · registration number",
    ),
]
Month = Annotated[
    str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="月份 · month, 2008-05")
]
Persons = Annotated[int, Meta(ge=0, le=1_000_000, description="人数 · persons")]
Yuan = Annotated[Decimal, Meta(description="金额（元） · yuan, at most two decimals")]


class EmployerCheck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the joint check of tax and contributions (同征同查, O37, O39, O40)."""

    period: Month
    name: Name
    reg_type: RegType
    industry: Industry
    taxable_headcount: Persons
    insured_headcount: Persons
    due: Yuan
    paid: Yuan
    arrears: Yuan
    collecting_unit: Unit
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None
    licence_no: LicenceNo | None = None
    tax_reg_date: (
        Annotated[date, Meta(description="税务登记日期 · date of tax registration (O38)")] | None
    ) = None
    pre_levied: Yuan = Decimal(0)


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money received (O11): the only source of money collected.

    ``tax_no`` or ``org_code`` says who paid. They alone, for a licence number given once and
    left out another time would make two payers of one.
    """

    receipt_no: Annotated[
        str,
        Meta(pattern=r"^[0-9A-Za-z-]{4,40}$", description="缴款书号 · voucher number, unique"),
    ]
    name: Name
    month_for: Month
    received_on: Annotated[date, Meta(description="入库日期 · date received")]
    collecting_unit: Unit
    pooled: Annotated[Decimal, Meta(description="统筹部分（元） · pooled part, yuan")]
    individual: Annotated[Decimal, Meta(description="个人部分（元） · individual part, yuan")]
    of_which_arrears: Annotated[
        Decimal,
        Meta(description="其中清欠（元，统筹部分内） · of the pooled part, arrears cleared"),
    ] = Decimal(0)
    payer_count: Persons
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None
    cancelled: Annotated[bool, Meta(description="已冲销 · cancelled: counts as nothing")] = False


class ArrearsStock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stock of arrears of one employer at the end of one month (O41). ``tax_no`` or
    ``org_code`` says whose, as for receipts."""

    month: Month
    name: Name
    balance: Annotated[Decimal, Meta(description="欠费余额（元） · balance owed at month end")]
    unit: Unit
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None


class Money(BaseModel):
    """A sum, exactly: integer fen, and yuan as written."""

    fen: int
    yuan: str


class _State(BaseModel):
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


class CheckView(_State):
    """A row of the joint check, as it stands now."""

    period: str
    reg_type: str
    industry: str
    household: bool
    licence_no: str | None
    taxable_headcount: int
    insured_headcount: int
    unenrolled: bool = Field(description="未参保或未全员参保 · nobody or too few insured (O40)")
    due: Money
    paid: Money
    arrears: Money
    pre_levied: Money
    tax_reg_on: date | None


class ReceiptView(_State):
    """A receipt as it stands now; a cancelled one counts as nothing."""

    receipt_no: str
    month_for: str
    received_on: date
    pooled: Money
    individual: Money
    of_which_arrears: Money
    payer_count: int
    cancelled: bool


class ArrearsView(_State):
    """An employer's arrears at the end of a month, as they stand now."""

    month: str
    balance: Money


class CheckPage(BaseModel):
    """One page of check rows."""

    items: list[CheckView]
    next: str | None


class ReceiptPage(BaseModel):
    """One page of receipts."""

    items: list[ReceiptView]
    next: str | None


class ArrearsPage(BaseModel):
    """One page of arrears."""

    items: list[ArrearsView]
    next: str | None


class EmployerTotals(BaseModel):
    """Sums over all receipts of one employer that count, and the latest stocks."""

    receipt_count: int
    pooled: Money
    individual: Money
    of_which_arrears: Money
    arrears_month: str | None
    arrears: Money | None = Field(description="最近一月欠费余额 · balance of the latest month")
    taxable_headcount: int | None
    insured_headcount: int | None


class EmployerLedger(BaseModel):
    """All the office has said of one employer, newest first; ``complete`` is false where a list
    was cut (the totals never are)."""

    employer_key: str
    totals: EmployerTotals
    checks: list[CheckView]
    receipts: list[ReceiptView]
    arrears: list[ArrearsView]
    complete: bool
