"""The feeds of audits and reviews, declared."""

from __future__ import annotations

from shared.deliveries.feed import Feed
from shared.deliveries.standing import Standing
from tax_feed.audits import intake, models
from tax_feed.audits.schemas import BaseAudit, DeductionReview
from tax_feed.feed_texts import PERSONAL, TAX, TEXTS
from tax_feed.fields import (
    EMPLOYER_HEADINGS,
    INSURED_HEADINGS,
    TAXABLE_HEADINGS,
    UNIT_HEADINGS,
)

_REVIEWED = (
    *("taxable_headcount", "contributing_headcount", "approved_headcount"),
    *("accrued_fen", "paid_fen", "not_deductible_fen"),
)
"""What a review that was taken back found: nothing."""

BASE_AUDITS = Feed(
    name="base-audits",
    title_zh="缴费基数稽核",
    title_en="Audits of contribution bases",
    departments=TAX,
    record=BaseAudit,
    period_kind="month",
    columns=models.AUDIT_COLUMNS,
    judge=intake.judge_audits,
    apply=intake.apply_audits,
    example={
        "audit_no": "JH-2008-0001",
        "tax_no": "210502PDY00001X",
        "name": "本溪市示例餐饮有限公司",
        "unit": "210502",
        "audited_on": "2008-05-22",
        "from_month": "2008-01",
        "to_month": "2008-04",
        "declared_base": "48000.00",
        "audited_base": "60000.00",
    },
    obligation="O42",
    texts=TEXTS,
    personal=PERSONAL,
    standing=Standing(
        models.base_audits,
        ended=lambda row: {**row, "cancelled": True},
        figures={
            "audit_count": "count(*) FILTER (WHERE NOT cancelled)",
            "pooled_due_fen": "sum(pooled_due_fen) FILTER (WHERE NOT cancelled)",
        },
    ),
    headings={
        **EMPLOYER_HEADINGS,
        "audit_no": ("稽核编号", "稽核书号"),
        "unit": UNIT_HEADINGS,
        "audited_on": ("稽核时间",),
        "from_month": ("起始月份", "所属期起"),
        "to_month": ("截止月份", "所属期止"),
        "declared_base": ("申报基数", "原申报基数"),
        "audited_base": ("核定基数", "稽核基数", "应申报基数"),
        "cancelled": ("撤销", "是否撤销"),
    },
)

DEDUCTION_REVIEWS = Feed(
    name="deduction-reviews",
    title_zh="税前列支审核",
    title_en="Reviews of deductions before tax",
    departments=TAX,
    record=DeductionReview,
    period_kind="month",
    columns=models.REVIEW_COLUMNS,
    judge=intake.judge_reviews,
    apply=intake.apply_reviews,
    example={
        "review_no": "LZ-2008-0001",
        "month": "2008-04",
        "tax_no": "210502PDY00001X",
        "name": "本溪市示例餐饮有限公司",
        "unit": "210502",
        "reviewed_on": "2008-05-23",
        "taxable_headcount": 12,
        "contributing_headcount": 7,
        "accrued": "5760.00",
        "paid": "3360.00",
    },
    obligation="O44",
    texts=TEXTS,
    personal=PERSONAL,
    standing=Standing(
        models.deduction_reviews,
        ended=lambda row: {**row, **dict.fromkeys(_REVIEWED, 0)},
        figures={
            "accrued_fen": "sum(accrued_fen)",
            "not_deductible_fen": "sum(not_deductible_fen)",
        },
    ),
    headings={
        **EMPLOYER_HEADINGS,
        "review_no": ("审核编号", "审核书号"),
        "month": ("所属期", "月份"),
        "unit": UNIT_HEADINGS,
        "reviewed_on": ("审核时间",),
        "taxable_headcount": TAXABLE_HEADINGS,
        "contributing_headcount": INSURED_HEADINGS,
        "accrued": ("已提取", "已提取金额", "计提金额"),
        "paid": ("已缴纳", "已缴金额", "实缴金额"),
    },
)
