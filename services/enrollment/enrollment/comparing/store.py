"""Every SQL statement of the comparison."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, LiteralString

from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.comparing import models
from shared.database import raw

_COLUMNS: Final = tuple(column.name for column in models.census_comparison_lines.columns)

_IN_CENSUS: Final[LiteralString] = "NOT c.void AND c.found_on <= %(as_of)s"

# Who was entered twice is told from the whole census, whatever unit is compared: the units' runs
# add up to the run over all.
_COMPARE: Final[LiteralString] = (
    """
INSERT INTO census_comparison_lines (
    run_no, entry, entry_revision, unit, street, found_on, outcome, cause, matched_by, person_id,
    insured_from, insured_unit, insured_status, same_as, person_key, sex, worker_class, reason,
    can_pay, eligible, potential)
WITH repeated AS (
    SELECT c.person_key FROM census_persons AS c
    WHERE c.person_key IS NOT NULL AND """
    + _IN_CENSUS
    + """
    GROUP BY c.person_key HAVING count(*) > 1
), first_entry AS (
    SELECT DISTINCT ON (c.person_key) c.person_key, c.natural_key
    FROM census_persons AS c JOIN repeated USING (person_key)
    WHERE """
    + _IN_CENSUS
    + """
    ORDER BY c.person_key, c.found_on, c.natural_key COLLATE "C"
), numberless AS (
    SELECT c.natural_key, c.name_hash, c.birth_on, c.sex FROM census_persons AS c
    WHERE c.person_key IS NULL AND """
    + _IN_CENSUS
    + """
), namesake AS (
    SELECT n.natural_key FROM numberless AS n JOIN census_persons AS c
        ON (c.name_hash, c.birth_on, c.sex) = (n.name_hash, n.birth_on, n.sex)
    WHERE """
    + _IN_CENSUS
    + """
    GROUP BY n.natural_key HAVING count(*) > 1
), by_name AS (
    SELECT n.natural_key, count(*) AS persons, min(p.person_key) AS person_key
    FROM numberless AS n JOIN persons AS p
        ON (p.name_hash, p.birth_on, p.sex) = (n.name_hash, n.birth_on, n.sex)
    WHERE p.enrolled_on <= %(as_of)s
    GROUP BY n.natural_key
), met AS (
    SELECT c.*, f.natural_key AS same_as, b.persons AS namesakes, k.natural_key AS namesake,
        coalesce(c.person_key, CASE WHEN b.persons = 1 THEN b.person_key END) AS met_key,
        coalesce(o.employer_id, l.employer_id) AS works_for
    FROM census_persons AS c
    LEFT JOIN first_entry AS f
        ON f.person_key = c.person_key AND f.natural_key <> c.natural_key
    LEFT JOIN by_name AS b ON b.natural_key = c.natural_key
    LEFT JOIN namesake AS k ON k.natural_key = c.natural_key
    LEFT JOIN employer_keys AS o ON o.key = 'oc:' || c.org_code
    LEFT JOIN employer_keys AS l ON l.key = 'lic:' || c.licence_no
    WHERE """
    + _IN_CENSUS
    + """ AND (%(unit)s::text IS NULL OR c.unit = %(unit)s)
), told AS (
    SELECT m.*, p.person_id, p.enrolled_on, p.unit AS insured_unit, p.status,
        p.status <> 'ended' OR p.effective_on > %(as_of)s AS insured,
        p.name_hash <> m.name_hash AS other_name,
        p.employer_id <> m.works_for AND p.status = 'active'
            AND p.effective_on <= m.found_on AS other_employer,
        p.status = 'ended' AND EXISTS (
            SELECT FROM person_applications AS a
            WHERE a.person_key = p.person_key AND a.reason = 'died') AS died,
        p.status = 'ended' AND p.entry IN ('transfer-out', 'moved-out') AS moved_out
    FROM met AS m
    LEFT JOIN persons AS p ON p.person_key = m.met_key AND p.enrolled_on <= %(as_of)s
), judged AS (
    SELECT t.*, CASE
        WHEN same_as IS NOT NULL THEN 'repeated.same-number'
        WHEN namesake IS NOT NULL THEN 'unclear.perhaps-repeated'
        WHEN namesakes > 1 THEN 'unclear.several-in-register'
        WHEN other_name THEN 'conflict.name-differs'
        WHEN insured AND other_employer THEN 'conflict.employer-differs'
        WHEN insured AND enrolled_on <= found_on THEN 'already-insured.before-finding'
        WHEN insured THEN 'already-insured.after-finding'
        WHEN died THEN 'conflict.died-in-register'
        WHEN age_finding IN ('too-young', 'too-old') THEN 'ineligible.' || age_finding
        WHEN moved_out AND reason = ANY(%(elsewhere)s) THEN 'insured-elsewhere.transferred-out'
        WHEN person_id IS NOT NULL THEN 'conflict.ended-in-register'
        WHEN reason = ANY(%(elsewhere)s) THEN 'insured-elsewhere.claimed'
        WHEN eligible IS NULL THEN 'unclear.post-unknown'
        ELSE 'new.not-in-register' END AS verdict
    FROM told AS t
)
SELECT %(run_no)s, natural_key, revision, unit, street, found_on,
    split_part(verdict, '.', 1), split_part(verdict, '.', 2),
    CASE WHEN person_id IS NULL THEN NULL WHEN person_key IS NULL THEN 'name' ELSE 'number' END,
    person_id, enrolled_on, insured_unit, status, same_as, person_key, sex, worker_class, reason,
    can_pay, eligible, can_pay AND verdict = 'new.not-in-register'
