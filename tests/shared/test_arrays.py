"""Lists written whole mean to PostgreSQL what the driver's own lists mean."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.copying import copy_rows, stage
from shared.database import Database, raw

AWKWARD = [
    "",
    " ",
    "NULL",
    "null",
    "{}",
    "a,b",
    '"',
    "\\",
    '\\"',
    "\n",
    "\u3000",
    "本溪",
    "'",
    '{"\\,',
]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


async def _back(database: Database, kind: str, values: list[Any]) -> list[Any]:
    async with database.read() as conn:
        cursor = await (await raw(conn)).execute(f"SELECT %s::{kind}[]", (values,))
        row = await cursor.fetchone()
    assert row is not None
    return list(row[0])


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", AWKWARD),
        ("text", []),
        ("text", [None]),
        ("text", ["a", None, ""]),
        ("int8", [0, -1, 2**62, -(2**63)]),
        ("int4", [1, None, 3]),
        ("bool", [True, False]),
        ("numeric", [2**80]),
        ("uuid", [UUID(int=7)]),
    ],
)
async def test_what_was_given_comes_back(database: Database, kind: str, values: list[Any]) -> None:
    assert await _back(database, kind, values) == values


async def test_any_texts_come_back(database: Database) -> None:
    @given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"))))
    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    def texts(values: list[str]) -> None:
        seen.append(values)

    seen: list[list[str]] = []
    texts()
    for values in seen:
        assert await _back(database, "text", values) == values


async def test_a_nul_is_refused(database: Database) -> None:
    with pytest.raises(psycopg.DataError):
        await _back(database, "text", ["a\0b", "c"])


async def test_copied_lists_come_back(database: Database) -> None:
    given = [AWKWARD, [], [None], ["a", None, ""], ["本溪", "溪市", "本溪"]]
    async with database.transaction() as conn:
        await stage(conn, "stage_lists", "no integer, texts text[]")
        await copy_rows(conn, "stage_lists", ("no", "texts"), enumerate(given), ("int4", "text[]"))
        cursor = await (await raw(conn)).execute("SELECT texts FROM stage_lists ORDER BY no")
        assert [row[0] for row in await cursor.fetchall()] == given
        with pytest.raises(psycopg.DataError):
            await copy_rows(conn, "stage_lists", ("texts",), [(["a\0b"],)], ("text[]",))
