"""Field types of the tax office's records that the feeds of other departments do not have."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta

from shared.deliveries.fields import Name, Persons, Unit, Yuan

Taxpayer = Annotated[Name, Meta(description="纳税人名称 · full name of the taxpayer")]
CollectingUnit = Annotated[
    Unit, Meta(description="征收单位所属填报单位 · reporting unit of the collecting office")
]
TaxableHeadcount = Annotated[
    Persons, Meta(description="计税工资人数 · persons whose wages are deducted before tax")
]
InsuredHeadcount = Annotated[
    Persons, Meta(description="缴费人数 · persons contributions are paid for")
]
IndividualBase = Annotated[
    Yuan, Meta(description="个人缴费基数（元） · individual base of the month, yuan")
]
Cancelled = Annotated[bool, Meta(description="已撤销 · taken back: counts as nothing")]
NotifiedOn = Annotated[date, Meta(description="告知参保登记日期 · told to enrol on (O38)")]

EMPLOYER_HEADINGS: dict[str, tuple[str, ...]] = {
    "name": ("单位名称", "企业名称", "用人单位", "缴费单位"),
    "tax_no": ("税号", "纳税人识别号", "税务登记证号"),
    "org_code": ("机构代码", "代码证号"),
}
"""What tables call the fields that say whom a record is about."""

FOUND_HEADINGS: dict[str, tuple[str, ...]] = {
    "address": ("地址", "经营地址", "生产经营地址", "注册地址", "住所"),
    "legal_rep": ("法定代表人", "负责人", "法人代表", "法人", "业主姓名"),
}
"""What tables call the fields that say where an employer is and who stands for it."""

UNIT_HEADINGS = ("填报单位", "征收单位", "所属县区", "县区")
TAXABLE_HEADINGS = ("计税人数", "工资人数", "从业人数", "职工人数")
INSURED_HEADINGS = ("参保人数", "实际缴费人数")
