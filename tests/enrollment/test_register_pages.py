"""A page of the register reads about as many rows as it shows, whoever is asked for: rows read are
counted by PostgreSQL, on a register of which the wanted are few, far apart, or nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest

from enrollment.register.store.asof import Asked, list_at
from shared.database import Database, raw
from tests.conftest import PostgresForTests

PERSONS, SEGMENTS, PAGE = 20_000, 96, 11
"""Persons made, the segments they are in, and a page with the one more that tells of a next."""
KNOWN_AT = datetime(2008, 7, 1, tzinfo=UTC)

_FILL = """
    INSERT INTO persons (person_key, person_id, revision, delivery_id, record_no, recorded_at,
        effective_on, sealed, birth_on, sex, name_hash, unit, status, worker_class, enrolled_on,
        employer_id, ownership, trade)
    SELECT n::text, 'P' || lpad(n::text, 9, '0'), 1, gen_random_uuid(), n, '2008-05-14T00:00Z',
        '2008-04-30', '', '1970-01-01', 'm', '', '21050' || 2 + n %% 4,
        (ARRAY['active', 'active', 'retired', 'suspended'])[1 + n / 4 %% 4],
        (ARRAY['staff', 'staff', 'household', 'flexible'])[1 + n / 16 %% 4], '2000-01-01',
        'E' || n / 10, (ARRAY['public', 'nonpublic'])[1 + n / 64 %% 2],
        -- Those of the one trade are the last of all.
        CASE WHEN n > %(persons)s - 200 THEN 'catering'
             ELSE (ARRAY['none', 'transport'])[1 + n / 128 %% 2] END
    FROM generate_series(1, %(persons)s) AS n
"""


@pytest.fixture(scope="module")
def register_url(enrollment_template: str, postgres: PostgresForTests) -> str:
    """A register of ``PERSONS``."""
    url = postgres.fresh_database(enrollment_template)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(_FILL, {"persons": PERSONS})
        conn.execute("ANALYZE persons")
    return url


@pytest.fixture
async def register(register_url: str) -> AsyncIterator[Database]:
    database = Database(register_url, pool_size=1)
    yield database
    await database.close()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"equal": {"worker_class": "foreign"}}, 0),
        ({"units": frozenset({"210502"}), "equal": {"worker_class": "foreign"}}, 0),
        ({"units": frozenset({"210502", "210503"}), "statuses": ["active", "retired"]}, PAGE),
        ({"equal": {"trade": "catering"}}, PAGE),
        ({"equal": {"trade": "catering", "worker_class": "household"}, "statuses": ["ended"]}, 0),
        ({"units": frozenset({"210505"}), "equal": {"trade": "catering"}}, PAGE),
        ({"equal": {"employer_id": "E7", "worker_class": "staff"}}, 10),
    ],
    ids=str,
)
@pytest.mark.parametrize("after", [None, "P000010000"])
async def test_a_page_reads_no_more_than_pages_of_its_segments(
    register: Database, wanted: dict[str, Any], found: int, after: str | None
) -> None:
    asked = Asked(**{"as_of": date(2008, 6, 30), "known_at": KNOWN_AT, "units": None} | wanted)
    async with register.read() as conn:
        rows = await list_at(conn, "persons", asked, after, PAGE)
        cursor = await (await raw(conn)).execute(
            "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) "
            "FROM pg_stat_xact_user_tables WHERE relname = 'persons'"
        )
        (read,) = await cursor.fetchone() or (0,)
    assert len(rows) == (0 if after and "employer_id" in str(wanted) else found)
    assert [row["person_id"] for row in rows] == sorted(row["person_id"] for row in rows)
    assert all(after is None or row["person_id"] > after for row in rows)
    assert read <= SEGMENTS * (PAGE + 1)
