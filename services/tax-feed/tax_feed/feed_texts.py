"""What the feeds of the service say alike: senders, personal fields, words of problems."""

from __future__ import annotations

from shared.deliveries.checks import CHECK_TEXTS

TAX = frozenset({"tax"})
PERSONAL = frozenset({"tax_no"})
"""A household's tax number holds its owner's identity number."""

TEXTS = {
    **CHECK_TEXTS,
    "arrears-above-pooled": (
        "其中清欠 {value} 元大于统筹部分 {pooled} 元",
        "{value} yuan of arrears is more than the pooled part, {pooled} yuan",
    ),
    "key-missing": (
        "缺少税务登记号或组织机构代码，不能识别用人单位",
        "neither tax number nor organisation code tells which employer this is",
    ),
    "dates-out-of-order": (
        "日期 {value} 不合次序：应在 {limit} 之后（含当日）",
        "{value} is out of order: it cannot lie before {limit}",
    ),
    "nothing-missing": (
        "缴费人数 {insured} 不少于计税人数 {taxable}，不属于未参保或未全员参保",
        "{insured} insured is not fewer than {taxable} taxed: nobody is missing",
    ),
    "plan-of-another": (
        "清欠计划 {value} 已属另一用人单位；请另编计划号",
        "clearing plan {value} is another employer's; give it a number of its own",
    ),
    "field-needed": ("缺少字段 {field}：{zh}", "field {field} is needed: {en}"),
}
