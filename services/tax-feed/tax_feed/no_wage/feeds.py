"""The feed of persons without wage, declared."""

from __future__ import annotations

from shared.deliveries.feed import Feed
from shared.deliveries.standing import Standing
from tax_feed.feed_texts import PERSONAL, TAX, TEXTS
from tax_feed.fields import EMPLOYER_HEADINGS, UNIT_HEADINGS
from tax_feed.no_wage import intake, models
from tax_feed.no_wage.schemas import NoWagePerson

NO_WAGE_PERSONS = Feed(
    name="no-wage-persons",
    title_zh="当期未领取工资人员",
    title_en="Insured persons without wage",
    departments=TAX,
    record=NoWagePerson,
    period_kind="month",
    columns=models.COLUMNS,
    judge=intake.judge_no_wage,
    apply=intake.apply_no_wage,
    example={
        "month": "2008-05",
        "identity_no": "210502197001019805",
        "person_name": "张三",
        "tax_no": "210502PDY00001X",
        "name": "本溪市示例餐饮有限公司",
        "unit": "210502",
        "individual_base": "1650.00",
    },
    obligation="O43",
    texts=TEXTS,
    personal=PERSONAL | {"identity_no", "person_name"},
    standing=Standing(
        models.no_wage_persons,
        ended=lambda row: {**row, "cancelled": True},
        figures={
            "person_count": "count(*) FILTER (WHERE NOT cancelled)",
            "individual_fen": "sum(individual_fen) FILTER (WHERE NOT cancelled)",
            "employer_fen": "sum(employer_fen) FILTER (WHERE NOT cancelled)",
        },
    ),
    headings={
        **EMPLOYER_HEADINGS,
        "month": ("所属期", "月份"),
        "identity_no": ("身份证号", "身份证号码", "居民身份证号"),
        "person_name": ("职工姓名", "参保人姓名"),
        "unit": UNIT_HEADINGS,
        "individual_base": ("缴费基数", "个人基数", "月缴费基数"),
        "cancelled": ("撤销", "是否撤销"),
    },
)
