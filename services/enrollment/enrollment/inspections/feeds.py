"""The feed of the labour inspection's findings, declared (O33)."""

from __future__ import annotations

from collections.abc import Mapping

from enrollment.inspections import intake, models
from enrollment.inspections.schemas import InspectionFinding
from shared.deliveries.feed import Feed
from shared.deliveries.standing import Standing

_TEXTS: Mapping[str, tuple[str, str]] = {
    "more-than-staff": (
        "人数 {value} 多于实有用工人数 {limit}",
        "{value} of {limit} persons found working there",
    ),
}

FEEDS = (
    Feed(
        name="inspection-findings",
        title_zh="劳动监察检查结果",
        title_en="Findings of the labour inspection",
        departments=frozenset({"labour-inspection", "agency", "unit"}),
        record=InspectionFinding,
        period_kind="dekad",
        columns=intake.COLUMNS,
        judge=intake.judge_inspection_findings,
        apply=intake.apply_inspection_findings,
        example={
            "finding_no": "JC-2008-0017",
            "inspected_on": "2008-06-05",
            "unit": "210502",
            "employer_name": "本溪某某饮食有限公司",
            "staff_found": 23,
            "not_enrolled": 6,
            "without_contract": 9,
            "org_code": "PDY00001X",
        },
        obligation="O33",
        texts=_TEXTS,
        headings={
            "finding_no": ("监察编号", "登记编号", "检查单号"),
            "inspected_on": ("监察日期", "检查时间"),
            "unit": ("填报单位", "县区", "区县代码", "县(区)"),
            "employer_name": ("被监察单位", "用人单位名称", "单位名称"),
            "staff_found": ("用工人数", "职工人数", "实有人数"),
            "not_enrolled": ("未参保人数", "未参加养老保险人数"),
            "without_contract": ("未签合同人数", "未签订劳动合同人数"),
            "org_code": ("组织机构代码", "机构代码"),
            "licence_no": ("营业执照号", "执照号", "工商注册号"),
            "void": ("作废", "是否作废", "撤销"),
        },
        standing=Standing(
            models.inspection_findings,
            ended=lambda row: {**row, "void": True},
            gone="s.void",
            figures={"finding_count": "count(*) FILTER (WHERE NOT void)"},
        ),
    ),
)
