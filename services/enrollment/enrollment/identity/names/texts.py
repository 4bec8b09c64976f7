"""What was found on two employers, in words for the person who decides. zh and en."""

from __future__ import annotations

from typing import Final, NamedTuple

from enrollment.identity.names.compare import Verdict


class Said(NamedTuple):
    """One thing in both languages."""

    zh: str
    en: str


RULES: Final = {
    "same-name": Said("名称相同", "the same name"),
    "place-spelt": Said("地名写法不同", "the place is spelt otherwise"),
    "place-left-out": Said("一方未写地名", "one leaves the place out"),
    "place-wider": Said("一方地名为另一方的上级地区", "one names a wider place"),
    "place-differs": Said("地名不同", "the places differ"),
    "branch-place": Said("分支机构的地名写法不同", "the branch's place is written otherwise"),
    "form-left-out": Said("一方未写组织形式", "one leaves the registration form out"),
    "form-differs": Said("组织形式不同", "the registration forms differ"),
    "no-brand": Said("名称无字号，不足以区分", "the name has no brand and tells nothing by itself"),
    "sounds-alike": Said("一字之差，读音相同", "one character differs and sounds the same"),
    "swapped": Said("两字顺序颠倒", "two characters are swapped"),
    "trade-left-out": Said("字号相同，一方行业用语较少", "same brand, one omits words of trade"),
    "leading-left-out": Said("一方名称前部缺少若干字", "one lacks the other's leading words"),
    "character-left-out": Said("一方缺一字", "one lacks a character"),
    "one-character": Said("一字之差", "one character differs"),
    "trade-differs": Said("字号相同，行业不同", "same brand, another trade"),
    "unlike": Said("名称不同", "the names differ"),
    "branch-differs": Said("分支机构不同", "the branches differ"),
    "numbers-differ": Said("名称中的编号不同", "the numbers in the names differ"),
    "codes-contradict": Said("组织机构代码不同，均有效", "two different valid organisation codes"),
    "licences-contradict": Said("营业执照注册号不同", "two different licence numbers"),
    "household-and-firm": Said("一方为个体工商户，另一方不是", "one is a household, one is not"),
    "several": Said("可对应的单位不止一个", "more than one employer would match"),
}
"""Rule → what it means."""

WHAT: Final = {
    **RULES,
    "name": Said("名称", "name"),
    "district": Said("所属县（区）", "district"),
    "address": Said("地址", "address"),
    "legal-representative": Said("法定代表人", "legal representative"),
    "founded": Said("成立日期", "founding date"),
    "trade": Said("行业", "trade"),
    "registration": Said("登记注册类型", "registration type"),
    "household": Said("是否个体工商户", "household or firm"),
    "both-households": Said("均为个体工商户，名称易重复", "both households, whose names repeat,"),
    "licence": Said("营业执照注册号", "licence number"),
    "org-code": Said("组织机构代码", "organisation code"),
}
"""Sign → its name."""

OUTCOMES: Final = {
    "linked": Said("认定为同一单位", "linked as one employer"),
    "ask": Said("待人工核对", "for a person to decide"),
    "separate": Said("认定为不同单位", "two employers"),
}
FINDINGS: Final = {
    "agreed": Said("一致", "agrees"),
    "differs": Said("不一致", "differs"),
    "unknown": Said("无从比对", "not known"),
}


def explained(verdict: Verdict) -> Said:
    """The verdict as one sentence: outcome, score, rule, and every sign that gave points."""
    outcome, rule = OUTCOMES[verdict.outcome], RULES[verdict.rule]
    zh, en = [], []
    for sign in verdict.evidence:
        if sign.finding == "unknown":
            continue
        what, finding = WHAT[sign.what], FINDINGS[sign.finding]
        # A rule says what differs by itself.
        said = ("", "") if sign.what in RULES else (finding.zh, f" {finding.en}")
        zh.append(f"{what.zh}{said[0]}（{sign.points:+d}）")
        en.append(f"{what.en}{said[1]} ({sign.points:+d})")
    return Said(
        f"{outcome.zh}，{verdict.score} 分：{rule.zh}。{'；'.join(zh)}",
        f"{outcome.en}, {verdict.score} points: {rule.en}. {'; '.join(en)}",
    )