FROM judged ORDER BY natural_key
"""
)


async def begin(conn: AsyncConnection) -> int:
    """The number of the run that begins. One run at a time, and all its statements see one moment.

    Must be the transaction's first statement."""
    driver = await raw(conn)
    await driver.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    # A lock on the table, not an advisory one: taking it does not yet choose the moment seen.
    await driver.execute("LOCK TABLE census_comparisons IN EXCLUSIVE MODE")
    cursor = await driver.execute("SELECT coalesce(max(run_no), 0) + 1 FROM census_comparisons")
    (run_no,) = await cursor.fetchone() or (1,)
    return int(run_no)


async def compare(
    conn: AsyncConnection,
    run_no: int,
    unit: str | None,
    as_of: date,
    elsewhere: Sequence[str],
) -> int:
    """Write a line for every person the census found up to ``as_of``; returns how many.

    The register counts as it is known now, without who is enrolled with effect after ``as_of``.
    ``elsewhere``: reasons that say insured in another place.
    """
    driver = await raw(conn)
    cursor = await driver.execute(
        _COMPARE,
        {"run_no": run_no, "unit": unit, "as_of": as_of, "elsewhere": list(elsewhere)},
    )
    return cursor.rowcount


async def nameless(conn: AsyncConnection, limit: int) -> list[tuple[str, bytes]]:
    """Entries kept before names were hashed: natural key and sealed value."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT natural_key, sealed FROM census_persons WHERE name_hash IS NULL "
        "ORDER BY natural_key LIMIT %s FOR UPDATE",
        (limit,),
    )
    return [(key, bytes(sealed)) for key, sealed in await cursor.fetchall()]


async def keep_name_hashes(conn: AsyncConnection, hashes: Mapping[str, str]) -> None:
    """Natural key → keyed hash of the name."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE census_persons AS c SET name_hash = n.hash "
        "FROM unnest(%s::text[], %s::text[]) AS n (key, hash) WHERE c.natural_key = n.key",
        (list(hashes), list(hashes.values())),
    )


