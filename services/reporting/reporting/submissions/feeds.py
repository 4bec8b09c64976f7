"""The three feeds of reporting, declared for ``shared.deliveries``."""

from __future__ import annotations

from typing import Final

from reporting.submissions import intake, models, rules
from reporting.submissions.schemas import Activity, DekadReport, MonthlyReport
from shared.deliveries.checks import CHECK_TEXTS
from shared.deliveries.feed import Feed
from shared.deliveries.standing import Standing

_DEPARTMENTS: Final = frozenset(
    {
        *("unit", "tax", "labour", "agency", "industry-commerce", "quality-supervision"),
        *("finance", "publicity", "construction", "group-body", "labour-inspection"),
        *("development-reform", "statistics", "public-security", "transport", "personnel"),
        *("culture", "civil-affairs", "foreign-affairs", "sme-office", "peoples-bank"),
    }
)
"""Whoever the plan gives work to."""

_WHOSE = {
    **CHECK_TEXTS,
    "unit-not-expected": (
        "部门（{department}）报送时不填填报单位 {value}",
        "a department ({department}) reports for itself, not for unit {value}",
    ),
}
_FORM_TEXTS = {
    **_WHOSE,
    "figures-missing": (
        "未填任何数字；本期无数据请作零报送",
        "no figure is stated; nothing to report is a nil return",
    ),
    "part-above-whole": (
        "{value} 大于其所属的 {whole}（{limit}）",
        "{value} is more than {whole}, which it is a part of ({limit})",
    ),
}
_ACTIVITY_TEXTS = {
    **CHECK_TEXTS,
    "held-after-period": (
        "活动日期 {value} 晚于所报月份（至 {limit}）",
        "{value} is after the month delivered, which ends on {limit}",
    ),
    "department-not-yours": (
        "只有领导小组办公室可代部门 {value} 登记",
        "only the leading group's office may log for department {value}",
    ),
}

_STATED: Final = (*rules.COUNTS, *(f"{name}_fen" for name in rules.MONEY), *rules.PERCENTS)
"""What a form that was taken back states no more; not stated is not 0."""
_NOTHING_WRITTEN: Final = {
    **dict.fromkeys(("overall", "problems", "suggestions"), ""),
    "problem_items": [],
    "suggestion_items": [],
}

DEKAD_REPORTS = Feed(
    name="dekad-reports",
    title_zh="扩面征缴旬报",
    title_en="Dekad reports",
    departments=frozenset({"unit", "tax"}),
    record=DekadReport,
    period_kind="dekad",
    columns=models.DEKAD_COLUMNS,
    judge=intake.judge_dekads,
    apply=intake.apply_dekads,
    example={
        "period": "2008-06-D1",
        "unit": "210502",
        "sent_on": "2008-06-10",
        "households_planned": 4200,
        "households_done": 3150,
        "census_rate": "75.0",
        "new_this_period": 320,
        "lost_this_period": 45,
        "insured_total": 112_480,
        "insured_active": 81_900,
        "did_pay": 74_300,
        "fund_new": "5120000.00",
        "fund_cum": "96400000.00",
        "remarks": "灵活就业人员断缴较多",
    },
    obligation="O94",
    texts=_FORM_TEXTS,
    standing=Standing(
        models.dekad_reports,
        ended=lambda row: {**row, **dict.fromkeys(_STATED)},
        figures={"insured_count": "sum(insured_total)", "fund_new_fen": "sum(fund_new_fen)"},
    ),
    headings={
        "period": ("报告期", "旬别", "期别"),
        "unit": ("填报单位", "单位", "单位代码", "填报单位代码"),
        "sent_on": ("报出日期", "报送时间", "填报日期"),
        "households_planned": ("应查户数", "应查", "普查进度应查"),
        "households_done": ("已查户数", "已查", "普查进度已查"),
        "census_rate": ("普查完成率", "完成率", "普查进度完成率"),
        "uninsured_employers": ("查出未参保单位数", "未参保单位数"),
        "uninsured_persons": ("查出未参保人数", "未参保人数"),
        "uninsured_enrolled": ("其中：已纳入参保人数", "已纳入参保人数", "已纳入"),
        "target_base": ("年度确保任务", "年度任务", "确保任务"),
        "target_stretch": ("年度奋斗目标", "奋斗目标"),
        "last_year_end": ("上年末参保人数", "上年末"),
        "new_this_period": ("本旬新增", "本旬新增人数"),
        "lost_this_period": ("本旬减少", "本旬减少人数"),
        "insured_total": ("期末参保总人数", "期末总数", "参保总人数"),
        "insured_active": ("其中：在职", "其中在职", "在职"),
        "active_nonpublic": ("其中：非公有制企业", "非公有制企业", "其中非公"),
        "active_selfemployed_households": ("其中：个体工商户", "个体工商户", "个体"),
        "active_flexible": ("其中：灵活就业", "灵活就业", "灵活"),
        "active_migrant": ("其中：农民工", "农民工"),
        "done_base_pct": ("完成年度任务", "完成任务%", "完成年度任务%"),
        "done_stretch_pct": ("完成奋斗目标", "完成奋斗目标%"),
        "time_pct": ("序时进度", "序时进度%"),
        "should_pay": ("应缴费人数", "应缴", "应缴人数"),
        "did_pay": ("实际缴费人数", "实缴", "实缴人数"),
        "pay_rate": ("参保缴费率", "缴费率"),
        "fund_target": ("年度征收任务", "征收任务"),
        "fund_new": ("本旬征收", "本旬征收额"),
        "fund_cum": ("累计征收", "累计征收额"),
        "fund_arrears_collected": ("其中：清欠", "其中清欠", "清欠"),
        "fund_prelevied": ("其中：先行征收统筹", "其中先行征收", "先行征收统筹"),
        "fund_pct": ("完成年度征收任务", "完成征收任务%"),
        "arrears": ("期末累计欠费", "欠费余额"),
        "yoy_persons": ("比上年同期增减", "比上年同期"),
        "rank": ("全市排名", "位次"),
        "remarks": ("存在问题", "备注"),
    },
)

