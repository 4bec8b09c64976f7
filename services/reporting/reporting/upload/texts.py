"""The upload page's words, each in Chinese and English. The script gets them as one object."""

from __future__ import annotations

from typing import Final, Literal

Lang = Literal["zh", "en"]

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "title": ("报送文件", "Send a file"),
    "overview": ("进度总览", "Overview"),
    "sign_out": ("退出", "Sign out"),
    "step_feed": ("选择报送项目和期间", "Choose feed and period"),
    "step_file": ("选择文件", "Choose the file"),
    "step_check": ("试报结果", "What the trial found"),
    "step_done": ("报送回执", "Receipt"),
    "feed": ("报送项目", "Feed"),
    "period": ("所报期间", "Period"),
    "period_month": ("月,如 2008-06", "a month, 2008-06"),
    "period_dekad": ("旬,如 2008-06-D1", "a third of a month, 2008-06-D1"),
    "period_day": ("日,如 2008-06-10", "a day, 2008-06-10"),
    "due": ("上报期限", "due"),
    "template": ("下载模板", "Template"),
    "fields": ("栏目说明", "What the columns mean"),
    "column": ("栏目", "Column"),
    "required": ("必填", "required"),
    "optional": ("可空", "optional"),
    "drop": (
        "把文件拖到这里,或点击选择。CSV、XLSX、NDJSON、JSON,也可用 gzip 压缩。",
        "Drop the file here, or click to choose. CSV, XLSX, NDJSON, JSON, gzip too.",
    ),
    "drop_hint": (
        "先试报:不会生效,只看结果。",
        "A trial comes first: it has no effect, you only see what would happen.",
    ),
    "nothing": ("本期无数据(零报送)", "Nothing this period (nil return)"),
    "nil_sure": (
        "确认本期没有数据并零报送?",
        "Declare that there is nothing to report for this period?",
    ),
    "trying": ("正在试报…", "Trying…"),
    "sending": ("正在报送…", "Sending…"),
    "of": ("共", "of"),
    "done_of": ("已处理", "done"),
    "sent": ("报送", "sent"),
    "applied": ("入库", "applied"),
    "duplicate": ("重复", "duplicate"),
    "rejected": ("退回", "rejected"),
    "held": ("待查", "held"),
    "all_good": ("全部记录均可入库。", "Every record would be applied."),
    "some_bad": (
        "有问题的记录不会入库,其余照常。可改好文件再试,也可先报送其余记录。",
        "Records with problems will not be applied, all others will. Mend the file and try again,"
        " or send the rest now.",
    ),
    "row": ("行", "Row"),
    "no": ("序号", "No."),
    "what": ("问题", "Problem"),
    "where": ("栏目", "Column"),
    "outcome": ("处置", "Outcome"),
    "more": ("更多", "More"),
    "none_here": ("没有。", "None."),
    "repairs": ("已自动订正", "Repaired on the way"),
    "repair_from": ("原值", "As sent"),
    "repair_to": ("订正为", "Read as"),
    "rule": ("规则", "Rule"),
    "reading": ("表格的读法", "How the table was read"),
    "mapping": ("栏目对应", "Columns and fields"),
    "heading": ("表中标题", "Heading in the file"),
    "field": ("系统栏目", "Field"),
    "ignored": ("(不取)", "(left out)"),
    "save_mapping": ("记住这样对应,重新试报", "Keep this mapping and try again"),
    "forget_mapping": ("忘记已保存的对应", "Forget the kept mapping"),
    "effect": ("报送后的变化", "What sending would change"),
    "send": ("确认报送", "Send"),
    "send_rest": ("报送其余记录", "Send the others"),
    "back": ("换一个文件", "Another file"),
    "receipt": ("下载回执", "Receipt (JSON)"),
    "annotated": ("下载批注后的表格", "The table with remarks"),
    "records": ("逐条结果", "Every record"),
    "sha": ("文件 SHA-256", "SHA-256 of the file"),
    "received_at": ("收到时间", "received"),
    "again": ("再报一份", "Send another"),
    "mine": ("本部门的报送", "Deliveries of your department"),
    "when": ("时间", "When"),
    "status": ("状态", "Status"),
    "withdraw": ("撤回", "Withdraw"),
    "withdraw_why": ("撤回原因:", "Why is it withdrawn?"),
    "withdrawn": ("已撤回", "withdrawn"),
    "trial": ("试报", "trial"),
    "nil": ("零报送", "nil"),
    "no_feeds": (
        "您的令牌不能报送任何项目。",
        "Your token may not send any feed.",
    ),
    "no_answer": ("没有应答,请稍后再试", "no answer, try again later"),
    "refused": ("未被接收", "Not accepted"),
    "file_too_big": ("文件为空", "the file is empty"),
    "signed_in_as": ("身份", "Signed in as"),
    "demo_clock": ("演示时钟", "demo clock"),
    "status_accepted": ("排队中", "waiting"),
    "status_judging": ("处理中", "being judged"),
    "status_done": ("完成", "done"),
    "status_rejected": ("未接收", "rejected"),
}
"""Key → (zh, en)."""


def words(lang: Lang) -> dict[str, str]:
    """All words in one language."""
    return {key: pair[0 if lang == "zh" else 1] for key, pair in TEXTS.items()}
