"""The kinds of mess the story plants, and what must become of each."""

from __future__ import annotations

PLANTED_TEXTS: dict[str, tuple[str, str, str, str]] = {
    "wrong-check-digit": (
        "校验码错误的记录",
        "records with a wrong check digit",
        "全部退回，改正后重报的已入账",
        "all rejected with the right digit named; those sent again corrected were applied",
    ),
    "not-yours": (
        "替其他填报单位报送的记录",
        "records of another unit",
        "全部退回",
        "all rejected",
    ),
    "duplicate": (
        "重复报送的记录",
        "records sent a second time unchanged",
        "判为重复，未重复计数",
        "called duplicate, counted once",
    ),
    "correction": (
        "更正的记录",
        "records corrected later",
        "以更正后的内容为准",
        "the corrected content stands",
    ),
    "census-corrected": (
        "更正的普查登记",
        "census entries corrected later",
        "以更正后的内容为准",
        "the corrected content stands",
    ),
    "cancelled": ("冲销的缴款书", "receipts cancelled later", "金额已冲减", "taken back"),
    "held-released": (
        "先于单位登记到达的人员申请",
        "person applications that came before their employer's",
        "暂挂，单位登记到达后自动入账",
        "held, applied by themselves when the employer arrived",
    ),
    "held-forever": (
        "单位始终未登记的人员申请",
        "person applications whose employer never came",
        "仍暂挂，可查",
        "still held, and listed",
    ),
    "again": (
        "整批重复推送",
        "whole deliveries pushed twice with one key",
        "返回原回执，未产生第二次影响",
        "answered with the first receipt, no second effect",
    ),
    "cut": (
        "中途截断的报送",
        "deliveries cut off in the middle",
        "整批拒收，重报后入账",
        "refused whole, then sent again",
    ),
    "nil": ("零报送", "nil returns", "计为已报送", "counted as delivered"),
    "late": ("逾期报送", "late deliveries", "按收到时间判为逾期", "late by our receipt clock"),
    "late-list": (
        "逾期报送的地税名单",
        "lists of the tax office that came late",
        "收到时间晚于方案规定的时限",
        "received after the moment the plan gives",
    ),
    "missing": (
        "未报送的批次",
        "deliveries that never came",
        "在可信度页面列为缺报",
        "named as missing in trust",
    ),
    "form-late": (
        "逾期的旬报、月报",
        "dekad and monthly reports that came late",
        "在报送义务台账中记为逾期",
        "late in the list of obligations",
    ),
    "form-missing": (
        "未报的旬报",
        "dekad reports that never came",
        "在报送义务台账中列为未报，并已催报",
        "missing in the list of obligations, and chased",
    ),
    "moved": (
        "跨县区迁移的企业",
        "enterprises that moved between units",
        "已收资金留在原征收单位",
        "money stays with the unit that collected it",
    ),
    "struck-off-staffed": (
        "注销时职工仍在参保的企业",
        "enterprises struck off whose people are still insured through them",
        "列为数据冲突，由人判断",
        "listed as conflicts for people to decide",
    ),
    "moved-person": (
        "跨单位转移的参保人员",
        "insured people who moved between units",
        "原单位减一、新单位加一",
        "one less there, one more here",
    ),
    "understated": (
        "少报人数的企业",
        "enterprises that insure fewer than they employ",
        "形成未全员参保线索",
        "became not-fully-enrolled leads where the tax office saw the gap",
    ),
}
