"""The two feeds of registration-feed, declared for ``shared.deliveries``."""

from __future__ import annotations

from registration_feed import intake, models
from registration_feed.schemas import BusinessLicence, OrganisationCode
from shared.deliveries.checks import CHECK_TEXTS
from shared.deliveries.feed import Feed

_TEXTS = {
    **CHECK_TEXTS,
    "dates-out-of-order": (
        "发照（颁证）日期 {value} 晚于事项日期 {limit}",
        "dated {value}, after the day of the event, {limit}",
    ),
}

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
    personal=frozenset({"owner_id"}),
    headings={
        "name": ("企业名称", "名称全称", "字号名称"),
        "licensed_on": ("发照日期", "核发日期", "成立日期"),
        "address": ("住所", "经营场所"),
        "owner_id": ("经营者身份证号", "投资人身份证号"),
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
    headings={
        "name": ("机构名称", "名称全称", "单位名称"),
        "issued_on": ("颁证日期", "发证日期", "办证日期"),
    },
)

FEEDS = (BUSINESS_LICENCES, ORGANISATION_CODES)
