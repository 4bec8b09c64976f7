"""Statements about what came in and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

from psycopg.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.chains import CAME_AT
from reporting.figures.rules import Account
from reporting.trust.models import delivery_facts, employer_keys, employer_links
from shared.copying import copy_into
from shared.events.deliveries import BY_OFFICER

_DELIVERY_STATE: Final = [c.name for c in delivery_facts.columns if not c.primary_key]


async def upsert_deliveries(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep each delivery's newest state; rows in key order, one per delivery."""
    statement = insert(delivery_facts)
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=["delivery_id"],
            set_={name: statement.excluded[name] for name in _DELIVERY_STATE},
            where=delivery_facts.c.revision < statement.excluded.revision,
        ),
        rows,
    )


_LINK: Final = ("employer_id", "name", "unit", "revision")
_LINKED = text(
    "WITH incoming AS (SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:names AS text[]),"
    " CAST(:units AS text[]), CAST(:revisions AS int[])) AS i (employer_id, name, unit, revision))"
    " INSERT INTO employer_links AS l (employer_id, name, unit, revision)"
    " SELECT * FROM incoming ORDER BY employer_id"
    " ON CONFLICT (employer_id) DO UPDATE SET name = excluded.name, unit = excluded.unit,"
    " revision = excluded.revision WHERE l.revision < excluded.revision RETURNING employer_id"
)


LinkRow: TypeAlias = tuple[str, str, str, int]
"""Employer id, name, unit, revision."""
KeyRow: TypeAlias = tuple[str, str]
"""Key, employer id."""


async def insert_links(
    conn: AsyncConnection, rows: Sequence[LinkRow], keys: Sequence[KeyRow]
) -> bool:
    """The links and keys of employers nobody knew; False, and nothing has happened, when one of
    them was known. An employer has no keys before its first link, so these are not looked for."""
    try:
        async with conn.begin_nested():
            await copy_into(conn, employer_links, _LINK, rows)
    except UniqueViolation:
        return False
    await copy_into(conn, employer_keys, ("key", "employer_id"), keys)
    return True


async def upsert_links(conn: AsyncConnection, rows: Sequence[LinkRow]) -> set[str]:
    """Keep each employer's newest link, one row for each; returns those whose link was new."""
    ids, names, units, revisions = (list(column) for column in zip(*rows, strict=True))
    found = await conn.execute(
        _LINKED, {"ids": ids, "names": names, "units": units, "revisions": revisions}
    )
    return {row.employer_id for row in found}


async def replace_employer_keys(
    conn: AsyncConnection, employer_ids: Sequence[str], keys: Sequence[KeyRow]
) -> None:
    """The keys these employers now have."""
    await conn.execute(
        text("DELETE FROM employer_keys WHERE employer_id = ANY(CAST(:ids AS text[]))"),
        {"ids": list(employer_ids)},
    )
    if keys:
        await conn.execute(
            text(
                "INSERT INTO employer_keys (key, employer_id) SELECT * FROM"
                " unnest(CAST(:keys AS text[]), CAST(:ids AS text[])) ORDER BY 1, 2"
                " ON CONFLICT DO NOTHING"
            ),
            {"keys": [key for key, _ in keys], "ids": [owner for _, owner in keys]},
        )


async def employer_names(conn: AsyncConnection, subjects: Sequence[str]) -> dict[str, str]:
    """Names of the employers among the subjects, given by employer id or by any of their keys."""
    rows = await conn.execute(
        text(
            "SELECT employer_id AS subject, name FROM employer_links"
            " WHERE employer_id = ANY(CAST(:subjects AS text[])) UNION ALL"
            " SELECT k.key, l.name FROM employer_keys k JOIN employer_links l USING (employer_id)"
            " WHERE k.key = ANY(CAST(:subjects AS text[]))"
        ),
        {"subjects": list(subjects)},
    )
    return {row.subject: row.name for row in rows}


class FeedCame(NamedTuple):
    """Everything received of one feed for one period (and unit), counts by their newest facts."""

    first_received_at: datetime
    all_nil: bool
    deliveries: int
    sent: int
    applied: int
    duplicate: int
    rejected: int
    held: int


SEVERAL_UNITS: Final = ""
"""Stands where a unit would: sent by a desk of several units, which one it is for is not known."""

Place: TypeAlias = tuple[str, str, str | None]
"""Feed, period and unit; no unit: for all of them, or a feed that is not owed by units."""


async def feeds_came(conn: AsyncConnection, per_unit: Sequence[str]) -> dict[Place, FeedCame]:
    """What has come, by feed and period, and by unit too of the feeds ``per_unit``; without what
    officers decided on one by one."""
    rows = await conn.execute(
        text(
            "SELECT feed, period, CASE WHEN feed = ANY(CAST(:per_unit AS text[]))"
            " THEN coalesce(unit, CASE department WHEN 'unit' THEN :several END) END AS unit,"
            f" min({CAME_AT}), bool_and(nil), count(*), sum(sent_count),"
            " sum(applied_count), sum(duplicate_count), sum(rejected_count), sum(held_count)"
            " FROM delivery_facts AS d WHERE withdrawn_at IS NULL AND mode <> :officer"
            " GROUP BY 1, 2, 3"
        ),
        {"per_unit": list(per_unit), "several": SEVERAL_UNITS, "officer": BY_OFFICER},
    )
    return {
        (row[0], row[1], row[2]): FeedCame(*row[3:6], *(int(n) for n in row[6:])) for row in rows
    }


async def unknown_employer_money(conn: AsyncConnection) -> tuple[int, int]:
    """How many payers the register does not know, and the pooled fen they paid."""
    found = (
        await conn.execute(
            text(
                "SELECT count(DISTINCT h.subject), coalesce(sum(h.q1), 0)::int8 FROM holdings h"
                " WHERE h.account = :account AND h.q1 <> 0"
                " AND NOT EXISTS (SELECT FROM employer_keys k WHERE k.key = h.subject)"
            ),
            {"account": int(Account.RECEIPT)},
        )
    ).one()
    return int(found[0]), int(found[1])


async def unknown_units(conn: AsyncConnection, known: Sequence[str]) -> dict[str, int]:
    """Unit codes that are not among the known ones and under which something stands: the pooled
    fen there, 0 where it is other quantities."""
    rows = await conn.execute(
        text(
            "SELECT u.code, coalesce(sum(d.q1) FILTER (WHERE d.account = :account), 0)::int8"
            " FROM unit_codes u JOIN day_totals d ON d.unit = u.id"
            " WHERE NOT u.code = ANY(CAST(:known AS text[])) GROUP BY u.code"
            " HAVING bool_or(d.q1 <> 0) ORDER BY u.code"
        ),
        {"account": int(Account.RECEIPT), "known": list(known)},
    )
    return {row[0]: row[1] for row in rows}
