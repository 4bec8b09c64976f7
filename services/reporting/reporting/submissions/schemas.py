"""The records counties and departments submit: strict, every field documented for the sender.

Money is decimal yuan with at most two decimals; percentages are percent. A figure left out, or
null, is not stated, which is not 0.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Unit = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=12,
        description="填报单位 · reporting unit, e.g. 210502; left out by a department",
    ),
]
DekadPeriod = Annotated[
    str,
    Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-D[1-3]$", description="报告期 · dekad, 2008-06-D1"),
]
Month = Annotated[
    str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="报告期 · month, 2008-05")
]
SentOn = Annotated[
    date, Meta(description="报出日期 · as claimed; lateness is judged by our receipt clock")
]
_MOST = 100_000_000
_Count = Annotated[int, Meta(ge=0, le=_MOST)]

HouseholdsPlanned = Annotated[_Count, Meta(description="应查户数 · households to visit")]
HouseholdsDone = Annotated[_Count, Meta(description="已查户数 · households visited")]
CensusRate = Annotated[Decimal, Meta(description="普查完成率 · visited, %")]
UninsuredEmployers = Annotated[
    _Count, Meta(description="查出未参保单位数 · employers found uninsured")
]
UninsuredPersons = Annotated[_Count, Meta(description="查出未参保人数 · persons found uninsured")]
UninsuredEnrolled = Annotated[_Count, Meta(description="其中：已纳入参保人数 · of them enrolled")]
TargetBase = Annotated[_Count, Meta(description="年度确保任务 · duty target, persons")]
TargetStretch = Annotated[_Count, Meta(description="年度奋斗目标 · stretch target, persons")]
LastYearEnd = Annotated[_Count, Meta(description="上年末参保人数 · insured at last year's end")]
NewThisPeriod = Annotated[_Count, Meta(description="本旬新增 · joined this dekad")]
LostThisPeriod = Annotated[_Count, Meta(description="本旬减少 · left this dekad")]
InsuredTotal = Annotated[_Count, Meta(description="期末参保总人数 · insured at the cut-off")]
InsuredActive = Annotated[_Count, Meta(description="其中：在职 · of them active")]
ActiveNonpublic = Annotated[
    _Count, Meta(description="其中：非公有制企业 · of the active, non-public")
]
ActiveSelfemployedHouseholds = Annotated[
    _Count, Meta(description="其中：个体工商户 · of the active, households")
]
ActiveFlexible = Annotated[_Count, Meta(description="其中：灵活就业 · of the active, flexible")]
ActiveMigrant = Annotated[_Count, Meta(description="其中：农民工 · of the active, rural workers")]
DoneBasePct = Annotated[Decimal, Meta(description="完成年度任务 · of the duty target, %")]
DoneStretchPct = Annotated[Decimal, Meta(description="完成奋斗目标 · of the stretch target, %")]
TimePct = Annotated[Decimal, Meta(description="序时进度 · days elapsed of the year, %")]
ShouldPay = Annotated[_Count, Meta(description="应缴费人数 · persons who should pay")]
DidPay = Annotated[_Count, Meta(description="实际缴费人数 · persons who did pay")]
PayRate = Annotated[Decimal, Meta(description="参保缴费率 · paid of should pay, %")]
FundTarget = Annotated[Decimal, Meta(description="年度征收任务（元） · fund target of the year")]
FundNew = Annotated[Decimal, Meta(description="本旬征收（元） · collected this dekad")]
FundCum = Annotated[Decimal, Meta(description="累计征收（元） · collected this year")]
FundArrearsCollected = Annotated[Decimal, Meta(description="其中：清欠（元） · arrears cleared")]
FundPrelevied = Annotated[Decimal, Meta(description="其中：先行征收统筹（元） · of it pre-levied")]
FundPct = Annotated[Decimal, Meta(description="完成年度征收任务 · of the fund target, %")]
Arrears = Annotated[Decimal, Meta(description="期末累计欠费（元） · arrears at the cut-off")]
YoyPersons = Annotated[
    int, Meta(ge=-_MOST, le=_MOST, description="比上年同期增减 · persons against a year before")
]
Rank = Annotated[int, Meta(ge=1, le=1000, description="全市排名 · rank in the city")]
Remarks = Annotated[str, Meta(max_length=4000, description="存在问题 · problems, remarks")]


class DekadReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """本溪市养老保险扩面征缴旬报表: one form, of a county or of the tax office (O94)."""

    period: DekadPeriod
    unit: Unit | None = None
    sent_on: SentOn | None = None
    households_planned: HouseholdsPlanned | None = None
    households_done: HouseholdsDone | None = None
    census_rate: CensusRate | None = None
    uninsured_employers: UninsuredEmployers | None = None
    uninsured_persons: UninsuredPersons | None = None
    uninsured_enrolled: UninsuredEnrolled | None = None
    target_base: TargetBase | None = None
    target_stretch: TargetStretch | None = None
    last_year_end: LastYearEnd | None = None
    new_this_period: NewThisPeriod | None = None
    lost_this_period: LostThisPeriod | None = None
    insured_total: InsuredTotal | None = None
    insured_active: InsuredActive | None = None
    active_nonpublic: ActiveNonpublic | None = None
    active_selfemployed_households: ActiveSelfemployedHouseholds | None = None
    active_flexible: ActiveFlexible | None = None
    active_migrant: ActiveMigrant | None = None
    done_base_pct: DoneBasePct | None = None
    done_stretch_pct: DoneStretchPct | None = None
    time_pct: TimePct | None = None
    should_pay: ShouldPay | None = None
    did_pay: DidPay | None = None
    pay_rate: PayRate | None = None
    fund_target: FundTarget | None = None
    fund_new: FundNew | None = None
    fund_cum: FundCum | None = None
    fund_arrears_collected: FundArrearsCollected | None = None
    fund_prelevied: FundPrelevied | None = None
    fund_pct: FundPct | None = None
    arrears: Arrears | None = None
    yoy_persons: YoyPersons | None = None
    rank: Rank | None = None
    remarks: Remarks | None = None


_PART = {"min_length": 1, "max_length": 20_000}


class MonthlyReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The monthly report in its three parts (O95), of a county or a department. Each line of the
    problems becomes an item of its own; "无" says that there is none."""

    period: Month
    overall: Annotated[str, Meta(**_PART, description="总体进展情况 · overall progress")]
    problems: Annotated[str, Meta(**_PART, description="存在问题 · problems, one on each line")]
    suggestions: Annotated[
        str, Meta(**_PART, description="解决建议 · suggestions, one on each line")
    ]
    measures: Annotated[str, Meta(**_PART, description="主要措施 · measures taken")] | None = None
    unit: Unit | None = None
    sent_on: SentOn | None = None


