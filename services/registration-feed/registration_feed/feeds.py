"""The two feeds of registration-feed, declared for ``shared.deliveries``."""

from __future__ import annotations

from sqlalchemy import Table

from registration_feed import intake, models
from registration_feed.schemas import BusinessLicence, OrganisationCode
from shared.deliveries.checks import CHECK_TEXTS
from shared.deliveries.feed import Feed
from shared.deliveries.standing import Standing

_TEXTS = {
    **CHECK_TEXTS,
    "dates-out-of-order": (
        "发照（颁证）日期 {value} 晚于事项日期 {limit}",
        "dated {value}, after the day of the event, {limit}",
    ),
}

_HEADINGS = {
    "licence_no": ("注册号", "执照号", "营业执照号", "工商注册号"),
    "name": ("企业名称", "单位名称", "名称", "字号名称"),
    "reg_type": ("登记类型", "经济类型", "企业类型"),
    "industry": ("行业", "所属行业", "行业代码"),
    "unit": ("登记机关", "所属县区", "县区", "填报单位"),
    "event": ("登记事项", "业务类型", "变动类型"),
    "event_on": ("登记日期", "办理日期", "变动日期"),
    "org_code": ("机构代码", "代码证号", "代码"),
    "commitment_letter": ("承诺书", "参保承诺书", "是否审验承诺书"),
    "notified_on": ("告知日期", "参保告知日期", "通知日期"),
    "address": ("地址", "经营场所"),
    "legal_rep": ("法定代表人", "负责人", "法人代表", "法人", "法定代表人姓名"),
}
"""What tables of the two offices call the fields."""


def _standing(table: Table) -> Standing:
    """A number of which no version is left never was registered."""
    return Standing(
        table,
        ended=lambda row: {**row, "event": "deregistered"},
        figures={"enterprise_count": "count(*) FILTER (WHERE event <> 'deregistered')"},
    )


BUSINESS_LICENCES = Feed(
    name="business-licences",
    title_zh="工商登记信息",
    title_en="Business licences",
    departments=frozenset({"industry-commerce"}),
    record=BusinessLicence,
    period_kind="month",
    columns=models.COLUMNS,
    judge=intake.judge_licences,
    apply=intake.apply_licences,
    fresh=intake.FRESH_LICENCES,
    example={
        "licence_no": "210502200000015",
        "name": "本溪市示例餐饮有限公司",
        "reg_type": "173",
        "industry": "67",
        "unit": "210502",
        "licensed_on": "2008-05-06",
        "event": "registered",
        "event_on": "2008-05-06",
        "org_code": "PDY00001-X",
        "commitment_letter": True,
        "notified_on": "2008-05-06",
        "headcount": 12,
    },
    obligation="O51",
    texts=_TEXTS,
    personal=frozenset({"owner_id", "legal_rep"}),
    standing=_standing(models.business_licences),
    headings={
        **_HEADINGS,
        "licensed_on": ("发照时间", "成立日期", "注册日期"),
        "owner_id": ("身份证号", "身份证号码", "经营者身份证号码"),
        "headcount": ("从业人员", "人数", "职工人数"),
    },
)

ORGANISATION_CODES = Feed(
    name="organisation-codes",
    title_zh="组织机构代码信息",
    title_en="Organisation-code certificates",
    departments=frozenset({"quality-supervision"}),
    record=OrganisationCode,
    period_kind="month",
    columns=models.COLUMNS,
    judge=intake.judge_certificates,
    apply=intake.apply_certificates,
    fresh=intake.FRESH_CERTIFICATES,
    example={
        "org_code": "PDY00001-X",
        "name": "本溪市示例餐饮有限公司",
        "unit": "210502",
        "issued_on": "2008-05-08",
        "event": "registered",
        "event_on": "2008-05-08",
        "reg_type": "173",
        "industry": "67",
        "licence_no": "210502200000015",
        "commitment_letter": True,
    },
    obligation="O52",
    texts=_TEXTS,
    personal=frozenset({"legal_rep"}),
    standing=_standing(models.organisation_codes),
    headings={**_HEADINGS, "issued_on": ("颁证时间", "发证日期", "成立日期")},
)

FEEDS = (BUSINESS_LICENCES, ORGANISATION_CODES)
