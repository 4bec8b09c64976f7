"""The main job as operators run it: docker-compose.yml as processes of this machine — doors,
relays and two consumers in each group — over a real Kafka and a database with its own role for
each service; and the all-in-one over the same city, which must say the same.

Before the files in which officers work on the all-in-one's leads: those are compared here.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from kuomian.city import City
from kuomian.client import Api
from kuomian.demo.drain import Flow, drained
from kuomian.demo.driver import known_truth
from kuomian.demo.gather import Closing, gather
from kuomian.demo.load import Loader, set_clock
from kuomian.demo.state import Answer, Loaded, Memory
from kuomian.demo.tokens import write_tokens
from kuomian.installation import Installation
from kuomian.kafka_broker import KafkaBroker
from kuomian.services import all_services
from shared.embedded import EmbeddedPostgres
from shared.periods import Dekad, local_date
from shared.plan import Plan
from tests.conftest import emptied
from tests.e2e.answers import leads_of, ledger_of, progress_of
from tests.e2e.conftest import Whole, new_data_dir, remove

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

CONSUMERS, PARTITIONS = 2, 4
LEAVING = ("reporting-consumer-2", "enrollment-consumer-1")
POSTGRES_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "shared_buffers": "128MB"}


@dataclass(frozen=True)
class Played:
    """The city loaded into the installation, and what it then said."""

    parts: list[str]
    flow: Flow
    closing: Closing
    progress: dict[str, Any]
    ledger: set[tuple[Any, ...]]
    leads: set[tuple[Any, ...]]
    troubles: list[str]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    data_dir = new_data_dir()
    yield data_dir
    remove(data_dir)


@pytest.fixture(scope="module")
async def played(
    plan: Plan, city: City, folder: Path, kafka_broker: KafkaBroker
) -> AsyncIterator[Played]:
    tokens = write_tokens(folder, plan)
    memory = Memory(folder)
    memory.keep(Loaded(city.seed, 0, plan.version))
    installation = Installation(
        folder,
        scale={"enrollment-consumer": CONSUMERS, "reporting-consumer": CONSUMERS},
        variables={"CLOCK": "demo", "TOPIC_PARTITIONS": str(PARTITIONS)},
        protocol="SASL_SSL",
        broker=emptied(kafka_broker),
        postgres_options=POSTGRES_OPTIONS,
    )
    with installation as running:
        async with Api(running.url, tokens["operator"]) as api:
            answers = await loaded_with_rebalances(api, running, tokens, memory, city)
            flow = await drained(api)
            await set_clock(api, city.closing_at, tokens)
        async with Api(running.url, tokens["auditor"]) as api:
            loaded = known_truth(Loaded(city.seed, 0, plan.version), city, plan)
            period = Dekad.counting(local_date(city.closing_at), plan.cutoffs).previous()
            closing = await gather(api, loaded, answers, memory.done(), period, plan)
            progress = await progress_of(api)
        ledger = ledger_of(running.database_url("reporting"))
        leads = leads_of(running.database_url("enrollment"))
        parts = running.names()
    logs = [running.log_dir / f"{name}.log" for name in parts]
    lines = [line for log in logs if log.exists() for line in log.read_text("utf-8").splitlines()]
    troubles = [line for line in lines if is_trouble(line)]
    yield Played(parts, flow, closing, progress, ledger, leads, troubles)


def test_it_is_what_the_file_says_twice_the_consumers(played: Played) -> None:
    assert {f"{one.name}-api" for one in all_services()} < set(played.parts)
    assert {f"{one.name}-relay" for one in all_services()} < set(played.parts)
    assert {name for name in played.parts if "consumer" in name} == {
        f"{one.name}-consumer-{no}" for one in all_services() if one.subscriptions for no in (1, 2)
    }
    assert {"postgres", "kafka", "gateway"} < set(played.parts)


def test_figures_equal_the_truth_and_nothing_is_lost(played: Played, plan: Plan) -> None:
    closing = played.closing
    assert closing.differences == []
    assert closing.unexpected == []
    assert closing.misdone == []
    assert [one for one in closing.sums if not one.conserved] == []
    assert [one for one in closing.mess if not one.ok] == []
    assert closing.ok
    assert closing.compared == 3 * (len(plan.units) + 1)
    assert played.flow.applied == played.flow.published > 0
    assert played.flow.broken == ()


def test_no_process_had_trouble(played: Played) -> None:
    assert played.troubles == []


class TestTheAllInOne:
    """The same city over the embedded bus in one process, killed and interrupted on its way."""

    async def test_says_the_same_of_every_unit_in_every_dekad(
        self, played: Played, whole: Whole
    ) -> None:
        other = await progress_of(whole.api)
        assert len(other) == len(played.progress) == 21 + 1
        assert [name for name in other if other[name] != played.progress[name]] == []

    async def test_has_the_same_ledger(self, played: Played, whole: Whole) -> None:
        other = ledger_of(EmbeddedPostgres(whole.data_dir).url("reporting", "reporting"))
        assert len(other) > 1000
        assert other ^ played.ledger == set()

    async def test_has_the_same_leads_open(self, played: Played, whole: Whole) -> None:
        other = leads_of(EmbeddedPostgres(whole.data_dir).url("enrollment", "enrollment"))
        assert len(other) > 50
        assert other ^ played.leads == set()


async def loaded_with_rebalances(
    api: Api, running: Installation, tokens: dict[str, str], memory: Memory, city: City
) -> dict[str, Answer]:
    """Load the city; in the middle of it two consumers leave and come back."""
    loader = Loader(api, tokens, memory, Quiet())
    loading = asyncio.ensure_future(loader.run(city.events))
    await until_answered(memory, len(city.deliveries) // 4, loading)
    await until_shared(running.broker)
    await asyncio.to_thread(running.stop, *LEAVING)
    await until_answered(memory, len(city.deliveries) // 2, loading)
    for name in LEAVING:
        running.start(name)
    return await loading


def is_trouble(line: str) -> bool:
    """A log line no orderly run has, rebalances and restarts included."""
    found = json.loads(line) if line.startswith("{") else {"level": "error", "logger": ""}
    return found["level"] in ("error", "critical") and not found["logger"].startswith("aiokafka")


class Quiet:
    """A progress bar nobody sees."""

    def at(self, done: int, note: str = "") -> None:
        pass

    def of(self, done: int, total: int) -> None:
        pass


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
