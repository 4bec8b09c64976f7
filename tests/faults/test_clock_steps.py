"""Clocks that jump: the product's and the database's, a day or a summer-time hour, during load."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from shared.auth import Issuer
from shared.clock import FixedClock
from shared.database import plain_url
from tests.conftest import PostgresForTests
from tests.faults.city_under_load import (
    OPENING,
    CityUnderLoad,
    chance,
    city_under_load,
    embedded_bus,
    first_of,
    migrated,
    the_city,
)
from tests.faults.conftest import Faults

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEPS = (DAY, timedelta(0), HOUR, timedelta(0))
"""How far the clocks are off, one after another: forward a day, back a day, summer time …"""
BETWEEN = 7

# A function of this name before pg_catalog's on the search path is what every statement gets.
_STEPPED = """
CREATE SCHEMA stepped;
CREATE TABLE stepped.off (by interval NOT NULL);
INSERT INTO stepped.off VALUES ('0');
CREATE FUNCTION stepped.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT pg_catalog.clock_timestamp() + by FROM stepped.off';
CREATE FUNCTION stepped.now() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT pg_catalog.now() + by FROM stepped.off';
"""
_DEFAULTS = """
SELECT c.oid::regclass::text, a.attname FROM pg_attrdef d
JOIN pg_class c ON c.oid = d.adrelid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum
WHERE pg_get_expr(d.adbin, d.adrelid) = 'clock_timestamp()'
"""


class SteppedClock(FixedClock):
    """The machine's clock as it goes wrong: off by ``off`` from what it is set to."""

    off = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.off


def step_databases(urls: Mapping[str, str]) -> None:
    """Make the databases' clocks ones that can be put off, in column defaults as well."""
    for url in urls.values():
        with psycopg.connect(plain_url(url), autocommit=True) as conn:
            conn.execute(_STEPPED)
            name = sql.Identifier(conn.info.dbname)
            conn.execute(
                sql.SQL("ALTER DATABASE {} SET search_path = stepped, pg_catalog, public").format(
                    name
                )
            )
            for table, column in conn.execute(_DEFAULTS).fetchall():
                conn.execute(
                    sql.SQL(
                        "ALTER TABLE {} ALTER COLUMN {} SET DEFAULT stepped.clock_timestamp()"
                    ).format(sql.Identifier(table), sql.Identifier(column))
                )


def put_off(urls: Mapping[str, str], clock: SteppedClock, by: timedelta) -> None:
    """Every clock there is jumps to being so far off."""
    for url in urls.values():
        with psycopg.connect(plain_url(url), autocommit=True) as conn:
            conn.execute("UPDATE stepped.off SET by = %s", (by,))
    clock.off = by


@asynccontextmanager
async def watched(city: CityUnderLoad) -> AsyncIterator[list[float]]:
    """Look at every status beside the block; gives the ages seen."""
    ages: list[float] = []

    async def look() -> None:
        while True:
            for service in city.runtimes:
                age = (await city.status(service)).get("outbox", {}).get("oldest_unsent_seconds")
                ages.extend([] if age is None else [age])
            await asyncio.sleep(0.1)

    looking = asyncio.create_task(look())
    try:
        yield ages
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def test_clocks_step_during_load(
    postgres: PostgresForTests, tmp_path: Path, faults: Faults
) -> None:
    urls = await migrated(postgres)
    step_databases(urls)
    clock = SteppedClock(the_city().deliveries[0].send_at, "demo")
    draw = chance("clocks")
    async with city_under_load(urls, tmp_path, embedded_bus(urls), clock) as city:
        await city.push(OPENING)
        async with watched(city) as ages:
            for by in STEPS:
                pushing = city.pushing(BETWEEN)
                await city.answered(draw.randint(1, BETWEEN - 2), pushing)
                put_off(urls, clock, by)
                await pushing
            await city.push(BETWEEN)
        conserved = await city.settled()
        assert ages
        assert min(ages) >= 0.0, "a negative age"
        await tokens_are_judged_by_real_time(city, tmp_path)
        await receipts_go_by_our_clock(city)
    what = "clocks off by a day, back, an hour"
    faults.survived("product and database", what, times=len(STEPS), held=conserved)


async def tokens_are_judged_by_real_time(city: CityUnderLoad, folder: Path) -> None:
    """An expired token stays so, and a good one good, whatever the product's clock says."""
    issuer = Issuer(folder)
    good = issuer.token("tester", "operator", lifetime=timedelta(minutes=5))
    expired = issuer.token("tester", "operator", lifetime=-timedelta(minutes=5))
    async with city.client() as client:
        for token, status in ((good, 200), (expired, 401)):
            headers = {"Authorization": f"Bearer {token}"}
            answer = await client.get("/tax-feed/v1/status", headers=headers)
            assert answer.status_code == status


async def receipts_go_by_our_clock(city: CityUnderLoad) -> None:
    """Nothing ends before it began; the order of a feed is that of acceptance all the same."""
    shown: list[dict[str, Any]] = []
    for service in ("registration-feed", "tax-feed", "enrollment"):
        shown += [one async for one in city.api.items(f"/{service}/v1/deliveries", limit=1000)]
    for one in shown:
        receipt = one["receipt"]
        assert receipt["received_at"] <= receipt["completed_at"], receipt
    assert first_of("receipts").feed in {one["feed"] for one in shown}
