"""The page's words, each in Chinese and English."""

from __future__ import annotations

from typing import Final, Literal

Lang = Literal["zh", "en"]

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "title": ("养老保险扩面征缴进度", "Pension coverage campaign: progress"),
    "ahead": ("快于进度", "ahead"),
    "behind": ("慢于进度", "behind"),
    "api": ("接口文档", "API"),
    "json": ("本页数据 JSON", "this page as JSON"),
    "plan": ("方案", "Plan"),
    "upload": ("报送文件", "Send a file"),
    "sign_in": ("登录", "Sign in"),
    "sign_in_hint": (
        "登录后可逐数打开,直至报送记录",
        "sign in to open every number, down to the record it came from",
    ),
    "open_hint": (
        "每个数字均可打开,直至报送记录",
        "every number opens, down to the record it came from",
    ),
    "previous": ("上一旬", "previous"),
    "next": ("下一旬", "next"),
    "current": ("本旬", "current"),
    "cut_off": ("截止", "cut-off"),
    "due": ("上报期限", "due"),
    "time_progress": ("序时进度", "time progress"),
    "dekads_left": ("剩余旬数", "dekads left"),
    "open_dekad": ("本旬尚未截止", "dekad still open"),
    "closed_dekad": ("已截止", "closed"),
    "demo_clock": ("演示时钟", "demo clock"),
    "sample": ("示例数据", "SAMPLE"),
    "unit": ("单位", "Unit"),
    "opening": ("期初", "Opening"),
    "duty": ("年度任务", "Duty"),
    "stretch": ("奋斗目标", "Stretch"),
    "this_dekad": ("本旬", "This dekad"),
    "cumulative": ("累计", "Cumulative"),
    "completion": ("完成任务%", "of duty %"),
    "net_gain": ("净增完成%", "net gain %"),
    "gain_and_pace": ("净增完成/要求%", "net gain / pace %"),
    "against_pace": ("快慢(点)", "vs pace, pts"),
    "needed": ("每旬还需", "needed / dekad"),
    "rank": ("位次", "Rank"),
    "pace": ("净增进度要求", "net-gain pace"),
    "shortfall": ("距任务", "to go"),
    "of_duty": ("完成年度任务", "of the duty target"),
    "cascade_ok": ("分解核对:各单位合计", "Breakdown: units sum to"),
    "cascade_city": ("全市", "city"),
    "owed": ("报送义务", "What is owed"),
    "owed_department": ("部门", "Department"),
    "owed_missing": ("未报", "Missing"),
    "owed_late": ("逾期", "Late"),
    "owed_latest": ("最近未报", "Latest missing"),
    "owed_expected": ("应报", "Expected"),
    "owed_on_time": ("按期率", "On time"),
    "owed_complete": ("报送率", "Received"),
    "owed_chases": ("催报", "Chases"),
    "owed_rates": ("各部门报送率", "Rates by department"),
    "owed_none": ("到期报送无缺漏、无逾期。", "Nothing due is missing, nothing came late."),
    "trust": ("数据可信度", "Can the figures be trusted?"),
    "feed": ("报送", "Feed"),
    "latest": ("最近到期", "Latest due"),
    "state": ("状态", "State"),
    "received": ("已收/应收", "In / due"),
    "records": ("记录", "Records"),
    "rejected": ("退回", "Rejected"),
    "held": ("待查", "Held"),
    "producer": ("来源服务", "Producer"),
    "lag": ("在途事实", "Facts on the way"),
    "unknown": ("无法查询", "unknown"),
    "persons": ("人", "persons"),
    "wan_yuan": ("万元", "10,000 yuan"),
    "dead_letters": ("死信", "dead letters"),
    "gaps": ("缺号", "gaps"),
    "no_reasons": (
        "应收报送均已按期收到,无待查、无在途。",
        "Everything due is in, nothing is open.",
    ),
    "footer": (
        "数字出自逐笔台账;完成率保留一位小数,四舍五入;「—」表示无此项,不等于 0。",
        "Figures are sums of ledger entries; shares have one decimal, half up; “—” is not 0.",
    ),
    "state_in": ("按期", "in time"),
    "state_nil": ("零报送", "nil"),
    "state_late": ("逾期", "late"),
    "state_missing": ("未报", "missing"),
    "state_not-due": ("未到期", "not due"),
    "unplaced": ("记在未知单位代码上", "under unknown unit codes"),
}

_DEKADS: Final = {1: ("上旬", "1–10"), 2: ("中旬", "11–20"), 3: ("下旬", "21–end")}
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def words(lang: Lang) -> dict[str, str]:
    """The texts in one language."""
    return {name: pair[0 if lang == "zh" else 1] for name, pair in TEXTS.items()}


def dekad_name(year: int, month: int, number: int, lang: Lang) -> str:
    """``2008年6月上旬``, ``1–10 Jun 2008``."""
    zh, en = _DEKADS[number]
    return f"{year}年{month}月{zh}" if lang == "zh" else f"{en} {_MONTHS[month - 1]} {year}"
