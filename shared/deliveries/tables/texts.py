"""Words, zh and en, for what reading a table says of cells, of repairs and of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.problems.rows import fill

CELL_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "cell-error": ("{field}：单元格显示错误 {value}", "{field}: the cell shows the error {value}"),
    "formula-without-value": (
        "{field}：公式未计算，没有存下结果（{value}）；请在表格软件中打开、计算并保存后再报",
        "{field}: the formula was saved without its result ({value}); open, calculate and save the "
        "file first",
    ),
    "identifier-damaged": (
        "{field}：号码 {value} 被存成数字，已丢失位数或前导零；请将该列设为文本后重新填写",
        "{field}: the number {value} was kept as a figure and has lost digits or leading zeros; "
        "set the column to text and enter it again",
    ),
    "letter-in-number": (
        "{field}：{value} 中混有字母（如以 O 代 0），不能确定原数",
        "{field}: {value} has letters among its digits (O for 0), so the number is not certain",
    ),
    "number-rough": (
        "{field}：{value} 是约数，请填确数",
        "{field}: {value} is a rough number; give the exact one",
    ),
    "number-unclear": (
        "{field}：{value} 不是能确定的数字",
        "{field}: {value} is not a number that is certain",
    ),
    "number-not-whole": ("{field}：{value} 不是整数", "{field}: {value} is not a whole number"),
    "date-unclear": (
        "{field}：{value} 分不清年、月、日的次序，请写作 2008-06-05",
        "{field}: the order of day and month in {value} is not certain; write 2008-06-05",
    ),
    "date-impossible": ("{field}：没有 {value} 这一天", "{field}: there is no day {value}"),
    "date-incomplete": ("{field}：{value} 缺少日", "{field}: {value} has no day"),
    "date-unreadable": ("{field}：{value} 不是日期", "{field}: {value} is not a date"),
    "period-unreadable": ("{field}：{value} 不是期间", "{field}: {value} is not a period"),
    "yes-no-unclear": (
        "{field}：{value} 不是“是”或“否”",
        "{field}: {value} is neither yes (是) nor no (否)",
    ),
    "label-unknown": (
        "{field}：不识得 {value}（代码：{known}）",
        "{field}: {value} is not a known word (codes: {known})",
    ),
    "list-unclear": (
        "{field}：{value} 不能分成各项",
        "{field}: {value} cannot be split into items",
    ),
}
"""Row problems of cells: code → (zh, en)."""

_RULES: Final[Mapping[str, tuple[str, str]]] = {
    "not-stated": ("视为未填", "taken as not stated"),
    "spaces": ("去掉空白", "spaces removed"),
    "marks": ("去掉符号", "marks removed"),
    "full-width": ("全角改半角", "full width to half"),
    "upper-case": ("改为大写", "to upper case"),
    "eighteen-digits": ("15位改18位", "15 digits to 18"),
    "number-cell": ("数字格改为文本", "number cell to text"),
    "thousands": ("去掉千分位", "thousands separators removed"),
    "brackets-negative": ("括号表示负数", "brackets for a negative"),
    "sign-dropped": ("去掉货币符号", "sign removed"),
    "unit-in-cell": ("去掉计量单位", "unit removed"),
    "scale-in-cell": ("按所写万、千等换算", "scale in the cell applied"),
    "whole-number": ("改为整数", "to a whole number"),
    "date-form": ("统一日期写法", "date in standard form"),
    "chinese-digits": ("汉字数字改为阿拉伯数字", "Chinese digits to figures"),
    "two-digit-year": ("两位年份补全", "two-digit year completed"),
    "time-of-day-dropped": ("去掉时刻", "time of day dropped"),
    "serial-number": ("日期序号换算为日期", "serial number to date"),
    "period-form": ("统一期间写法", "period in standard form"),
    "month-of-date": ("取日期所在月份", "month of the date"),
    "yes-no": ("统一是否写法", "yes or no in standard form"),
    "label": ("文字换为代码", "word to code"),
    "list": ("拆分为各项", "split into items"),
    "from-title": ("取自表头标题", "taken from the title"),
    "from-request": ("取自报送请求", "taken from the request"),
    "from-sender": ("取自报送单位", "taken from the sender"),
}

_WARNINGS: Final[Mapping[str, tuple[str, str]]] = {
    "column-ignored": (
        "{column} 列“{heading}”不属于任何项目，未读取",
        "column {column} “{heading}” belongs to no field and was not read",
    ),
    "total-differs": (
        "第 {row} 行{name}合计为 {declared}，各行相加为 {found}，相差 {difference}",
        "row {row} declares {declared} for {name}, the rows come to {found}: {difference} apart",
    ),
    "sender-differs": (
        "标题中的单位 {said} 不是报送单位 {own}",
        "the title names {said}, the sender is {own}",
    ),
    "figures-kept-out": (
        "{count} 行有数字，但看作列号、签名、说明或单位行，未作为记录读取（第 {rows} 行），请核对",
        "{count} rows with figures were taken for column numbers, signatures, notes or unit lines "
        "and not read as records (rows {rows}); please check",
    ),
    "rows-hidden": ("已读取 {count} 个隐藏行", "{count} hidden rows were read"),
}


def rule_words(rule: str) -> tuple[str, str]:
    """A repair's rule, or several joined by +, in words."""
    zh, en = [], []
    for one in rule.split("+"):
        words = _RULES.get(one, (one, one))
        if one not in _RULES and one.startswith("unit-"):
            unit = one.removeprefix("unit-")
            words = (f"按{unit}换算", f"converted from {unit}")
        zh.append(words[0])
        en.append(words[1])
    return "，".join(zh), ", ".join(en)


def worded(summary: dict[str, Any]) -> dict[str, Any]:
    """A table's summary with words beside its codes."""
    for one in summary.get("warnings", ()):
        zh, en = _WARNINGS.get(one["code"], (one["code"], one["code"]))
        one["zh"], one["en"] = fill(zh, one["params"]), fill(en, one["params"])
    summary["repairs"] = [
        {"rule": rule, "count": count, "zh": rule_words(rule)[0], "en": rule_words(rule)[1]}
        for rule, count in summary.get("repairs", {}).items()
    ]
    return summary
