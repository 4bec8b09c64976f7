"""Decisions on money. Pure: no IO, no clock, no framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

OLDEST_RECEIPT = timedelta(days=400)
"""A receipt older than this at its dekad's cut-off is a typing error, not a late item."""


def receipt_out_of_period(received_on: date, cutoff_on: date) -> bool:
    """Whether a receipt cannot belong to a delivery for the dekad cut off on ``cutoff_on``.

    Late items of earlier dekads may come; items of later ones may not.
    """
    return received_on > cutoff_on or received_on < cutoff_on - OLDEST_RECEIPT


@dataclass(frozen=True, slots=True)
class Link:
    """One month of an employer's arrears and what it carries from the latest month before it."""

    month: str
    unit: str
    balance_fen: int
    carried_fen: int
    carried_unit: str | None
    """Where that earlier balance stood, when not under ``unit``."""


def chain(balances: Sequence[tuple[str, str, int]]) -> list[Link]:
    """The links of (month, unit, balance) in any order: what is published of an employer.

    Balance − carried, summed over the months up to any month, is that month's balance; with
    the carried part taken from ``carried_unit`` it is so unit by unit. The store does the same
    in one statement for many employers; a test holds the two together.
    """
    links = []
    before: tuple[str, int] | None = None
    for month, unit, balance in sorted(balances):
        carried_unit = before[0] if before is not None and before[0] != unit else None
        links.append(Link(month, unit, balance, before[1] if before else 0, carried_unit))
        before = (unit, balance)
    return links
