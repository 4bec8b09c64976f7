"""Statements that find out who might be whom, a batch of employers at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.linking import models
from shared.copying import copy_into
from shared.database import raw, said_yes

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
    return await said_yes(cursor)


class Due(NamedTuple):
    """An employer to be looked at."""

    employer_id: str
    again: bool
    """Whether it was looked at before."""


async def take_due(conn: AsyncConnection, after: str, limit: int) -> tuple[list[Due], str | None]:
    """Of the next employers after this one that nobody has looked at since they were named those
    that nobody has in hand, by id, no longer due; and after whom to go on, None at the end.

    ``after``: whoever goes through all of them need not step over those taken before, whose rows
    are still there until they are cleaned up. Each statement by keys: one for all three is planned
    as if it read the tables.
    """
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT employer_id FROM match_queue WHERE employer_id > %s ORDER BY employer_id LIMIT %s",
        (after, limit),
    )
    asked = [employer for (employer,) in await cursor.fetchall()]
    cursor = await driver.execute(
        "SELECT employer_id FROM employers WHERE employer_id = ANY(%s) AND merged_into IS NULL "
        "ORDER BY employer_id FOR NO KEY UPDATE SKIP LOCKED",
        (asked,),
    )
    taken = [employer for (employer,) in await cursor.fetchall()]
    cursor = await driver.execute(
        "DELETE FROM match_queue WHERE employer_id = ANY(%s) RETURNING employer_id, again",
        (taken,),
    )
    due = sorted(Due._make(row) for row in await cursor.fetchall())
    return due, asked[-1] if len(asked) == limit else None


async def to_do(conn: AsyncConnection) -> tuple[bool, bool]:
    """Whether any employer is due, and whether any pair waits to be joined unasked. Takes no lock
    and reads no more than the first entry of two small indexes."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT EXISTS (SELECT FROM match_queue), "
        "EXISTS (SELECT FROM identity_links WHERE automatic AND status = 'suggested')"
    )
    row = await cursor.fetchone()
    return (bool(row[0]), bool(row[1])) if row else (False, False)


async def count_due(conn: AsyncConnection) -> tuple[int, int]:
    """How many employers are due, and how many pairs wait to be joined unasked."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT (SELECT count(*) FROM match_queue), "
        "(SELECT count(*) FROM identity_links WHERE automatic AND status = 'suggested')"
    )
    row = await cursor.fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


async def waited_seconds(conn: AsyncConnection) -> float:
    """How long the first of those that are due has waited; 0 where none is."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT extract(epoch FROM clock_timestamp() - due_since) FROM match_queue "
        "ORDER BY employer_id LIMIT 1"
    )
    row = await cursor.fetchone()
    return float(row[0]) if row else 0.0


async def make_all_due(conn: AsyncConnection, after: str, limit: int) -> str | None:
    """Have the next ``limit`` employers looked at again; the last of them, None at the end."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "WITH next AS (SELECT employer_id, merged_into FROM employers WHERE employer_id > %s "
        "ORDER BY employer_id LIMIT %s), done AS (INSERT INTO match_queue (employer_id, again) "
        "SELECT employer_id, true FROM next WHERE merged_into IS NULL ORDER BY 1 "
        "ON CONFLICT DO NOTHING) SELECT max(employer_id) FROM next",
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
    conn: AsyncConnection, due: Collection[Due], rows: Iterable[tuple[str, str]]
) -> None:
    """The blocks these employers are in now: (block, employer), each once."""
    again = [one.employer_id for one in due if one.again]
    if again:
        driver = await raw(conn)
        await driver.execute("DELETE FROM identity_blocks WHERE employer_id = ANY(%s)", (again,))
    # One block after the other: neighbours in the index are written together.
    await copy_into(conn, models.identity_blocks, ("block", "employer_id"), sorted(rows))


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
