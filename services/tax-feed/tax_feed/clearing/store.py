"""The SQL of clearing plans: whose they are, and what was planned and cleared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import RowMapping, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Boolean, Date, Text

from shared.deliveries.standing import ENDED_HASH
from tax_feed.clearing.models import clearing_instalments
from tax_feed.clearing.rules import Planned

# Arrears cleared from the day a plan was agreed until the employer's next plan count for it, so
# that no yuan pays two plans.
_PLANS = text(
    """
    WITH plan AS (
        SELECT plan_no, min(employer_key) AS employer_key, min(org_code) AS org_code,
               max(name) AS name, min(unit) AS unit, min(agreed_on) AS agreed_on,
               coalesce(sum(amount_fen) FILTER (WHERE NOT cancelled), 0)::bigint AS total_fen,
               coalesce(sum(amount_fen) FILTER (WHERE NOT cancelled AND due_on < :as_of), 0)
                   ::bigint AS due_fen,
               bool_or(NOT cancelled) AS stands
        FROM clearing_instalments
        WHERE content_hash <> :ended
        GROUP BY plan_no
    ), spans AS (
        SELECT *, lead(agreed_on) OVER (
            PARTITION BY employer_key, stands ORDER BY agreed_on, plan_no) AS next_on
        FROM plan
    ), found AS (
        SELECT spans.*, coalesce((
            SELECT sum(r.arrears_pooled_fen) FROM receipts r
            WHERE r.employer_key = spans.employer_key AND NOT r.cancelled
              AND r.received_on >= spans.agreed_on AND r.received_on <= :as_of
              AND (spans.next_on IS NULL OR r.received_on < spans.next_on)
        ), 0)::bigint AS cleared_fen
        FROM spans
        WHERE (CAST(:plan_no AS text) IS NULL OR plan_no = :plan_no)
          AND (CAST(:employer_key AS text) IS NULL OR employer_key = :employer_key)
          AND (CAST(:unit AS text) IS NULL OR unit = :unit)
          AND (CAST(:units AS text[]) IS NULL OR unit = ANY(:units))
          AND (CAST(:after AS text) IS NULL OR plan_no > :after)
    )
    SELECT * FROM found
    WHERE CAST(:in_default AS boolean) IS NULL OR (due_fen > cleared_fen) = :in_default
    ORDER BY plan_no
    LIMIT :limit
    """
).bindparams(
    bindparam("ended", ENDED_HASH),
    bindparam("as_of", type_=Date),
    bindparam("plan_no", type_=Text),
    bindparam("employer_key", type_=Text),
    bindparam("unit", type_=Text),
    bindparam("units", type_=ARRAY(Text)),
    bindparam("after", type_=Text),
    bindparam("in_default", type_=Boolean),
)

_CLEARED = text(
    """
    SELECT received_on, sum(arrears_pooled_fen)::bigint AS fen FROM receipts
    WHERE employer_key = :employer_key AND NOT cancelled AND arrears_pooled_fen > 0
      AND received_on >= :agreed_on AND (CAST(:next_on AS date) IS NULL OR received_on < :next_on)
    GROUP BY received_on
    ORDER BY received_on
    """
).bindparams(bindparam("next_on", type_=Date))


class WantedPlans(NamedTuple):
    """Which plans a caller asked for and may see, as they stand at the end of ``as_of``."""

    as_of: date
    plan_no: str | None = None
    employer_key: str | None = None
    unit: str | None = None
    units: Collection[str] | None = None
    in_default: bool | None = None


async def owners_of(conn: AsyncConnection, plan_nos: Collection[str]) -> dict[str, str]:
    """Plan → the employer whose it is, of the plans that stand."""
    columns = clearing_instalments.c
    query = (
        select(columns.plan_no, columns.employer_key)
        .where(columns.plan_no.in_(plan_nos), columns.content_hash != ENDED_HASH)
        .distinct()
    )
    return {row.plan_no: row.employer_key for row in (await conn.execute(query)).all()}


async def list_plans(
    conn: AsyncConnection, wanted: WantedPlans, after: str | None, limit: int
) -> Sequence[RowMapping]:
    """Plans in order of number, at most ``limit`` of those after ``after``."""
    given = wanted._asdict()
    given["units"] = None if wanted.units is None else sorted(wanted.units)
    found = await conn.execute(_PLANS, {**given, "after": after, "limit": limit})
    return found.mappings().all()


async def instalments_of(conn: AsyncConnection, plan_no: str) -> list[Planned]:
    """The instalments of a plan that were not cancelled."""
    columns = clearing_instalments.c
    query = select(columns.instalment_no, columns.due_on, columns.amount_fen).where(
        columns.plan_no == plan_no, columns.cancelled.is_(False)
    )
    return [Planned(*row) for row in (await conn.execute(query)).all()]


async def cleared_under(conn: AsyncConnection, plan: RowMapping) -> list[tuple[date, int]]:
    """Days and fen of arrears cleared under a plan, as ``list_plans`` gave it."""
    given = {name: plan[name] for name in ("employer_key", "agreed_on", "next_on")}
    return [(on, fen) for on, fen in (await conn.execute(_CLEARED, given)).all()]
