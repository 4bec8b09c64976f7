"""tax-feed behind its door, on a fresh database, at noon of 10 June 2008."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.clock import FixedClock
from tax_feed.app import SERVICE
from tests.conftest import PostgresForTests
from tests.registration_feed.door import Door, migrated_template, opened


@pytest.fixture(scope="session")
async def template(postgres: PostgresForTests) -> str:
    return await migrated_template(postgres, SERVICE)


@pytest.fixture
async def door(
    postgres: PostgresForTests, template: str, tmp_path: Path, clock: FixedClock
) -> AsyncIterator[Door]:
    url = postgres.fresh_database(template)
    async with opened(SERVICE, url, tmp_path, clock, "tax") as door:
        yield door
