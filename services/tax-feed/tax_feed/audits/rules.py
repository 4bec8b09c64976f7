"""What may be deducted before tax. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shared.money import yuan


class MonthReviewed(NamedTuple):
    """One month of a review, as declared; money in fen."""

    month: str
    taxable_headcount: int
    contributing_headcount: int
    accrued_fen: int
    paid_fen: int


class Answer(NamedTuple):
    """What a review comes to, in fen, and in words that name months and amounts."""

    accrued_fen: int
    paid_fen: int
    deductible_fen: int
    not_deductible_fen: int
    zh: str
    en: str


def approved_headcount(taxable: int, contributing: int) -> int:
    """The headcount that may be deducted: where fewer are paid for than taxed, those (O45)."""
    return min(taxable, contributing)


def not_deductible(accrued_fen: int, paid_fen: int) -> int:
    """What was accrued and not paid: not deductible before tax (O44). Never below nothing."""
    return max(0, accrued_fen - paid_fen)


def answer_of(months: Iterable[MonthReviewed]) -> Answer:
    """The answer to an employer, over the months reviewed."""
    listed = sorted(months)
    refused = [(one, not_deductible(one.accrued_fen, one.paid_fen)) for one in listed]
    fewer = [one for one in listed if one.contributing_headcount < one.taxable_headcount]
    zh, en = [], []
    for one, fen in refused:
        if fen:
            zh.append(f"{one.month}已提取未缴纳 {yuan(fen)} 元，不予税前列支")
            en.append(f"{one.month}: {yuan(fen)} yuan accrued and not paid, not deductible")
    for one in fewer:
        zh.append(
            f"{one.month}缴费人数 {one.contributing_headcount} 少于计税人数 "
            f"{one.taxable_headcount}，按 {one.contributing_headcount} 人核准"
        )
        en.append(
            f"{one.month}: {one.contributing_headcount} paid for of {one.taxable_headcount} "
            f"taxed, {one.contributing_headcount} approved"
        )
    accrued = sum(one.accrued_fen for one in listed)
    refused_fen = sum(fen for _, fen in refused)
    return Answer(
        accrued,
        sum(one.paid_fen for one in listed),
        accrued - refused_fen,
        refused_fen,
        "；".join(zh) or "全部准予列支",
        "; ".join(en) or "all deductible",
    )