async def tally(conn: AsyncConnection, run_no: int) -> list[dict[str, Any]]:
    """The run's lines counted by unit and everything the document tells."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT unit, outcome, cause, reason, can_pay, eligible, potential, "
            "count(*) AS lines FROM census_comparison_lines WHERE run_no = %s "
            "GROUP BY unit, outcome, cause, reason, can_pay, eligible, potential",
            (run_no,),
        )
        return await cursor.fetchall()


async def lines_digest(conn: AsyncConnection, run_no: int) -> str:
    """SHA-256 over the run's lines in order of the entry, each its columns' texts, empty for none,
    with tabs between, each with a newline: whoever has the lines can work it out again."""
    told = ", ".join(f"coalesce({name}::text, '')" for name in _COLUMNS)
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT encode(sha256(convert_to(coalesce(string_agg(concat_ws(E'\\t', {told}) || E'\\n', "
        "'' ORDER BY entry COLLATE \"C\"), ''), 'UTF8')), 'hex') "
        "FROM census_comparison_lines WHERE run_no = %s",
        (run_no,),
    )
    (digest,) = await cursor.fetchone() or ("",)
    return str(digest)


async def markers(conn: AsyncConnection) -> dict[str, dict[str, Any]]:
    """How the register and the census stood: rows, the sum of their revisions, which every change
    of a row raises, and the latest change."""
    driver = await raw(conn)
    found = {}
    for name in ("persons", "register_employers", "census_persons"):
        cursor = await driver.execute(
            f"SELECT count(*), coalesce(sum(revision), 0), max(recorded_at) FROM {name}"
        )
        rows, revisions, latest = await cursor.fetchone() or (0, 0, None)
        found[name] = {
            "rows": rows,
            "revisions": int(revisions),
            "latest_at": None if latest is None else latest.isoformat(),
        }
    return found


async def told_before(conn: AsyncConnection) -> dict[str, int]:
    """Unit → revision of the last fact that told of it."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT unit, max(revision) FROM census_comparison_units GROUP BY unit"
    )
    return dict(await cursor.fetchall())


async def keep_units(
    conn: AsyncConnection, run_no: int, units: Mapping[str, tuple[int, Mapping[str, Any]]]
) -> None:
    """Unit → revision and counts of the run."""
    driver = await raw(conn)
    async with driver.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO census_comparison_units (run_no, unit, revision, counts) "
            "VALUES (%s, %s, %s, %s::jsonb)",
            [
                (run_no, unit, revision, json.dumps(counts))
                for unit, (revision, counts) in units.items()
            ],
        )


async def keep_run(
    conn: AsyncConnection,
    run_no: int,
    *,
    unit: str | None,
    as_of: date,
    compared_at: datetime,
    compared_by: str,
    plan_version: str,
    document: bytes,
    sha256: str,
) -> None:
    """The run itself, sealed."""
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO census_comparisons (run_no, unit, as_of, compared_at, compared_by, "
        "plan_version, document, sha256) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (run_no, unit, as_of, compared_at, compared_by, plan_version, document, sha256),
    )


_RUN: Final[LiteralString] = (
    "SELECT r.run_no, r.unit, r.as_of, r.compared_at, r.compared_by, r.plan_version, r.sha256, "
    "coalesce((SELECT jsonb_object_agg(u.unit, u.counts) FROM census_comparison_units AS u "
    "WHERE u.run_no = r.run_no AND (%(units)s::text[] IS NULL OR u.unit = ANY(%(units)s))), "
    "'{}') AS counted FROM census_comparisons AS r WHERE "
    "(%(units)s::text[] IS NULL OR r.unit IS NULL OR r.unit = ANY(%(units)s)) "
)


