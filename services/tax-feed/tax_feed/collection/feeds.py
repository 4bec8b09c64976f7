"""The feeds of money, declared."""

from __future__ import annotations

from shared.deliveries.feed import Feed
from shared.deliveries.standing import Standing
from tax_feed.collection import intake, models
from tax_feed.collection.schemas import ArrearsStock, Receipt
from tax_feed.feed_texts import PERSONAL, TAX, TEXTS
from tax_feed.fields import EMPLOYER_HEADINGS, UNIT_HEADINGS

RECEIPTS = Feed(
    name="receipts",
    title_zh="养老保险费入库",
    title_en="Contributions received",
    departments=TAX,
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
    texts=TEXTS,
    personal=PERSONAL,
    standing=Standing(
        models.receipts,
        ended=lambda row: {**row, "cancelled": True},
        figures={
            "pooled_fen": "sum(pooled_fen) FILTER (WHERE NOT cancelled)",
            "individual_fen": "sum(individual_fen) FILTER (WHERE NOT cancelled)",
            "arrears_pooled_fen": "sum(arrears_pooled_fen) FILTER (WHERE NOT cancelled)",
        },
    ),
    headings={
        **EMPLOYER_HEADINGS,
        "receipt_no": ("缴款书编号", "票号", "凭证号"),
        "month_for": ("所属期", "费款所属期", "所属月份"),
        "received_on": ("入库时间", "缴款日期"),
        "collecting_unit": UNIT_HEADINGS,
        "pooled": ("统筹部分", "统筹", "统筹基金", "单位缴纳部分"),
        "individual": ("个人部分", "个人账户", "个人缴纳部分"),
        "of_which_arrears": ("其中清欠", "清欠", "清欠金额"),
        "payer_count": ("人数", "参保缴费人数"),
        "cancelled": ("冲销", "是否冲销"),
    },
)

ARREARS = Feed(
    name="arrears",
    title_zh="欠费余额",
    title_en="Arrears",
    departments=TAX,
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
    texts=TEXTS,
    personal=PERSONAL,
    standing=Standing(
        models.arrears,
        ended=lambda row: {**row, "balance_fen": 0},
        figures={"balance_fen": "sum(balance_fen)"},
    ),
    headings={
        **EMPLOYER_HEADINGS,
        "month": ("月份", "截止月份", "所属期"),
        "balance": ("欠费额", "累计欠费", "期末欠费", "欠费"),
        "unit": UNIT_HEADINGS,
    },
)
