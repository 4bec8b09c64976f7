"""The quick way for new keys comes to what the ordinary way comes to, record by record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from registration_feed.app import SERVICE
from shared.clock import FixedClock
from shared.deliveries.judge import PART_RECORDS
from tests.conftest import PostgresForTests
from tests.registration_feed.door import Door, opened
from tests.registration_feed.test_deliveries import licence

PLAIN = replace(SERVICE, feeds=tuple(replace(feed, fresh=None) for feed in SERVICE.feeds))
COUNT = 2 * PART_RECORDS + 100
WRONG = 7
"""So many records of a long list are refused."""


CHUNK = 2 * COUNT


@pytest.fixture
async def quick(
    postgres: PostgresForTests, template: str, tmp_path: Path, clock: FixedClock
) -> AsyncIterator[Door]:
    url = postgres.fresh_database(template)
    async with opened(SERVICE, url, tmp_path, clock, "industry-commerce", CHUNK) as door:
        yield door


@pytest.fixture
async def plain(
    postgres: PostgresForTests, template: str, tmp_path: Path, clock: FixedClock
) -> AsyncIterator[Door]:
    url = postgres.fresh_database(template)
    async with opened(PLAIN, url, tmp_path, clock, "industry-commerce", CHUNK) as door:
        yield door


def long_list(first: int) -> list[dict[str, Any]]:
    records = [licence(first + number) for number in range(COUNT)]
    for number in range(WRONG):
        records[number * 150]["unit"] = "999999"
    return records[::-1]


LISTS: dict[str, list[dict[str, Any]]] = {
    "new keys": long_list(1),
    "known keys among new ones": [
        *long_list(COUNT - 50),
        licence(COUNT, name="本溪市改名饭店有限公司"),
    ],
    "new keys after that": [licence(90_000, licence_no='A"\\{},'), licence(90_001)],
    "nothing but known ones": [licence(3), licence(4)],
    "a key twice": [
        licence(80_000),
        licence(80_001),
        licence(80_000, name="本溪市另一饭店有限公司"),
    ],
    "new keys again": [licence(70_000), licence(70_001, event="deregistered")],
}


async def left_by(door: Door) -> tuple[list[Any], ...]:
    """State, earlier versions, dispositions and facts; deliveries by their number."""
    deliveries = await door.rows("SELECT id::text FROM deliveries ORDER BY seq")
    numbers = {row["id"]: f"delivery {no}" for no, row in enumerate(deliveries)}

    def plain(value: Any) -> Any:
        text = value.decode() if isinstance(value, bytes) else str(value)
        for known, number in numbers.items():
            text = text.replace(known, number)
        return text

    tables = [
        [{name: plain(value) for name, value in row.items()} for row in await door.rows(query)]
        for query in (
            "SELECT l.*, encode(content_hash, 'hex') AS content_hash FROM business_licences AS l"
            " ORDER BY natural_key",
            "SELECT natural_key, revision, delivery_id, record_no, superseded_by_delivery,"
            " superseded_by_no FROM superseded_versions ORDER BY id",
            "SELECT d.seq, string_agg(encode(dispositions, 'hex'), '' ORDER BY chunk_no) AS all"
            " FROM delivery_chunks AS c JOIN deliveries AS d ON d.id = c.delivery_id GROUP BY 1"
            " ORDER BY 1",
        )
    ]
    facts = sorted((kind, plain(data)) for kind, data in await door.messages())
    return (*tables, facts)


async def test_both_ways_leave_the_same(quick: Door, plain: Door) -> None:
    for name, records in LISTS.items():
        receipt = await quick.push("business-licences", "2008-05", records)
        again = await plain.push("business-licences", "2008-05", records)
        for what in ("applied", "duplicate", "rejected", "problems"):
            assert receipt[what] == again[what], name
    for one, other in zip(await left_by(quick), await left_by(plain), strict=True):
        assert one == other


async def test_new_keys_go_the_quick_way(quick: Door) -> None:
    """In parts, each with a block of facts; a known key sends its chunk the ordinary way, which
    writes one block."""
    await quick.push("business-licences", "2008-05", LISTS["new keys"])
    *parts, received = await blocks(quick)
    assert (len(parts), sum(parts), received) == (2, COUNT - WRONG, 1)
    await quick.push("business-licences", "2008-05", LISTS["known keys among new ones"])
    assert len(await blocks(quick)) == 3 + 1 + 1


async def blocks(door: Door) -> list[int]:
    """Facts in each block of the outbox; the last of a delivery holds that it was received."""
    return [r["fact_count"] for r in await door.rows("SELECT * FROM outbox_blocks ORDER BY id")]


async def test_a_record_the_database_refuses_is_refused_alone(door: Door) -> None:
    async with door.runtime.database.transaction() as conn:
        await conn.execute(sa.text("ALTER TABLE business_licences ADD CHECK (headcount <> 77)"))
    records = [licence(number) for number in range(1, 9)]
    records[4]["headcount"] = 77
    receipt = await door.push("business-licences", "2008-05", records)
    assert (receipt["applied"], receipt["problems"]) == (7, {"record-unusable": 1})
    assert len(await door.rows("SELECT FROM business_licences")) == 7
