"""The feed of clearing plans, declared."""

from __future__ import annotations

from shared.deliveries.feed import Feed
from shared.deliveries.standing import Standing
from tax_feed.clearing import intake, models
from tax_feed.clearing.schemas import ClearingInstalment
from tax_feed.feed_texts import PERSONAL, TAX, TEXTS
from tax_feed.fields import EMPLOYER_HEADINGS, UNIT_HEADINGS

CLEARING_PLANS = Feed(
    name="clearing-plans",
    title_zh="清欠计划",
    title_en="Plans to clear arrears",
    departments=TAX,
    record=ClearingInstalment,
    period_kind="month",
    columns=models.COLUMNS,
    judge=intake.judge_instalments,
    apply=intake.apply_instalments,
    example={
        "plan_no": "QQ-2008-0001",
        "instalment_no": 1,
        "tax_no": "210502PDY00001X",
        "name": "本溪市示例餐饮有限公司",
        "unit": "210502",
        "agreed_on": "2008-05-20",
        "due_on": "2008-06-30",
        "amount": "5000.00",
    },
    obligation="O41",
    texts=TEXTS,
    personal=PERSONAL,
    standing=Standing(
        models.clearing_instalments,
        ended=lambda row: {**row, "cancelled": True},
        figures={
            "instalment_count": "count(*) FILTER (WHERE NOT cancelled)",
            "amount_fen": "sum(amount_fen) FILTER (WHERE NOT cancelled)",
        },
    ),
    headings={
        **EMPLOYER_HEADINGS,
        "plan_no": ("计划号", "清欠协议号", "协议编号"),
        "instalment_no": ("期数", "第几期", "序期"),
        "unit": UNIT_HEADINGS,
        "agreed_on": ("签订日期", "协议日期"),
        "due_on": ("还款日期", "清缴期限", "应缴日期"),
        "amount": ("本期金额", "应清金额", "还款金额"),
        "cancelled": ("撤销", "是否撤销"),
    },
)
