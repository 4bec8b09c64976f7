"""The census's two feeds, declared. Each dekad of the census, from every county (O65, O70)."""

from __future__ import annotations

from collections.abc import Mapping

from enrollment.census import models, rules
from enrollment.census.intake import persons, units
from enrollment.census.schemas import CensusPerson, CensusUnit
from shared.deliveries.feed import Feed
from shared.deliveries.standing import Standing

_TEXTS: Mapping[str, tuple[str, str]] = {
    "outside-census": (
        "日期 {value} 不在普查期间（{first} 至 {last}）",
        "{value} does not lie within the census, {first} to {last}",
    ),
    "name-of-residence": (
        "居民户不填名称，姓名不得填在此处",
        "a residence has no name here: persons are not to be named",
    ),
    "more-than-found": (
        "未参保人数 {value} 多于查到人数 {limit}",
        "{value} not insured of {limit} found",
    ),
}
_SENDERS = frozenset({"agency", "unit"})
_UNIT = ("填报单位", "县区", "区县代码", "县(区)")
_STREET = ("街道", "乡镇", "街道乡镇", "街道(乡镇)名称", "所属街道")
_ORG_CODE = ("组织机构代码", "机构代码", "组织机构代码证号")
_LICENCE_NO = ("营业执照号", "执照号", "工商注册号", "注册号")
_VOID = ("作废", "是否作废", "撤销")

FEEDS = (
    Feed(
        name="census-units",
        title_zh="普查对象与走访记录",
        title_en="Census frame and visits",
        departments=_SENDERS,
        record=CensusUnit,
        period_kind="dekad",
        columns=units.COLUMNS,
        judge=units.judge_census_units,
        apply=units.apply_census_units,
        example={
            "frame_no": "PC-01-00017",
            "unit": "210502",
            "street": "平山街道",
            "kind": "enterprise",
            "name": "本溪某某饮食有限公司",
            "org_code": "PDY00001X",
            "visited_on": "2008-06-03",
            "visitor": "PCY-012",
            "outcome": "done",
            "persons_found": 23,
            "uninsured_found": 6,
        },
        obligation="O69",
        texts=_TEXTS,
        coded={"outcome": units.OUTCOMES},
        headings={
            "frame_no": ("普查编号", "普查对象编号", "底册编号", "户编号", "表号"),
            "unit": _UNIT,
            "street": _STREET,
            "kind": ("普查对象类别", "对象类别", "类别", "单位或住户"),
            "community": ("社区", "村", "社区(村)", "社区居委会", "居委会"),
            "name": ("单位名称", "企业名称", "用人单位名称", "字号名称"),
            "org_code": _ORG_CODE,
            "licence_no": _LICENCE_NO,
            "visited_on": ("走访日期", "入户日期", "调查日期", "排查日期"),
            "visitor": ("普查员编号", "普查员", "调查员编号", "走访人"),
            "outcome": ("走访结果", "入户结果", "调查结果", "登记情况"),
            "persons_found": ("查到人数", "从业人数", "从业人员数", "用工人数"),
            "uninsured_found": ("其中未参保人数", "未参保人数", "未参保", "应保未保人数"),
            "void": _VOID,
        },
        standing=Standing(
            models.census_units,
            ended=lambda row: {**row, **rules.NO_VISIT, "void": True},
            gone="s.void",
            carried="s.visit_delivery_id = %(delivery)s::text",
            figures={
                "frame_count": "count(*) FILTER (WHERE NOT void)",
                "visited_count": "count(*) FILTER (WHERE visited)",
            },
        ),
    ),
    Feed(
        name="census-persons",
        title_zh="普查登记未参保人员",
        title_en="Persons the census found not insured",
        departments=_SENDERS,
        record=CensusPerson,
        period_kind="dekad",
        columns=persons.COLUMNS,
        judge=persons.judge_census_persons,
        apply=persons.apply_census_persons,
        example={
            "entry_no": "PR-01-000231",
            "unit": "210502",
            "street": "平山街道",
            "found_on": "2008-06-03",
            "name": "王五",
            "worker_class": "employee",
            "reason": "employer-did-not",
            "can_pay": True,
            "identity_no": "210502198001019834",
            "post": "worker",
            "frame_no": "PC-01-00017",
            "employer_name": "本溪某某饮食有限公司",
            "org_code": "PDY00001X",
        },
        obligation="O70",
        texts=_TEXTS,
        personal=frozenset({"identity_no", "name", "birth_on"}),
        coded={"reason": persons.REASONS},
        headings={
            "entry_no": ("登记序号", "普查表序号", "登记表编号"),
            "unit": _UNIT,
            "street": _STREET,
            "found_on": ("登记日期", "普查日期", "调查日期", "填表日期"),
            "name": ("姓名", "人员姓名"),
            "worker_class": ("人员类别", "就业形式", "用工形式", "从业类别"),
            "reason": ("未参保原因", "原因", "未参加养老保险原因"),
            "can_pay": ("有缴费能力", "是否有缴费能力", "缴费能力"),
            "identity_no": ("身份证号", "身份证号码", "公民身份号码", "身份证"),
            "sex": ("性别",),
            "birth_on": ("出生日期", "出生年月日", "出生年月"),
            "post": ("岗位", "岗位性质", "工人或干部"),
            "frame_no": ("普查编号", "普查对象编号", "所在户编号", "表号"),
            "employer_name": ("用人单位名称", "工作单位", "从业单位", "所在单位"),
            "org_code": _ORG_CODE,
            "licence_no": _LICENCE_NO,
            "void": _VOID,
        },
        standing=Standing(
            models.census_persons,
            ended=lambda row: {**row, "void": True},
            gone="s.void",
            figures={"person_count": "count(*) FILTER (WHERE NOT void)"},
        ),
    ),
)
