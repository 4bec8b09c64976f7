"""Each service's models and migrations say the same."""

from __future__ import annotations

import pytest

from kuomian.services import NAMES, UnknownService, get_service
from shared import migrate
from shared.service import Service


@pytest.fixture(params=NAMES)
def service(request: pytest.FixtureRequest) -> Service:
    try:
        return get_service(request.param)
    except (UnknownService, ImportError) as missing:
        pytest.skip(f"{request.param} is not here: {missing}")


async def test_models_and_migrations_say_the_same(service: Service, database_url: str) -> None:
    await migrate.upgrade(database_url, service.migrations)
    assert migrate.differences(database_url, service.metadata) == []
    assert await migrate.at_head(database_url, service.migrations)
