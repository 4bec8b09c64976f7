"""A month's money: what is due, what comes in, what stays owing. All sums are integer fen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from kuomian.city.firms import Firm
from kuomian.city.shape import INDIVIDUAL_RATE, POOLED_RATE

_WINDOW_SHARE = 0.5
"""Pooled money of a flexible or household payer, over an employee's."""


@dataclass(slots=True)
class Purse:
    """The money side of one unit."""

    unit: str
    pooled_per_person: int
    window: Firm
    """The agency window that collects for flexible workers and households."""
    window_payers: int


def yuan(fen: int) -> str:
    """Fen as the feeds state money."""
    return f"{fen // 100}.{fen % 100:02d}"


def pooled_per_person(monthly_fen: float, employees: int, others: int) -> int:
    """Pooled fen a month of one employee, so that a unit collects ``monthly_fen``."""
    return max(1, round(monthly_fen / max(1.0, employees * 0.9 + others * _WINDOW_SHARE)))


def firm_month(
    rng: Random, firm: Firm, purse: Purse, month: str, first_on: date
) -> dict[str, Any] | None:
    """The receipt of one enterprise for one month, and its arrears moved; None if it paid
    nothing. Well-off debtors clear earlier arrears from time to time."""
    due = firm.insured * purse.pooled_per_person
    if due <= 0:
        return None
    share = 1.0 if firm.pays > 0.75 else max(0.0, min(1.0, firm.pays + rng.uniform(-0.3, 0.25)))
    paid = round(due * share)
    cleared = 0
    if firm.arrears_fen and rng.random() < (0.45 if firm.pays > 0.75 else 0.12):
        cleared = round(firm.arrears_fen * rng.choice([0.25, 0.5, 1.0]))
    firm.arrears_fen += due - paid - cleared
    if paid + cleared <= 0:
        return None
    received_on = first_on.replace(day=rng.randint(1, 28))
    return {
        "receipt_no": f"JK{first_on:%Y%m}-{firm.number:06d}",
        "name": firm.name,
        "month_for": month,
        "received_on": received_on,
        "collecting_unit": firm.unit,
        "pooled": yuan(paid + cleared),
        "individual": yuan(round(paid * INDIVIDUAL_RATE / POOLED_RATE)),
        "of_which_arrears": yuan(cleared),
        "payer_count": round(firm.insured * share),
        "tax_no": firm.tax_no,
    }


def window_month(rng: Random, purse: Purse, month: str, first_on: date) -> list[dict[str, Any]]:
    """A receipt a working day of the agency window of one unit."""
    days = range(1, 29, 2)
    whole = round(purse.window_payers * purse.pooled_per_person * _WINDOW_SHARE)
    out = []
    for day in days:
        pooled = whole // len(days) + rng.randint(-whole // 200 - 1, whole // 200 + 1)
        if pooled <= 0:
            continue
        out.append(
            {
                "receipt_no": f"CK{purse.unit}-{first_on:%Y%m}{day:02d}",
                "name": purse.window.name,
                "month_for": month,
                "received_on": first_on.replace(day=day),
                "collecting_unit": purse.unit,
                "pooled": yuan(pooled),
                "individual": yuan(pooled * 2 // 3),
                "payer_count": max(1, purse.window_payers // len(days)),
                "org_code": purse.window.org_code,
            }
        )
    return out


def fen(text: str) -> int:
    """Fen of a sum as the feeds state it."""
    whole, _, cents = text.partition(".")
    return int(whole) * 100 + int(cents or 0)
