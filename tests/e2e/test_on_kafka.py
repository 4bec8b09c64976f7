"""The main job as operators run it: four services in processes of their own — doors, relays and
two consumers in each group — over a real Kafka and a database with its own role for each."""

import asyncio
import base64
import json
import os
import secrets
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from kuomian.all_in_one import upgrade_all
from kuomian.city import build_city
from kuomian.client import Api
from kuomian.demo.drain import drained
from kuomian.demo.driver import known_truth
from kuomian.demo.gather import gather
from kuomian.demo.load import Loader, set_clock
from kuomian.demo.state import Loaded, Memory
from kuomian.demo.tokens import write_tokens
from kuomian.kafka_broker import KafkaBroker
from kuomian.processes import Doors, Part, Processes, free_ports
from kuomian.services import all_services
from shared.embedded import EmbeddedPostgres
from shared.periods import Dekad, local_date
from shared.plan import Plan
from tests.e2e.conftest import new_data_dir, remove

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SCALE = 0.005
CONSUMERS, PARTITIONS = 2, 4
LEAVING = ("reporting-consumer-2", "enrollment-consumer-1")
POSTGRES_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "shared_buffers": "128MB"}


@pytest.fixture
def folder() -> Iterator[Path]:
    data_dir = new_data_dir()
    yield data_dir
    remove(data_dir)


async def test_four_services_in_processes_of_their_own(
    plan: Plan, folder: Path, empty_kafka: KafkaBroker
) -> None:
    city = build_city(plan, scale=SCALE)
    tokens = write_tokens(folder, plan)
    memory, loaded = Memory(folder), Loaded(city.seed, SCALE, plan.version)
    memory.keep(loaded)
    with EmbeddedPostgres(folder, POSTGRES_OPTIONS) as postgres:
        databases = await upgrade_all(postgres)
        parts = parts_of(folder, databases, empty_kafka, tokens["operator"])
        addresses = {part.service: part.address for part in parts if part.role == "api"}
        doors = partial(Doors, addresses)
        with Processes(parts, folder / "logs", os.environ) as running:
            async with Api("http://city.test", tokens["operator"], transport=doors()) as api:
                loader = Loader(api, tokens, memory, Quiet())
                loading = asyncio.ensure_future(loader.run(city.deliveries))
                await until_answered(memory, len(city.deliveries) // 4, loading)
                await until_shared(empty_kafka)
                # A rebalance in the middle, and another one.
                await asyncio.to_thread(running.stop, *LEAVING)
                await until_answered(memory, len(city.deliveries) // 2, loading)
                for name in LEAVING:
                    running.start(name)
                answers = await loading
                flow = await drained(api)
                await set_clock(api, city.closing_at, tokens)
                loaded = known_truth(loaded, city, plan)
                period = Dekad.counting(local_date(city.closing_at), plan.cutoffs).previous()
            async with Api("http://city.test", tokens["auditor"], transport=doors()) as api:
                closing = await gather(api, loaded, answers, period, plan)
    assert closing.differences == []
    assert closing.unexpected == []
    assert [one for one in closing.sums if not one.conserved] == []
    assert [one for one in closing.mess if not one.ok] == []
    assert closing.ok
    assert closing.compared == 3 * (len(plan.units) + 1)
    assert flow.applied == flow.published > 0
    assert flow.broken == ()
    for log in sorted((folder / "logs").iterdir()):
        assert [line for line in log.read_text("utf-8").splitlines() if is_trouble(line)] == []


def is_trouble(line: str) -> bool:
    """A log line no orderly run has, rebalances and restarts included."""
    found = json.loads(line) if line.startswith("{") else {"level": "error", "logger": ""}
    return found["level"] in ("error", "critical") and not found["logger"].startswith("aiokafka")


def parts_of(
    folder: Path, databases: dict[str, str], broker: KafkaBroker, operator_token: str
) -> list[Part]:
    """A door and a relay for each service, two consumers for those that listen."""
    roles = {
        service.name: ["api", "relay", *["consumer"] * (CONSUMERS if service.subscriptions else 0)]
        for service in all_services()
    }
    ports = iter(free_ports(sum(map(len, roles.values()))))
    common = {
        **broker.environment("SASL_SSL"),
        **{name: f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}" for name in KEYS},
        "CLOCK": "demo",
        "DATA_DIR": str(folder),
        "JUDGE_WORKERS": "0",
        "TOPIC_PARTITIONS": str(PARTITIONS),
        "SERVICE_TOKEN": operator_token,
    }
    doors = {name: next(ports) for name in roles}
    common["SERVICE_URLS"] = ",".join(f"{n}=http://127.0.0.1:{p}" for n, p in doors.items())
    parts = []
    for name, of_service in roles.items():
        own = {**common, "DATABASE_URL": databases[name]}
        for no, role in enumerate(of_service):
            port = doors[name] if role == "api" else next(ports)
            label = f"{name}-{role}" + (f"-{no - 1}" if role == "consumer" else "")
            parts.append(Part(label, name, role, port, own))
    return parts


class Quiet:
    """A progress bar nobody sees."""

    def at(self, done: int, note: str = "") -> None:
        pass

    def of(self, done: int, total: int) -> None:
        pass


KEYS = ("DATA_KEYS", "HASH_KEYS")


async def until_answered(memory: Memory, count: int, loading: "asyncio.Future[object]") -> None:
    async with asyncio.timeout(120):
        while len(memory.answers()) < count:
            if loading.done():
                loading.result()
            await asyncio.sleep(0.05)


async def until_shared(broker: KafkaBroker) -> None:
    """Return when in each group two members have all partitions between them."""
    wanted = {s.name: len(s.subscriptions) * PARTITIONS for s in all_services() if s.subscriptions}
    async with asyncio.timeout(60):
        while True:
            shares = await asyncio.to_thread(shares_of, broker, list(wanted))
            if all(ready(shares[group], count) for group, count in wanted.items()):
                return


def ready(shares: list[int], count: int) -> bool:
    return len(shares) == CONSUMERS and min(shares) > 0 and sum(shares) == count


def shares_of(broker: KafkaBroker, groups: list[str]) -> dict[str, list[int]]:
    """Group → how many partitions each of its members has."""
    admin = AdminClient({"bootstrap.servers": broker.address()})
    return {
        name: [len(member.assignment.topic_partitions) for member in found.result(30).members]
        for name, found in admin.describe_consumer_groups(groups).items()
    }
