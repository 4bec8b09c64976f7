"""The declared tables and the migrations say the same."""

from __future__ import annotations

import asyncio

from reporting.app import SERVICE
from shared import migrate


async def test_models_and_migrations_agree(reporting_url: str) -> None:
    found = await asyncio.to_thread(migrate.differences, reporting_url, SERVICE.metadata)
    assert found == []
