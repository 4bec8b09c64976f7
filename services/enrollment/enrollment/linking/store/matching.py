"""Statements that find out who might be whom, a batch of employers at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.linking import models
from shared.database import raw, stage_into

_MATCH_LOCK = 0x656E726F6C6C03
"""One matcher at a time, so that a pair is looked at once."""


class Known(NamedTuple):
    """An employer as it is compared, with the numbers of the one it is by now."""

    employer_id: str
    root_id: str
    name: str
    unit: str
    household: bool
    org_codes: tuple[str, ...]
    licences: tuple[str, ...]


async def try_to_match(conn: AsyncConnection) -> bool:
    """Whether nobody else is matching; held to the end of the transaction."""
    driver = await raw(conn)
    cursor = await driver.execute("SELECT pg_try_advisory_xact_lock(%s)", (_MATCH_LOCK,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def take_due(conn: AsyncConnection, limit: int) -> list[str]:
    """Employers nobody has looked at since they were named, no longer due. Rows that others have
    in hand are left for later."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "UPDATE employers SET match_due = false WHERE employer_id IN "
        "(SELECT employer_id FROM employers WHERE match_due AND merged_into IS NULL "
        "ORDER BY employer_id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED) RETURNING employer_id",
        (limit,),
    )
    return sorted(row[0] for row in await cursor.fetchall())


async def to_do(conn: AsyncConnection) -> tuple[bool, bool]:
    """Whether any employer is due, and whether any pair waits to be joined unasked. Takes no lock
    and reads no more than the first entry of two small indexes."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT EXISTS (SELECT FROM employers WHERE match_due AND merged_into IS NULL), "
        "EXISTS (SELECT FROM identity_links WHERE automatic AND status = 'suggested')"
    )
    row = await cursor.fetchone()
    return (bool(row[0]), bool(row[1])) if row else (False, False)


async def count_due(conn: AsyncConnection) -> tuple[int, int]:
    """How many employers are due, and how many pairs wait to be joined unasked."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT (SELECT count(*) FROM employers WHERE match_due AND merged_into IS NULL), "
        "(SELECT count(*) FROM identity_links WHERE automatic AND status = 'suggested')"
    )
    row = await cursor.fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


async def make_all_due(conn: AsyncConnection, after: str, limit: int) -> str | None:
    """Have the next ``limit`` employers looked at again; the last of them, None at the end."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "WITH next AS (SELECT employer_id FROM employers WHERE employer_id > %s "
        "ORDER BY employer_id LIMIT %s), done AS (UPDATE employers e SET match_due = true "
        "FROM next WHERE e.employer_id = next.employer_id AND e.merged_into IS NULL "
        "AND NOT e.match_due) SELECT max(employer_id) FROM next",
        (after, limit),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def known(conn: AsyncConnection, root: Mapping[str, str]) -> dict[str, Known]:
    """The employers as they are compared. ``root``: employer → the one it is by now."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT e.employer_id, r.root, e.name, e.unit, e.household, "
        "array_agg(k.key) FILTER (WHERE k.key LIKE 'oc:%%'), "
        "array_agg(k.key) FILTER (WHERE k.key LIKE 'lic:%%') "
        "FROM unnest(%s::text[], %s::text[]) AS r (id, root) "
        "JOIN employers e ON e.employer_id = r.id "
        "LEFT JOIN employer_keys k ON k.employer_id = r.root "
        "GROUP BY e.employer_id, r.root, e.name, e.unit, e.household",
        (list(root), list(root.values())),
    )
    return {row[0]: Known(*row[:5], *map(_bare, row[5:])) for row in await cursor.fetchall()}


def _bare(keys: list[str] | None) -> tuple[str, ...]:
    """Numbers without their prefix, in order."""
    return tuple(sorted(key.partition(":")[2] for key in keys or ()))


async def replace_blocks(
    conn: AsyncConnection, employers: Collection[str], rows: Iterable[tuple[str, str]]
) -> None:
    """The blocks these employers are in now: (block, employer)."""
    driver = await raw(conn)
    await driver.execute(
        "DELETE FROM identity_blocks WHERE employer_id = ANY(%s)", (list(employers),)
    )
    await stage_into(conn, "stage_blocks", models.identity_blocks, ("block", "employer_id"), rows)
    await driver.execute(
        "INSERT INTO identity_blocks (block, employer_id) "
        "SELECT block, employer_id FROM stage_blocks ON CONFLICT DO NOTHING"
    )


async def candidates(
    conn: AsyncConnection, blocks: Sequence[str], largest: int
) -> dict[str, list[str]]:
    """Block → who is in it, for blocks that more than one and at most ``largest`` are in. One
    statement, which reads no more of a block than tells that it is too large."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT b.block, array_agg(i.employer_id) FROM unnest(%s::text[]) AS b (block) "
        "CROSS JOIN LATERAL (SELECT employer_id FROM identity_blocks WHERE block = b.block "
        "LIMIT %s) AS i GROUP BY b.block HAVING count(*) BETWEEN 2 AND %s",
        (list(blocks), largest + 1, largest),
    )
    return dict(await cursor.fetchall())
