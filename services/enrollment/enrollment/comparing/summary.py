"""The summary and analysis of a run for the leading group, written out for reading and printing.

Made of the sealed document alone and of the plan's names, so that it says the same for ever; each
number of persons is a link to its list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from enrollment.comparing.rules import OUTCOMES
from shared.money import percent

Names = Mapping[str, tuple[str, str]]
"""Code → its name in zh and en."""

OUTCOME_NAMES: Final[Names] = {
    "new": ("新发现", "new"),
    "already-insured": ("已参保", "already insured"),
    "ineligible": ("不符合条件", "ineligible"),
    "insured-elsewhere": ("已在外地参保", "insured elsewhere"),
    "conflict": ("信息冲突", "conflict"),
    "unclear": ("无法判断", "unclear"),
    "repeated": ("重复登记", "repeated"),
}
CAUSE_NAMES: Final[Names] = {
    "not-in-register": ("参保库中没有", "not in the register"),
    "before-finding": ("普查登记前已参保", "insured before they were found"),
    "after-finding": ("普查登记后参保", "insured after they were found"),
    "too-young": ("未满年龄下限", "too young"),
    "too-old": ("超过年龄上限", "too old"),
    "claimed": ("本人称已在外地参保", "by their own account"),
    "transferred-out": ("本人称已在外地参保,参保库已转出", "the same, and transferred out"),
    "name-differs": ("号码相同、姓名不同", "same number, other name"),
    "employer-differs": ("用人单位不一致", "another employer in the register"),
    "died-in-register": ("参保库登记为死亡", "dead in the register"),
    "ended-in-register": ("参保库登记为终止", "ended in the register"),
    "several-in-register": ("无号码,库中同名多人", "no number, several of the name"),
    "perhaps-repeated": ("无号码,普查中同名多条", "no number, perhaps entered twice"),
    "post-unknown": ("女性岗位不明", "a woman whose post is not known"),
    "same-number": ("同一号码登记多次", "same number entered before"),
}


def markdown(document: Mapping[str, Any], sha256: str, units: Names, reasons: Names) -> str:
    """The run in Markdown, each heading and label in zh and en."""
    counts, run_no = document["counts"], document["run_no"]
    scope = "全市 · all units" if document["unit"] is None else _named(units, document["unit"])
    new = counts["outcomes"]["new"]
    by_reason = sorted(counts["new_by_reason"].items(), key=lambda one: (-one[1], one[0]))
    ranked = sorted(document["units"], key=lambda one: -one["potential"])
    lines = [
        f"# 普查比对情况 · Census and register compared, run {run_no}",
        "",
        f"- 范围 · scope: {scope}; 截至 · up to {document['as_of']}",
        f"- 比对 · compared: {document['compared_at']}, {document['compared_by']}",
        f"- 方案 · plan {document['plan_version']}; 规则 · rules {document['rule_version']}",
        f"- 封存摘要 · SHA-256: `{sha256}`",
        "",
        "## 扩面潜力 · Whom the campaign can win",
        "",
        f"新发现 · new {_link(run_no, new, outcome='new')}, 其中符合年龄且有缴费能力 · of these of "
        f"working age and able to pay {_link(run_no, counts['potential'], potential='true')} "
        f"({percent(counts['potential'], new) or '—'} %).",
        *(
            f"{no}. {_named(units, one['unit'])}: "
            f"{_link(run_no, one['potential'], unit=one['unit'], potential='true')}"
            for no, one in enumerate(ranked, 1)
            if one["potential"]
        ),
        "",
        "## 比对结果 · Outcomes",
        "",
        *_outcomes(document, units),
        "",
        "## 依据 · By which rule",
        "",
        *_table(
            ("结果 · outcome", "依据 · rule", "人数 · persons"),
            (
                (
                    _named(OUTCOME_NAMES, outcome),
                    _named(CAUSE_NAMES, cause),
                    _link(run_no, n, outcome=outcome, cause=cause),
                )
                for outcome in OUTCOMES
                for cause, n in counts["causes"][outcome].items()
            ),
        ),
        "",
        "## 新发现人员未参保原因 · Why the new are not insured",
        "",
        *_table(
            ("原因 · reason", "人数 · persons", "%"),
            (
                (
                    _named(reasons, reason),
                    _link(run_no, n, outcome="new", reason=reason),
                    percent(n, new) or "—",
                )
                for reason, n in by_reason
            ),
        ),
        "",
        "## 普查进度 · Progress",
        "",
        *_progress(document["progress"], units),
        "",
    ]
    return "\n".join(lines)


def _outcomes(document: Mapping[str, Any], units: Names) -> list[str]:
    head = ("单位 · unit", "比对 · compared", *(_named(OUTCOME_NAMES, one) for one in OUTCOMES))
    rows = [({"unit": one["unit"]}, one) for one in document["units"]]
    return _table(
        (*head, "潜力 · potential"),
        (
            (
                _named(units, asked["unit"]) if asked else "合计 · total",
                _link(document["run_no"], one["compared"], **asked),
                *(
                    _link(document["run_no"], one["outcomes"][name], **asked, outcome=name)
                    for name in OUTCOMES
                ),
                _link(document["run_no"], one["potential"], **asked, potential="true"),
            )
            for asked, one in [*rows, ({}, document["counts"])]
        ),
    )


def _progress(progress: Mapping[str, Any], units: Names) -> list[str]:
    basis = progress["basis"]
    frozen = (
        f"{basis['name']} ({basis['version']})" if basis["version"] else "现时底册 · live frame"
    )
    columns = ("frame", "visited", "visited_rate", "outside", "found", "eligible", "able_to_pay")
    return [
        f"底册 · frame: {frozen}",
        "",
        *_table(
            (
                "单位 · unit",
                "应走访 · frame",
                "已走访 · visited",
                "走访率 · rate %",
                "底册外 · outside it",
                "登记人数 · found",
                "符合年龄 · of working age",
                "有缴费能力 · able to pay",
            ),
            (
                (
                    _named(units, one["unit"]) if "unit" in one else "合计 · total",
                    *("—" if one[name] is None else str(one[name]) for name in columns),
                )
                for one in [*progress["units"], progress["totals"]]
            ),
        ),
    ]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    titles = list(head)
    return [
        f"| {' | '.join(titles)} |",
        f"|{' --- |' * len(titles)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _named(names: Names, code: str) -> str:
    return " · ".join(names.get(code, (code,)))


def _link(run_no: int, persons: int, **asked: str) -> str:
    query = f"?{urlencode(asked)}" if asked else ""
    return f"[{persons}](/enrollment/v1/census/comparisons/{run_no}/persons{query})"
