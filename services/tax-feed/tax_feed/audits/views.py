"""Audits and reviews as the API shows them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping

from tax_feed.audits.rules import MonthReviewed, answer_of
from tax_feed.rules import formula
from tax_feed.views import money, with_money


def audit_view(row: RowMapping) -> dict[str, Any]:
    """A row of ``base_audits``."""
    difference = row["audited_base_fen"] - row["declared_base_fen"]
    return {
        **with_money(row),
        "audit_no": row["natural_key"],
        "formula": formula(difference, Decimal(row["rate"])),
    }


def answer_view(rows: Sequence[RowMapping]) -> dict[str, Any]:
    """The answer over the months of one review."""
    answer = answer_of(
        MonthReviewed(*(row[name] for name in MonthReviewed._fields)) for row in rows
    )
    sums = {
        name.removesuffix("_fen"): money(value)
        for name, value in answer._asdict().items()
        if name.endswith("_fen")
    }
    return {
        **{name: rows[0][name] for name in ("review_no", "employer_key", "name", "unit")},
        **sums,
        "answer_zh": answer.zh,
        "answer_en": answer.en,
        "months": [with_money(row) for row in rows],
    }
