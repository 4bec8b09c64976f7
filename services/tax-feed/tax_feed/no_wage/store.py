"""The SQL of persons without wage: an employer's sums, published when they move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

# A unit that nobody of the employer is reported under any more is restated with nothing.
_RESTATE = text(
    """
    WITH wanted AS (
        SELECT * FROM unnest(:employer_keys, :months) AS w (employer_key, month)
    ), sums AS (
        SELECT p.employer_key, p.month, p.unit, max(p.org_code) AS org_code,
               count(*) FILTER (WHERE NOT p.cancelled) AS person_count,
               coalesce(sum(p.base_fen) FILTER (WHERE NOT p.cancelled), 0) AS base_fen,
               coalesce(sum(p.individual_fen) FILTER (WHERE NOT p.cancelled), 0)
                   AS individual_fen,
               coalesce(sum(p.employer_fen) FILTER (WHERE NOT p.cancelled), 0) AS employer_fen
        FROM no_wage_persons p JOIN wanted USING (employer_key, month)
        GROUP BY p.employer_key, p.month, p.unit
        UNION ALL
        SELECT t.employer_key, t.month, t.unit, t.org_code, 0, 0, 0, 0
        FROM no_wage_totals t JOIN wanted USING (employer_key, month)
        WHERE NOT EXISTS (
            SELECT FROM no_wage_persons p
            WHERE (p.employer_key, p.month, p.unit) = (t.employer_key, t.month, t.unit))
    )
    INSERT INTO no_wage_totals AS t
        (employer_key, month, unit, org_code, person_count, base_fen, individual_fen,
         employer_fen, revision)
    SELECT employer_key, month, unit, org_code, person_count, base_fen, individual_fen,
           employer_fen, 1
    FROM sums
    ORDER BY employer_key, month, unit
    ON CONFLICT (employer_key, month, unit) DO UPDATE SET
        org_code = excluded.org_code, person_count = excluded.person_count,
        base_fen = excluded.base_fen, individual_fen = excluded.individual_fen,
        employer_fen = excluded.employer_fen, revision = t.revision + 1
    WHERE (t.org_code, t.person_count, t.base_fen, t.individual_fen, t.employer_fen)
        IS DISTINCT FROM (excluded.org_code, excluded.person_count, excluded.base_fen,
                          excluded.individual_fen, excluded.employer_fen)
    RETURNING employer_key, month, unit, org_code, person_count, base_fen, individual_fen,
              employer_fen, revision
    """
).bindparams(bindparam("employer_keys", type_=ARRAY(Text)), bindparam("months", type_=ARRAY(Text)))


async def restate_totals(
    conn: AsyncConnection, employers: Sequence[tuple[str, str]]
) -> Sequence[Row[Any]]:
    """Sum up these employers' months again; the sums that moved, each with its new revision."""
    if not employers:
        return []
    keys = [key for key, _ in employers]
    months = [month for _, month in employers]
    return (await conn.execute(_RESTATE, {"employer_keys": keys, "months": months})).all()
