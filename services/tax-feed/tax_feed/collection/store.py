"""The SQL of money: the chain of arrears, sums and days of receipts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    RowMapping,
    Text,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from tax_feed.collection import models
from tax_feed.store import Wanted, where

_RESTATE_CHAIN = text(
    """
    WITH told AS (
        SELECT employer_key, month, balance_fen, unit, org_code,
               content_hash = decode(repeat('00', 16), 'hex') AS gone
        FROM arrears WHERE employer_key = ANY(:keys)
    ), chain AS (
        SELECT a.employer_key, a.month, a.balance_fen, a.unit, a.org_code,
               coalesce(lag(a.balance_fen) OVER months, 0) AS carried_fen,
               CASE WHEN lag(a.unit) OVER months <> a.unit
                    THEN lag(a.unit) OVER months END AS carried_unit
        FROM told a
        WHERE NOT a.gone
        WINDOW months AS (PARTITION BY a.employer_key ORDER BY a.month)
    UNION ALL
        -- A month taken back moves nothing: what was owed before it stays owed.
        SELECT g.employer_key, g.month, coalesce(p.balance_fen, 0), coalesce(p.unit, g.unit),
               g.org_code, coalesce(p.balance_fen, 0), NULL
        FROM told g LEFT JOIN LATERAL (
            SELECT balance_fen, unit FROM told
            WHERE employer_key = g.employer_key AND month < g.month AND NOT gone
            ORDER BY month DESC LIMIT 1
        ) AS p ON true
        WHERE g.gone
    )
    INSERT INTO arrears_chain AS c
        (employer_key, month, balance_fen, carried_fen, unit, carried_unit, org_code, revision)
    SELECT employer_key, month, balance_fen, carried_fen, unit, carried_unit, org_code, 1
    FROM chain
    ORDER BY employer_key, month
    ON CONFLICT (employer_key, month) DO UPDATE SET
        balance_fen = excluded.balance_fen, carried_fen = excluded.carried_fen,
        unit = excluded.unit, carried_unit = excluded.carried_unit,
        org_code = excluded.org_code, revision = c.revision + 1
    WHERE (c.balance_fen, c.carried_fen, c.unit, c.carried_unit, c.org_code)
        IS DISTINCT FROM (excluded.balance_fen, excluded.carried_fen, excluded.unit,
                          excluded.carried_unit, excluded.org_code)
    RETURNING employer_key, month, balance_fen, carried_fen, unit, carried_unit, org_code, revision
    """
).bindparams(bindparam("keys", type_=ARRAY(Text)))


async def restate_arrears_chain(
    conn: AsyncConnection, employer_keys: Sequence[str]
) -> Sequence[Row[Any]]:
    """Recompute what every month of these employers carries from the one before.

    Returns the months whose published state changed, each with its new revision.
    """
    if not employer_keys:
        return []
    return (await conn.execute(_RESTATE_CHAIN, {"keys": list(employer_keys)})).all()


async def receipt_totals(
    conn: AsyncConnection, employer_key: str, units: Collection[str] | None
) -> RowMapping:
    """Fen received from one employer, cancelled receipts left out, over all its receipts."""
    receipts = models.receipts

    def total(name: str) -> ColumnElement[int]:
        # Postgres sums bigints to numeric; the sum of one employer's receipts fits again.
        return func.coalesce(func.sum(receipts.c[name]), 0).cast(BigInteger).label(name)

    query = select(
        func.count().label("receipt_count"),
        *map(total, ("pooled_fen", "individual_fen", "arrears_pooled_fen")),
    ).where(
        where(receipts, Wanted({"employer_key": employer_key}, units)),
        receipts.c.cancelled.is_(False),
    )
    return (await conn.execute(query)).mappings().one()


def received_between(since: date | None, until: date | None) -> tuple[ColumnElement[bool], ...]:
    """Receipts of these days, both ends included; None for no bound."""
    on = models.receipts.c.received_on
    found = []
    if since is not None:
        found.append(on >= since)
    if until is not None:
        found.append(on <= until)
    return tuple(found)
