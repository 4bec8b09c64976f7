"""Statements about pairs, conflicts and what was decided of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.crypto import mask_within
from shared.database import raw


class Found(NamedTuple):
    """A pair as the matcher found it."""

    left_id: str
    right_id: str
    left_unit: str
    right_unit: str
    status: str
    rule: str
    score: int
    evidence: list[dict[str, Any]]
    automatic: bool


async def known_pairs(
    conn: AsyncConnection, pairs: Collection[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, Any]]:
    """Pair → (status, evidence people judged it by), for the pairs that have a row."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT l.left_id, l.right_id, l.status, l.judged_evidence FROM identity_links l "
        "JOIN unnest(%s::text[], %s::text[]) AS p (a, b) ON l.left_id = p.a AND l.right_id = p.b",
        ([pair[0] for pair in pairs], [pair[1] for pair in pairs]),
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in await cursor.fetchall()}


async def write_found(conn: AsyncConnection, found: Sequence[Found], at: datetime) -> None:
    """Pairs into the queue; one that is there already tells what was found now. A pair that was
    decided meanwhile stays as it was decided."""
    if not found:
        return
    driver = await raw(conn)
    columns = ", ".join(Found._fields)
    rows = [one._replace(evidence=Jsonb(one.evidence)) for one in sorted(found, key=_pair)]  # type: ignore[arg-type]
    values = ", ".join(f"%s::{kind}[]" for kind in ("text",) * 6 + ("int", "jsonb", "bool"))
    await driver.execute(
        f"INSERT INTO identity_links ({columns}, revision, found_at) "
        f"SELECT *, 1, %s FROM unnest({values}) ON CONFLICT (left_id, right_id) DO UPDATE SET "
        + ", ".join(f"{name} = EXCLUDED.{name}" for name in Found._fields[2:])
        + ", revision = identity_links.revision + 1, found_at = EXCLUDED.found_at "
        "WHERE identity_links.status NOT IN ('linked', 'confirmed') "
        "AND (identity_links.status, identity_links.score, identity_links.evidence, "
        "identity_links.automatic) IS DISTINCT FROM "
        "(EXCLUDED.status, EXCLUDED.score, EXCLUDED.evidence, EXCLUDED.automatic)",
        [at, *map(list, zip(*rows, strict=True))],
    )


def _pair(found: Found) -> tuple[str, str]:
    return found[:2]


async def automatic_pairs(conn: AsyncConnection, limit: int) -> list[dict[str, Any]]:
    """Pairs to be joined without asking, locked, the oldest first. Pairs that a decision has in
    hand are left out."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT * FROM identity_links WHERE automatic AND status = 'suggested' "
            "ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
            (limit,),
        )
        return await cursor.fetchall()


async def ask_people(conn: AsyncConnection, links: Sequence[int]) -> None:
    """These pairs cannot be joined unasked after all."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE identity_links SET automatic = false, revision = revision + 1 WHERE id = ANY(%s)",
        (list(links),),
    )


class Decided(NamedTuple):
    """What a decision makes of a pair."""

    id: int
    status: str
    survivor_id: str | None
    absorbed_id: str | None
    moved_keys: list[str] | None
    survivor_was: dict[str, str] | None


async def write_decided(
    conn: AsyncConnection, decided: Sequence[Decided], by: str, reason: str | None, at: datetime
) -> None:
    """Bring pairs to the state decided; None leaves who became whom as it stands."""
    driver = await raw(conn)
    async with driver.cursor() as cursor:
        await cursor.executemany(
            "UPDATE identity_links SET status = %s, survivor_id = coalesce(%s, survivor_id), "
            "absorbed_id = coalesce(%s, absorbed_id), moved_keys = coalesce(%s, moved_keys), "
            "survivor_was = coalesce(%s, survivor_was), automatic = false, "
            "judged_evidence = evidence, revision = revision + 1, decided_at = %s, "
            "decided_by = %s, reason = %s WHERE id = %s",
            [
                (
                    *one[1:5],
                    None if one.survivor_was is None else Jsonb(one.survivor_was),
                    at,
                    by,
                    None if reason is None else mask_within(reason),
                    one.id,
                )
                for one in decided
            ],
        )


async def find_link(
    conn: AsyncConnection, link_id: int, *, lock: bool = False
) -> dict[str, Any] | None:
    """The pair's row; with ``lock`` nobody else decides about it until the transaction ends."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT * FROM identity_links WHERE id = %s" + (" FOR UPDATE" if lock else ""),
            (link_id,),
        )
        return await cursor.fetchone()


async def list_links(
    conn: AsyncConnection,
    *,
    units: Collection[str] | None,
    status: str | None,
    rule: str | None,
    employer_id: str | None,
    score_from: int | None,
    score_to: int | None,
    after: int | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Pairs by id with both names. ``units`` None means every unit; else pairs with one side in
    them."""
    driver = await raw(conn)
    codes = None if units is None else sorted(units)
    wanted: list[tuple[str, list[Any]]] = []
    if codes is not None:
        wanted.append(("(l.left_unit = ANY(%s) OR l.right_unit = ANY(%s))", [codes, codes]))
    if employer_id is not None:
        wanted.append(("(l.left_id = %s OR l.right_id = %s)", [employer_id, employer_id]))
    for clause, value in (
        ("l.status = %s", status),
        ("l.rule = %s", rule),
        ("l.score >= %s", score_from),
        ("l.score <= %s", score_to),
        ("l.id > %s", after),
    ):
        if value is not None:
            wanted.append((clause, [value]))
    clauses = ["true", *(clause for clause, _ in wanted)]
    values = [value for _, found in wanted for value in found]
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT l.*, a.name AS left_name, b.name AS right_name FROM identity_links l "
            "JOIN employers a ON a.employer_id = l.left_id "
            "JOIN employers b ON b.employer_id = l.right_id "
            f"WHERE {' AND '.join(clauses)} ORDER BY l.id LIMIT %s",
            [*values, limit],
        )
        return await cursor.fetchall()


