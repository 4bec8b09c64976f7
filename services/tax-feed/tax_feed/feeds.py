"""The three feeds of tax-feed, declared for ``shared.deliveries``."""

from __future__ import annotations

from shared.deliveries.checks import CHECK_TEXTS
from shared.deliveries.feed import Feed
from tax_feed import intake, models
from tax_feed.schemas import ArrearsStock, EmployerCheck, Receipt

_TAX = frozenset({"tax"})
_PERSONAL = frozenset({"tax_no"})
"""A household's tax number holds its owner's identity number."""

_TEXTS = {
    **CHECK_TEXTS,
    "arrears-above-pooled": (
        "其中清欠 {value} 元大于统筹部分 {pooled} 元",
        "{value} yuan of arrears is more than the pooled part, {pooled} yuan",
    ),
    "key-missing": (
        "缺少税务登记号或组织机构代码，不能识别用人单位",
        "neither tax number nor organisation code tells which employer this is",
    ),
}

EMPLOYER_CHECKS = Feed(
    name="employer-checks",
    title_zh="税费同征同查",
    title_en="Joint checks of tax and contributions",
    departments=_TAX,
    record=EmployerCheck,
    period_kind="month",
    columns=models.CHECK_COLUMNS,
    judge=intake.judge_checks,
    apply=intake.apply_checks,
    example={
        "period": "2008-05",
        "tax_no": "210502PDY00001X",
        "name": "本溪市示例餐饮有限公司",
        "reg_type": "173",
        "industry": "67",
        "taxable_headcount": 12,
        "insured_headcount": 7,
        "due": "3360.00",
        "paid": "3360.00",
        "arrears": "0.00",
        "collecting_unit": "210502",
        "tax_reg_date": "2008-05-12",
    },
    obligation="O37",
    texts=_TEXTS,
    personal=_PERSONAL,
    headings={
        "period": ("所属期", "税费所属期", "检查所属期"),
        "taxable_headcount": ("计税工资人数", "税前扣除工资人数", "个人所得税申报人数"),
        "insured_headcount": ("参保缴费人数", "参保人数", "养老保险缴费人数"),
        "due": ("应征养老保险费", "应征", "应征额", "应缴养老保险费"),
        "paid": ("实征养老保险费", "实征", "实征额", "实缴养老保险费"),
        "arrears": ("欠缴养老保险费", "欠费", "欠缴", "尚欠"),
        "pre_levied": ("先行征收额", "先行征收", "预征额"),
        "collecting_unit": ("征收单位", "征收机关", "主管地税机关"),
    },
)

RECEIPTS = Feed(
    name="receipts",
    title_zh="养老保险费入库",
    title_en="Contributions received",
    departments=_TAX,
    record=Receipt,
    period_kind="dekad",
    columns=models.RECEIPT_COLUMNS,
    judge=intake.judge_receipts,
    apply=intake.apply_receipts,
    example={
        "receipt_no": "JK200806-000001",
        "tax_no": "210502PDY00001X",
        "name": "本溪市示例餐饮有限公司",
        "month_for": "2008-05",
        "received_on": "2008-06-03",
        "collecting_unit": "210502",
        "pooled": "3360.00",
        "individual": "1344.00",
        "of_which_arrears": "560.00",
        "payer_count": 7,
    },
    obligation="O11",
    texts=_TEXTS,
    personal=_PERSONAL,
    headings={
        "receipt_no": ("缴款书号", "税票号码", "完税凭证号"),
        "month_for": ("费款所属期", "所属月份", "费款所属月份"),
        "received_on": ("入库日期", "缴款日期", "上解日期"),
        "payer_count": ("缴费人数", "实缴人数"),
        "collecting_unit": ("征收单位", "征收机关", "主管地税机关"),
    },
)

ARREARS = Feed(
    name="arrears",
    title_zh="欠费余额",
    title_en="Arrears",
    departments=_TAX,
    record=ArrearsStock,
    period_kind="month",
    columns=models.ARREARS_COLUMNS,
    judge=intake.judge_arrears,
    apply=intake.apply_arrears,
    example={
        "month": "2008-05",
        "org_code": "PDY00001-X",
        "name": "本溪市示例餐饮有限公司",
        "balance": "560.00",
        "unit": "210502",
    },
    obligation="O41",
    texts=_TEXTS,
    personal=_PERSONAL,
    headings={
        "balance": ("欠费余额", "期末欠费", "陈欠余额"),
        "unit": ("征收单位", "填报单位", "主管地税机关"),
    },
)

FEEDS = (EMPLOYER_CHECKS, RECEIPTS, ARREARS)
