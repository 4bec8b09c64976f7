"""The SQL of reviews beyond lists."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tax_feed.audits.models import deduction_reviews
from tax_feed.store import Wanted, where


async def months_of(
    conn: AsyncConnection, review_no: str, units: Collection[str] | None
) -> Sequence[RowMapping]:
    """The months of a review, in order; of the first employer only where several share the
    number."""
    wanted = Wanted({"review_no": review_no}, units)
    query = (
        select(deduction_reviews)
        .where(where(deduction_reviews, wanted))
        .order_by(deduction_reviews.c.employer_key, deduction_reviews.c.month)
    )
    rows = (await conn.execute(query)).mappings().all()
    return [row for row in rows if row["employer_key"] == rows[0]["employer_key"]]


def refused_only(refused: bool | None) -> tuple[ColumnElement[bool], ...]:
    """Months of which something is not deductible, or those of which all is; None for all."""
    if refused is None:
        return ()
    fen = deduction_reviews.c.not_deductible_fen
    return (fen > 0 if refused else fen == 0,)
