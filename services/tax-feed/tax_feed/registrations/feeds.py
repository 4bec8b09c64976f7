"""The feed of tax registrations, declared."""

from __future__ import annotations

from shared.deliveries.feed import Feed
from shared.deliveries.standing import Standing
from tax_feed.feed_texts import PERSONAL, TAX, TEXTS
from tax_feed.fields import EMPLOYER_HEADINGS, FOUND_HEADINGS, UNIT_HEADINGS
from tax_feed.registrations import intake, models
from tax_feed.registrations.schemas import TaxRegistration

TAX_REGISTRATIONS = Feed(
    name="tax-registrations",
    title_zh="税务登记与参保告知",
    title_en="Tax registrations and notices to enrol",
    departments=TAX,
    record=TaxRegistration,
    period_kind="month",
    columns=models.COLUMNS,
    judge=intake.judge_registrations,
    apply=intake.apply_registrations,
    example={
        "tax_no": "210502PDY00001X",
        "name": "本溪市示例餐饮有限公司",
        "reg_type": "173",
        "industry": "67",
        "unit": "210502",
        "registered_on": "2008-05-12",
        "notified_on": "2008-05-12",
    },
    obligation="O38",
    texts=TEXTS,
    personal=PERSONAL | {"legal_rep"},
    standing=Standing(
        models.tax_registrations,
        ended=lambda row: {**row, "deregistered_on": row["registered_on"]},
        figures={
            "registered_count": "count(*) FILTER (WHERE deregistered_on IS NULL)",
        },
    ),
    headings={
        **EMPLOYER_HEADINGS,
        **FOUND_HEADINGS,
        "reg_type": ("登记类型", "经济类型", "登记注册类型"),
        "industry": ("行业", "所属行业", "行业代码"),
        "unit": UNIT_HEADINGS,
        "registered_on": ("登记日期", "办证日期", "开业登记日期"),
        "notified_on": ("告知日期", "通知日期", "参保告知日期"),
        "deregistered_on": ("注销登记日期",),
        "licence_no": ("执照号", "注册号", "营业执照号"),
    },
)
