"""tax-feed and enrollment behind their doors, at noon of 10 June 2008."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from enrollment.app import SERVICE as ENROLLMENT
from shared.clock import FixedClock
from tax_feed.app import SERVICE as TAX
from tests.conftest import PostgresForTests
from tests.registration_feed.door import Door, migrated_template, opened


@pytest.fixture(scope="session")
async def tax_template(postgres: PostgresForTests) -> str:
    return await migrated_template(postgres, TAX)


@pytest.fixture
async def tax(
    postgres: PostgresForTests, tax_template: str, tmp_path: Path, clock: FixedClock
) -> AsyncIterator[Door]:
    url = postgres.fresh_database(tax_template)
    async with opened(TAX, url, tmp_path, clock, "tax") as door:
        yield door


@pytest.fixture
async def register(
    postgres: PostgresForTests, tmp_path: Path, clock: FixedClock
) -> AsyncIterator[Door]:
    url = postgres.fresh_database(await migrated_template(postgres, ENROLLMENT))
    async with opened(ENROLLMENT, url, tmp_path, clock, "agency") as door:
        yield door
