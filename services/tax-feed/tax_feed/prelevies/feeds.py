"""The feed of pre-levies, declared."""

from __future__ import annotations

from shared.deliveries.feed import Feed
from shared.deliveries.standing import Standing
from tax_feed.feed_texts import PERSONAL, TAX, TEXTS
from tax_feed.fields import (
    EMPLOYER_HEADINGS,
    INSURED_HEADINGS,
    TAXABLE_HEADINGS,
    UNIT_HEADINGS,
)
from tax_feed.prelevies import intake, models
from tax_feed.prelevies.schemas import PreLevy

PRE_LEVIES = Feed(
    name="pre-levies",
    title_zh="先行征收名单",
    title_en="Pre-levied employers",
    departments=TAX,
    record=PreLevy,
    period_kind="month",
    columns=models.COLUMNS,
    judge=intake.judge_pre_levies,
    apply=intake.apply_pre_levies,
    example={
        "levy_no": "XX-2008-0001",
        "month": "2008-05",
        "tax_no": "210502PDY00001X",
        "name": "本溪市示例餐饮有限公司",
        "unit": "210502",
        "levied_on": "2008-05-16",
        "taxable_headcount": 12,
        "insured_headcount": 0,
        "base": "19800.00",
        "pooled": "3960.00",
    },
    obligation="O48",
    texts=TEXTS,
    personal=PERSONAL,
    standing=Standing(
        models.pre_levies,
        ended=lambda row: {**row, "cancelled": True},
        figures={
            "levy_count": "count(*) FILTER (WHERE NOT cancelled)",
            "pooled_fen": "sum(pooled_fen) FILTER (WHERE NOT cancelled)",
        },
    ),
    headings={
        **EMPLOYER_HEADINGS,
        "levy_no": ("先行征收编号", "征收文书号"),
        "month": ("所属期", "月份"),
        "unit": UNIT_HEADINGS,
        "levied_on": ("征收时间", "入库日期"),
        "taxable_headcount": TAXABLE_HEADINGS,
        "insured_headcount": INSURED_HEADINGS,
        "base": ("缴费基数", "基数合计"),
        "pooled": ("统筹部分", "先行征收额", "先行征收金额"),
        "enrolled_on": ("参保日期", "办理参保日期"),
        "settled_on": ("补征日期", "结清日期"),
        "individual": ("个人部分", "补征个人部分"),
        "reg_type": ("登记类型", "经济类型", "登记注册类型"),
        "licence_no": ("执照号", "注册号", "营业执照号"),
        "cancelled": ("撤销", "是否撤销"),
    },
)