async def find_keys(conn: AsyncConnection, employer_id: str) -> dict[str, Any] | None:
    """The employer with its keys, each with its rule, what it came with and the record."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT employer_id, name, unit, household, merged_into, link_revision "
            "FROM employers WHERE employer_id = %s",
            (employer_id,),
        )
        employer = await cursor.fetchone()
        if employer is None:
            return None
        await cursor.execute(
            "SELECT key, rule, via, linked_at, delivery_id::text, record_no FROM employer_keys "
            "WHERE employer_id = %s ORDER BY key",
            (employer_id,),
        )
        return {**employer, "keys": await cursor.fetchall()}


async def keep_apart(
    conn: AsyncConnection, one: str, other: str, unit: str, by: str, reason: str, at: datetime
) -> None:
    """Two employers parted by people, never found by names: remembered as such."""
    left, right = sorted((one, other))
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO identity_links (left_id, right_id, left_unit, right_unit, status, rule, score,"
        " evidence, judged_evidence, revision, found_at, decided_at, decided_by, reason) "
        "VALUES (%s, %s, %s, %s, 'split', 'officer', 0, '[]', '[]', 1, %s, %s, %s, %s) "
        "ON CONFLICT (left_id, right_id) DO UPDATE SET status = 'split', automatic = false, "
        "judged_evidence = identity_links.evidence, revision = identity_links.revision + 1, "
        "decided_at = EXCLUDED.decided_at, decided_by = EXCLUDED.decided_by, "
        "reason = EXCLUDED.reason",
        (left, right, unit, unit, at, at, by, mask_within(reason)),
    )


async def pair_of_conflict(
    conn: AsyncConnection, one: str, other: str, units: Mapping[str, str], at: datetime
) -> int:
    """The row of a pair that a record says is one; made where there is none. Locked."""
    left, right = sorted((one, other))
    driver = await raw(conn)
    cursor = await driver.execute(
        "INSERT INTO identity_links (left_id, right_id, left_unit, right_unit, status, rule, score,"
        " evidence, revision, found_at) VALUES (%s, %s, %s, %s, 'suggested', 'record', 100, '[]', "
        "1, %s) ON CONFLICT (left_id, right_id) DO UPDATE SET revision = identity_links.revision "
        "RETURNING id",
        (left, right, units[left], units[right], at),
    )
    found = await cursor.fetchone()
    assert found is not None  # noqa: S101 - an upsert returns its row
    return int(found[0])


async def log_decision(
    conn: AsyncConnection,
    about: Sequence[str],
    decision: str,
    reason: str,
    who: tuple[str, str | None],
    at: datetime,
    effects: Sequence[Mapping[str, Any]],
) -> None:
    """Keep who (subject, department) decided what, a row for each thing it is about. An identity
    number in the reason is masked."""
    driver = await raw(conn)
    async with driver.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO identity_decisions (about, decision, reason, decided_by, department, "
            "decided_at, effect) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                (one, decision, mask_within(reason), *who, at, Jsonb(effect))
                for one, effect in zip(about, effects, strict=True)
            ],
        )


async def decisions_of(conn: AsyncConnection, about: str) -> list[dict[str, Any]]:
    """What was decided about it, as it came."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT decision, reason, decided_by, department, decided_at, effect "
            "FROM identity_decisions WHERE about = %s ORDER BY id",
            (about,),
        )
        return await cursor.fetchall()


async def decided_of(conn: AsyncConnection, employer_id: str) -> list[dict[str, Any]]:
    """What was decided about the employer and others, as it came: ``link`` (by the matcher),
    ``confirm``, ``refuse`` or ``split``, with the pair's rule and score and the other's name."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT d.decision, d.reason, d.decided_by, d.decided_at, l.rule, l.score, "
            "e.name AS other_name FROM identity_links AS l "
            "JOIN identity_decisions AS d ON d.about = 'link:' || l.id "
            "JOIN employers AS e ON e.employer_id = CASE WHEN l.left_id = %(one)s "
            "THEN l.right_id ELSE l.left_id END "
            "WHERE %(one)s IN (l.left_id, l.right_id) ORDER BY d.id",
            {"one": employer_id},
        )
        return await cursor.fetchall()