async def list_runs(
    conn: AsyncConnection, units: Collection[str] | None, before: int | None, limit: int
) -> list[dict[str, Any]]:
    """Runs that tell of one of the units (None: all), the latest first, with their counts."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _RUN + "AND (%(before)s::int IS NULL OR r.run_no < %(before)s) "
            "ORDER BY r.run_no DESC LIMIT %(limit)s",
            {"units": _listed(units), "before": before, "limit": limit},
        )
        return await cursor.fetchall()


async def find_run(
    conn: AsyncConnection, run_no: int, units: Collection[str] | None
) -> dict[str, Any] | None:
    """A run that tells of one of the units (None: all), with its counts of these."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _RUN + "AND r.run_no = %(run_no)s", {"units": _listed(units), "run_no": run_no}
        )
        return await cursor.fetchone()


async def find_document(conn: AsyncConnection, run_no: int) -> bytes | None:
    """The sealed bytes."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT document FROM census_comparisons WHERE run_no = %s", (run_no,)
    )
    row = await cursor.fetchone()
    return None if row is None else bytes(row[0])


async def list_lines(
    conn: AsyncConnection,
    run_no: int,
    equal: Mapping[str, Any],
    units: Collection[str] | None,
    after: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Lines of a run by entry, at most ``limit`` of those after it. ``equal``: column → value,
    None for any. ``units``: those the caller may see, None for all."""
    wanted = [f"{name} = %({name})s" for name, value in equal.items() if value is not None]
    wanted += ["run_no = %(run_no)s"]
    wanted += ["unit = ANY(%(units)s)"] if units is not None else []
    wanted += ["entry > %(after)s"] if after is not None else []
    asked = {**equal, "run_no": run_no, "units": _listed(units), "after": after, "limit": limit}
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM census_comparison_lines "
            f"WHERE {' AND '.join(wanted)} ORDER BY entry LIMIT %(limit)s",
            asked,
        )
        return await cursor.fetchall()


_MOVED: Final[LiteralString] = """
    SELECT entry, coalesce(b.unit, a.unit) AS unit, coalesce(b.street, a.street) AS street,
        a.outcome AS before, a.cause AS cause_before, b.outcome AS after, b.cause AS cause_after
    FROM (SELECT * FROM census_comparison_lines WHERE run_no = %(earlier)s
          AND (%(units)s::text[] IS NULL OR unit = ANY(%(units)s))) AS a
    FULL JOIN (SELECT * FROM census_comparison_lines WHERE run_no = %(later)s
          AND (%(units)s::text[] IS NULL OR unit = ANY(%(units)s))) AS b USING (entry)
    WHERE a.outcome IS DISTINCT FROM b.outcome
"""


async def count_moves(
    conn: AsyncConnection, earlier: int, later: int, units: Collection[str] | None
) -> list[dict[str, Any]]:
    """How many went from which outcome to which; None: not in that run."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT before, after, count(*) AS persons FROM ({_MOVED}) AS m "
            "GROUP BY before, after ORDER BY before NULLS FIRST, after NULLS LAST",
            {"earlier": earlier, "later": later, "units": _listed(units)},
        )
        return await cursor.fetchall()


async def list_moves(
    conn: AsyncConnection,
    earlier: int,
    later: int,
    units: Collection[str] | None,
    *,
    before: str | None,
    after: str | None,
    behind: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Who went from an outcome to another, by entry after ``behind``. ``before``, ``after``:
    outcomes, ``none`` for not in that run, None for any."""
    driver = await raw(conn)
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT * FROM ({_MOVED}) AS m "
            "WHERE (%(before)s::text IS NULL OR coalesce(before, 'none') = %(before)s) "
            "AND (%(after)s::text IS NULL OR coalesce(after, 'none') = %(after)s) "
            "AND (%(behind)s::text IS NULL OR entry > %(behind)s) ORDER BY entry LIMIT %(limit)s",
            {
                "earlier": earlier,
                "later": later,
                "units": _listed(units),
                "before": before,
                "after": after,
                "behind": behind,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


def _listed(units: Collection[str] | None) -> list[str] | None:
    return None if units is None else sorted(units)
