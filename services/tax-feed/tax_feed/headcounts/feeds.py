"""The feeds of headcounts, declared."""

from __future__ import annotations

from shared.deliveries.feed import Feed
from shared.deliveries.standing import Standing
from tax_feed.feed_texts import PERSONAL, TAX, TEXTS
from tax_feed.fields import (
    EMPLOYER_HEADINGS,
    FOUND_HEADINGS,
    INSURED_HEADINGS,
    TAXABLE_HEADINGS,
    UNIT_HEADINGS,
)
from tax_feed.headcounts import intake, models
from tax_feed.headcounts.schemas import EmployerCheck, Headcount, UnenrolledEmployer

_HEADINGS = {
    **EMPLOYER_HEADINGS,
    "period": ("所属期", "税款所属期", "月份"),
    "reg_type": ("登记类型", "经济类型", "登记注册类型"),
    "industry": ("行业", "所属行业", "行业代码"),
    "licence_no": ("执照号", "注册号", "营业执照号"),
    "taxable_headcount": TAXABLE_HEADINGS,
    "insured_headcount": INSURED_HEADINGS,
}

_COUNTED = ("taxable_headcount", "insured_headcount")
_CHECKED = (
    *_COUNTED,
    *("due_fen", "paid_fen", "arrears_fen", "pre_levied_fen"),
)
"""What a check that was taken back found: nothing."""

EMPLOYER_CHECKS = Feed(
    name="employer-checks",
    title_zh="税费同征同查",
    title_en="Joint checks of tax and contributions",
    departments=TAX,
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
    texts=TEXTS,
    personal=PERSONAL,
    standing=Standing(
        models.employer_checks,
        ended=lambda row: {**row, **dict.fromkeys(_CHECKED, 0)},
        figures={
            "taxable_count": "sum(taxable_headcount)",
            "insured_count": "sum(insured_headcount)",
            "arrears_fen": "sum(arrears_fen)",
        },
    ),
    headings={
        **_HEADINGS,
        "collecting_unit": UNIT_HEADINGS,
        "due": ("应缴", "应缴额", "应缴养老保险费"),
        "paid": ("实缴", "实缴额", "已缴金额"),
        "arrears": ("欠缴", "欠费", "欠费金额"),
        "pre_levied": ("先行征收", "先行征收额"),
        "tax_reg_date": ("登记日期", "办证日期"),
    },
)

UNENROLLED_EMPLOYERS = Feed(
    name="unenrolled-employers",
    title_zh="未参保单位名单",
    title_en="Employers found unenrolled",
    departments=TAX,
    record=UnenrolledEmployer,
    period_kind="month",
    columns=models.UNENROLLED_COLUMNS,
    judge=intake.judge_unenrolled,
    apply=intake.apply_unenrolled,
    example={
        "period": "2008-05",
        "tax_no": "210502PDY00001X",
        "name": "本溪市示例餐饮有限公司",
        "unit": "210502",
        "taxable_headcount": 12,
        "insured_headcount": 0,
        "found_on": "2008-05-21",
        "reg_type": "173",
        "industry": "67",
    },
    obligation="O40",
    texts=TEXTS,
    personal=PERSONAL | {"legal_rep"},
    standing=Standing(
        models.unenrolled_employers,
        ended=lambda row: {**row, "cancelled": True},
        figures={
            "employer_count": "count(*) FILTER (WHERE NOT cancelled)",
        },
    ),
    headings={
        **_HEADINGS,
        **FOUND_HEADINGS,
        "unit": UNIT_HEADINGS,
        "found_on": ("检查日期", "查出日期"),
        "cancelled": ("撤销", "是否撤销"),
    },
)

HEADCOUNTS = Feed(
    name="headcounts",
    title_zh="计税与缴费人数",
    title_en="Taxable and contributing headcounts",
    departments=TAX,
    record=Headcount,
    period_kind="month",
    columns=models.HEADCOUNT_COLUMNS,
    judge=intake.judge_headcounts,
    apply=intake.apply_headcounts,
    example={
        "period": "2008-05",
        "tax_no": "210502PDY00001X",
        "name": "本溪市示例餐饮有限公司",
        "unit": "210502",
        "taxable_headcount": 12,
        "contributing_headcount": 7,
        "reg_type": "173",
        "industry": "67",
    },
    obligation="O45",
    texts=TEXTS,
    personal=PERSONAL,
    standing=Standing(
        models.headcounts,
        ended=lambda row: {**row, **dict.fromkeys(_COUNTED, 0)},
        figures={
            "taxable_count": "sum(taxable_headcount)",
            "insured_count": "sum(insured_headcount)",
        },
    ),
    headings={
        **{name: words for name, words in _HEADINGS.items() if name != "insured_headcount"},
        "unit": UNIT_HEADINGS,
        "contributing_headcount": INSURED_HEADINGS,
    },
)