MONTHLY_REPORTS = Feed(
    name="monthly-reports",
    title_zh="月度书面报告",
    title_en="Monthly written reports",
    departments=_DEPARTMENTS,
    record=MonthlyReport,
    period_kind="month",
    columns=models.MONTHLY_COLUMNS,
    judge=intake.judge_monthlies,
    apply=intake.apply_monthlies,
    example={
        "period": "2008-05",
        "unit": "210502",
        "sent_on": "2008-06-02",
        "overall": "五月净增参保812人，普查已完成七成。",
        "problems": "1、餐饮业用工流动大，登记难\n2、部分破产企业欠费无法清缴",
        "suggestions": "由工商、地税联合上门",
    },
    obligation="O95",
    texts=_WHOSE,
    standing=Standing(
        models.monthly_reports,
        ended=lambda row: {**row, **_NOTHING_WRITTEN},
        figures={
            "report_count": "count(*) FILTER (WHERE "
            "content_hash <> decode(repeat('00', 16), 'hex'))",
        },
    ),
    headings={
        "period": ("报告期", "月份"),
        "unit": ("填报单位", "单位", "单位代码"),
        "sent_on": ("报出日期", "报送时间"),
        "overall": ("总体进展情况", "总体进展", "工作进展"),
        "problems": ("存在问题", "存在的问题"),
        "suggestions": ("解决建议", "意见建议", "建议"),
        "measures": ("主要措施",),
    },
)

ACTIVITIES = Feed(
    name="activities",
    title_zh="宣传与督促活动",
    title_en="Publicity and urging",
    departments=_DEPARTMENTS | {intake.OFFICE},
    record=Activity,
    period_kind="month",
    columns=models.ACTIVITY_COLUMNS,
    judge=intake.judge_activities,
    apply=intake.apply_activities,
    example={
        "activity_no": "PS-2008-06-01",
        "kind": "street",
        "held_on": "2008-06-05",
        "place": "平山区胜利路",
        "title": "街头政策咨询",
        "copies": 800,
        "persons_reached": 350,
        "questions": "断缴几年能否补缴？",
        "unit": "210502",
    },
    obligation="O93",
    texts=_ACTIVITY_TEXTS,
    standing=Standing(
        models.activities,
        ended=lambda row: {**row, "cancelled": True},
        figures={
            "activity_count": "count(*) FILTER (WHERE NOT cancelled)",
            "copies_count": "sum(copies) FILTER (WHERE NOT cancelled)",
        },
    ),
    headings={
        "activity_no": ("活动编号", "编号"),
        "kind": ("活动类别", "类别", "形式"),
        "held_on": ("活动日期", "日期", "时间"),
        "place": ("活动地点", "地点"),
        "title": ("活动内容", "内容", "主题"),
        "copies": ("发放份数", "份数"),
        "persons_reached": ("受众人数", "人数"),
        "questions": ("群众提问", "咨询问题"),
        "unit": ("填报单位", "单位", "单位代码"),
        "department": ("部门",),
        "cancelled": ("已取消",),
    },
)

FEEDS = (DEKAD_REPORTS, MONTHLY_REPORTS, ACTIVITIES)
