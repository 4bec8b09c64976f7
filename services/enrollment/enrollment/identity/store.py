"""Every SQL statement of identity."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.identity import models
from enrollment.identity.rules import grams, grams_of, plain
from shared.copying import copy_into
from shared.database import raw

_IDENTITY_LOCK = 0x656E726F6C6C02
"""Held alone by who links and parts employers, shared by who only asks whose a key is: the lock of
the register and of the feeds' subjects."""
_MINT_LOCK = 0x656E726F6C6C01
"""One transaction at a time brings in keys; those that bring none in never wait for it."""


async def owners_of(conn: AsyncConnection, keys: Collection[str]) -> dict[str, str]:
    """Key → employer, for the keys that are known."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT key, employer_id FROM employer_keys WHERE key = ANY(%s)", (list(keys),)
    )
    return dict(await cursor.fetchall())


async def keys_of(conn: AsyncConnection, employers: Collection[str]) -> list[tuple[str, str]]:
    """(employer, key) of these employers, sorted."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT employer_id, key FROM employer_keys WHERE employer_id = ANY(%s) ORDER BY 1, 2",
        (list(employers),),
    )
    return await cursor.fetchall()


async def keep_identity(conn: AsyncConnection) -> None:
    """Nobody links or parts employers until this transaction ends: whose a key is stays so.

    To be taken before ``owners_of`` is asked by all who write about its answer, and before
    ``lock_minting``; those that take facts (``leads.store.lock_subjects``) or write the register
    have it already.
    """
    driver = await raw(conn)
    await driver.execute("SELECT pg_advisory_xact_lock_shared(%s)", (_IDENTITY_LOCK,))


async def lock_minting(conn: AsyncConnection) -> None:
    """Wait for whoever is bringing in keys; held to the end of the transaction."""
    driver = await raw(conn)
    await driver.execute("SELECT pg_advisory_xact_lock(%s)", (_MINT_LOCK,))


async def mint(conn: AsyncConnection, count: int) -> list[str]:
    """New employer ids; numbers of a transaction rolled back are never used again."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT 'E' || lpad(nextval('employer_numbers')::text, 9, '0') FROM generate_series(1, %s)",
        (count,),
    )
    return [employer_id for (employer_id,) in await cursor.fetchall()]


async def insert_employers(conn: AsyncConnection, rows: Iterable[Sequence[Any]]) -> None:
    """(employer_id, name, unit, household, link_revision, minted_at); they are to be compared."""
    columns = (
        *("employer_id", "name", "unit", "household", "link_revision", "minted_at"),
        *("search_name", "name_grams"),
    )
    new = list(rows)
    searched = ((*row, text := plain(row[1]), grams_of(text)) for row in new)
    await copy_into(conn, models.employers, columns, searched)
    due = ((row[0], False) for row in new)
    await copy_into(conn, models.match_queue, ("employer_id", "again"), due)


async def insert_keys(conn: AsyncConnection, rows: Iterable[Sequence[Any]]) -> None:
    """(key, employer_id, rule, linked_at, delivery_id as a UUID, record_no, via)."""
    columns = ("key", "employer_id", "rule", "linked_at", "delivery_id", "record_no", "via")
    await copy_into(conn, models.employer_keys, columns, rows)


async def next_link_revisions(
    conn: AsyncConnection, employers: Sequence[str]
) -> dict[str, tuple[str, str, int]]:
    """Count one more state of each employer's link; returns name, unit and the revision."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "UPDATE employers SET link_revision = link_revision + 1 WHERE employer_id = ANY(%s) "
        "RETURNING employer_id, name, unit, link_revision",
        (sorted(employers),),
    )
    return {row[0]: (row[1], row[2], row[3]) for row in await cursor.fetchall()}


async def insert_conflicts(
    conn: AsyncConnection,
    rows: Sequence[tuple[str, str, str, str | None, int | None]],
    found_at: datetime,
) -> None:
    """(key, owner_id, employer_id, delivery_id, record_no); one that is known stays as it is."""
    driver = await raw(conn)
    async with driver.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO link_conflicts "
            "(key, owner_id, employer_id, delivery_id, record_no, found_at) "
            "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (key, employer_id) DO NOTHING",
            [(*row, found_at) for row in rows],
        )


async def lock_employers(conn: AsyncConnection, employers: Collection[str]) -> None:
    """Nobody else decides about these employers until this transaction ends.

    Locked in order, so that no two transactions wait crosswise.
    """
    if not employers:
        return
    driver = await raw(conn)
    await driver.execute(
        "SELECT 1 FROM employers WHERE employer_id = ANY(%s) "
        "ORDER BY employer_id FOR NO KEY UPDATE",
        (list(employers),),
    )


async def compare_again(conn: AsyncConnection, employers: Collection[str]) -> None:
    """Something else is said of these employers: they may be, or no longer be, somebody else too.
    The caller holds their row locks."""
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO match_queue (employer_id, again) SELECT employer_id, true FROM employers "
        "WHERE employer_id = ANY(%s) AND merged_into IS NULL ORDER BY 1 ON CONFLICT DO NOTHING",
        (list(employers),),
    )


async def rename_employers(conn: AsyncConnection, rows: Sequence[tuple[str, str, str]]) -> None:
    """(employer_id, name, unit) as the golden record has them now; another name is to be compared.
    The caller holds their row locks."""
    driver = await raw(conn)
    async with driver.cursor() as cursor:
        await cursor.execute(
            "SELECT e.employer_id FROM unnest(%s::text[], %s::text[]) AS r (id, name) "
            "JOIN employers e ON e.employer_id = r.id WHERE e.name <> r.name",
            ([row[0] for row in rows], [row[1] for row in rows]),
        )
        renamed = [employer for (employer,) in await cursor.fetchall()]
        await cursor.executemany(
            "UPDATE employers SET name = %s, unit = %s, search_name = %s, name_grams = %s "
            "WHERE employer_id = %s",
            [
                (name, unit, plain(name), grams(name), employer)
                for employer, name, unit in sorted(rows)
            ],
        )
    if renamed:
        await compare_again(conn, renamed)
