"""One installation for all faults of processes and servers: started once, broken by every test."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from kuomian.city import build_city
from kuomian.client import Api
from kuomian.demo.state import Loaded, Memory
from kuomian.demo.tokens import write_tokens
from kuomian.installation import Installation
from kuomian.kafka_install import KafkaMissing, java_program, kafka_jars
from shared.plan import Plan
from tests.e2e.conftest import new_data_dir, remove
from tests.faults.on_kafka.system import GROUPS, PARTITIONS, System

SCALE = 0.005
POSTGRES_OPTIONS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
"""No power cut here; but a commit is safe from the death of the server's processes."""


@pytest.fixture(scope="session")
async def installation() -> AsyncIterator[System]:
    """What docker-compose.yml says, with two consumers in each group; broker and database are its
    own, nobody else misses them when they are killed."""
    _require_kafka()
    plan = Plan.default()
    city = build_city(plan, scale=SCALE)
    folder = new_data_dir()
    tokens = write_tokens(folder, plan)
    memory = Memory(folder)
    memory.keep(Loaded(city.seed, SCALE, plan.version))
    installation = Installation(
        folder,
        scale={f"{group}-consumer": 2 for group in GROUPS},
        variables={"CLOCK": "demo", "TOPIC_PARTITIONS": str(PARTITIONS)},
        postgres_options=POSTGRES_OPTIONS,
    )
    try:
        with installation as running:
            async with (
                Api(running.url, tokens["operator"], transport=running.doors()) as api,
                Api(running.url, tokens["auditor"], transport=running.doors()) as auditor,
            ):
                yield System(plan, city, tokens, memory, running, api, auditor)
    finally:
        remove(folder)


def _require_kafka() -> None:
    try:
        java_program(), kafka_jars()
    except KafkaMissing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))


@pytest.fixture
async def system(installation: System) -> AsyncIterator[System]:
    """The installation, made whole again when a test left it broken."""
    yield installation
    await asyncio.to_thread(installation.running.start_what_is_down)