ActivityKind = Literal[
    "media",
    "street",
    "leaflet",
    "service-hall",
    "enterprise-visit",
    "community-visit",
    "family-visit",
    "meeting",
    "urging",
    "other",
]


class Activity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing done to make the policy known or to urge enrolment (O32, O35, O58, O93)."""

    activity_no: Annotated[
        str, Meta(min_length=1, max_length=64, description="活动编号 · the sender's own number")
    ]
    kind: Annotated[
        ActivityKind,
        Meta(
            description="活动类别 · media 媒体报道, street 街头宣传, leaflet 发放宣传单, "
            "service-hall 服务大厅资料, enterprise-visit 进企业, community-visit 进社区, "
            "family-visit 入户, meeting 会议培训, urging 督促参保缴费, other 其他"
        ),
    ]
    held_on: Annotated[date, Meta(description="活动日期 · date")]
    place: Annotated[str, Meta(min_length=1, max_length=200, description="活动地点 · place")]
    title: Annotated[str, Meta(min_length=1, max_length=400, description="活动内容 · what it was")]
    copies: (
        Annotated[int, Meta(ge=0, le=_MOST, description="发放份数 · copies handed out")] | None
    ) = None
    persons_reached: (
        Annotated[int, Meta(ge=0, le=_MOST, description="受众人数 · persons reached")] | None
    ) = None
    questions: (
        Annotated[str, Meta(max_length=4000, description="群众提问 · questions asked, for the FAQ")]
        | None
    ) = None
    unit: Unit | None = None
    department: (
        Annotated[
            str,
            Meta(
                max_length=40,
                description="部门 · department, stated by the leading group's office only",
            ),
        ]
        | None
    ) = None
    cancelled: Annotated[bool, Meta(description="已取消 · did not take place after all")] = False
