"""The feed of complaints, declared (O85)."""

from __future__ import annotations

from collections.abc import Mapping

from enrollment.complaints import intake, models
from enrollment.complaints.schemas import Complaint
from shared.deliveries.feed import Feed
from shared.deliveries.standing import Standing

_TEXTS: Mapping[str, tuple[str, str]] = {
    "anonymous-named": (
        "匿名举报不得填写举报人及联系方式",
        "an anonymous complaint names no informant and no contact",
    ),
}

FEEDS = (
    Feed(
        name="complaints",
        title_zh="群众信访和举报",
        title_en="Letters and reports about employers",
        departments=frozenset({"agency", "group-body", "labour-inspection", "unit"}),
        record=Complaint,
        period_kind="dekad",
        columns=intake.COLUMNS,
        judge=intake.judge_complaints,
        apply=intake.apply_complaints,
        example={
            "complaint_no": "XF-2008-0031",
            "received_on": "2008-06-04",
            "channel": "letter",
            "unit": "210502",
            "ground": "not-registered",
            "employer_name": "本溪某某饮食有限公司",
            "content": "该单位招用职工二十余人，未办理养老保险",
            "anonymous": True,
            "org_code": "PDY00001X",
            "persons_affected": 20,
        },
        obligation="O85",
        texts=_TEXTS,
        coded={"ground": intake.GROUNDS},
        personal=frozenset({"content", "informant_name", "informant_contact"}),
        protected=frozenset({"content", "informant_name", "informant_contact"}),
        headings={
            "complaint_no": ("受理编号", "信访编号", "举报编号", "登记编号"),
            "received_on": ("受理日期", "来信日期", "登记日期", "举报日期"),
            "channel": ("来件方式", "来访方式", "举报方式", "信访形式"),
            "unit": ("填报单位", "县区", "区县代码", "县(区)"),
            "ground": ("举报事项", "信访事项", "投诉事项", "反映问题类别"),
            "employer_name": ("被举报单位", "被投诉单位", "被反映单位", "用人单位名称"),
            "content": ("举报内容", "反映内容", "信访内容", "投诉内容", "主要内容"),
            "anonymous": ("匿名举报", "是否匿名", "匿名"),
            "informant_name": ("举报人", "信访人", "投诉人", "举报人姓名"),
            "informant_contact": ("举报人联系方式", "联系方式", "联系电话", "电话"),
            "org_code": ("组织机构代码", "机构代码"),
            "licence_no": ("营业执照号", "执照号", "工商注册号"),
            "persons_affected": ("涉及人数", "涉及职工人数", "人数"),
            "void": ("作废", "是否作废", "撤销"),
        },
        standing=Standing(
            models.complaints,
            ended=lambda row: {**row, "void": True},
            gone="s.void",
            figures={"complaint_count": "count(*) FILTER (WHERE NOT void)"},
        ),
    ),
)
