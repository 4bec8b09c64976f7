"""The Kafka bus on a real broker: the one suite of behaviour, and what only a broker can show."""

import asyncio
import contextlib
import os
import struct
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import confluent_kafka
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from confluent_kafka.admin import AdminClient
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from kuomian.kafka_broker import PROTOCOLS, KafkaBroker
from kuomian.kafka_install import KafkaMissing, java_program, kafka_jars
from shared.bus import Batch, Bus, BusAway, BusError, Message, build_bus, partition_of
from shared.bus.kafka import KafkaBus
from shared.events import encode, json_schema
from shared.events.tax_feed import ContributionCollected
from shared.settings import Settings
from tests.shared.bus.behaviour import BusBehaviour, BusPlace, ends, message, positions, read

pytestmark = pytest.mark.kafka

ZSTD = 4
HEADER = struct.Struct(">qiiBIhiqqqhii")
"""A record batch as it lies in the log (Kafka protocol guide, "Record Batch", magic 2)."""


@pytest.fixture
def place(kafka_broker: KafkaBroker) -> BusPlace:
    address = kafka_broker.address()
    return BusPlace(lambda: KafkaBus(address, fetch_max_wait_ms=20, session_timeout_ms=6000))


@pytest.fixture
def topic() -> str:
    return f"broker-{uuid.uuid4().hex[:8]}.events"


@asynccontextmanager
async def connected(bus: Bus) -> AsyncIterator[Bus]:
    try:
        await bus.start()
        yield bus
    finally:
        await bus.close()


@pytest.mark.slow  # in all, and with the start of the broker
class TestKafkaBusOnABroker(BusBehaviour):
    """The suite on Kafka, without the mock's limits."""


class TestStartingABroker:
    """What a machine lacks is said in words; the fixture makes a skip of it, or a failure in CI."""

    def test_without_java(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(KafkaMissing, match="no java is on the path"):
            KafkaBroker(tmp_path).start()

    def test_with_an_old_java(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program(tmp_path / "java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2")
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        with pytest.raises(KafkaMissing, match=r'17 or newer, found version "11'):
            java_program()

    def test_without_maven(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(KafkaMissing, match="no mvn is on the path"):
            kafka_jars(tmp_path / "cache")

    def test_with_a_maven_that_gets_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program(tmp_path / "mvn", "echo 'Could not transfer artifact'; exit 1")
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        with pytest.raises(KafkaMissing, match="Could not transfer artifact"):
            kafka_jars(tmp_path / "cache")
        assert [path.name for path in (tmp_path / "cache").iterdir()] == [".lock"]


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


class TestTopics:
    async def test_have_the_partitions_the_code_says(
        self, kafka_broker: KafkaBroker, topic: str
    ) -> None:
        foreign = confluent_kafka.Producer({"bootstrap.servers": kafka_broker.address()})

        def partitions() -> int:
            return len(foreign.list_topics(topic, timeout=10).topics[topic].partitions)

        async with connected(KafkaBus(kafka_broker.address())) as bus:
            await bus.ensure_topics({topic: 3})
            assert partitions() == 3
            await bus.ensure_topics({topic: 6})
            assert partitions() == 6
            with pytest.raises(BusError, match="has 6 partitions, not 5"):
                await bus.ensure_topics({topic: 5})

    async def test_made_by_several_at_once(self, kafka_broker: KafkaBroker, topic: str) -> None:
        async with (
            connected(KafkaBus(kafka_broker.address())) as one,
            connected(KafkaBus(kafka_broker.address())) as two,
        ):
            for count in (2, 4):
                await asyncio.gather(*(bus.ensure_topics({topic: count}) for bus in (one, two)))
            assert len(await two.ends(topic)) == 4

    async def test_deleted_is_told_from_a_broker_away(
        self, kafka_broker: KafkaBroker, topic: str
    ) -> None:
        async with connected(KafkaBus(kafka_broker.address(), publish_seconds=3)) as bus:
            await bus.ensure_topics({topic: 1})
            await bus.publish(topic, {0: [message(1)]})
            admin = AdminClient({"bootstrap.servers": kafka_broker.address()})
            admin.delete_topics([topic])[topic].result(30)
            with pytest.raises(BusError):
                async with asyncio.timeout(30):
                    while True:  # at first it may look like a broker that does not answer
                        try:
                            await bus.publish(topic, {0: [message(2)]})
                        except BusAway:
                            continue
            await bus.ensure_topics({topic: 1})
            await bus.publish(topic, {0: [message(2)]})
            assert await bus.ends(topic) == {0: 1}

    async def test_deleted_is_missed_by_its_readers_and_read_again_when_rebuilt(
        self, kafka_broker: KafkaBroker, topic: str
    ) -> None:
        async with connected(KafkaBus(kafka_broker.address())) as bus:
            await bus.ensure_topics({topic: 1})
            await bus.publish(topic, {0: [message(1), message(2)]})
            consumer = bus.consumer(f"readers-of-{topic}", [topic])
            await consumer.start()
            assert await consumer.commit(ends(await read(consumer, 2)))
            admin = AdminClient({"bootstrap.servers": kafka_broker.address()})
            admin.delete_topics([topic])[topic].result(30)
            async with asyncio.timeout(60):
                await until_away(lambda: consumer.fetch(10, 0.1))
                await bus.ensure_topics({topic: 1})
                await bus.publish(topic, {0: [message(1), message(2)]})
                found: list[Batch] = []
                while not found:
                    with contextlib.suppress(BusAway):
                        found = await consumer.fetch(10, 1)
            assert positions(found) == [1, 2]


class TestConnecting:
    """Each way once, by settings alone."""

    @pytest.mark.parametrize("protocol", PROTOCOLS)
    async def test_publishing_and_reading(
        self, kafka_broker: KafkaBroker, topic: str, protocol: Any
    ) -> None:
        async with connected(build_bus(settings(kafka_broker, protocol))) as bus:
            await bus.ensure_topics({topic: 1})
            await bus.publish(topic, {0: [message(1), message(2)]})
            consumer = bus.consumer(f"by-{protocol}", [topic])
            await consumer.start()
            batches = await read(consumer, 2)
            assert positions(batches) == [1, 2]
            assert await consumer.commit(ends(batches))
            assert set((await bus.lag(f"by-{protocol}", [topic])).values()) == {0}

    async def test_a_wrong_password_opens_nothing(self, kafka_broker: KafkaBroker) -> None:
        with pytest.raises(BusAway):
            async with connected(
                build_bus(settings(kafka_broker, "SASL_PLAINTEXT", kafka_sasl_password="no"))
            ):
                pass

    async def test_a_broker_of_an_unknown_authority_is_not_believed(
        self, kafka_broker: KafkaBroker
    ) -> None:
        with pytest.raises(BusAway):
            async with connected(build_bus(settings(kafka_broker, "SSL", kafka_ca_file=None))):
                pass


def settings(broker: KafkaBroker, protocol: Any, **other: Any) -> Settings:
    environment = {name.lower(): value for name, value in broker.environment(protocol).items()}
    return Settings(**(environment | other))


class TestProducer:
    async def test_compresses_and_numbers_its_batches(
        self, kafka_broker: KafkaBroker, topic: str
    ) -> None:
        async with connected(KafkaBus(kafka_broker.address())) as bus:
            await bus.ensure_topics({topic: 1})
            for start in (1, 2001, 4001):
                sent = [message(n, data=b'{"name":"x"}' * 50) for n in range(start, start + 2000)]
                await bus.publish(topic, {0: sent})
            assert await bus.ends(topic) == {0: 6000}
        batches = list(logged(kafka_broker.data_dir / "log" / f"{topic}-0"))
        assert {batch.attributes & 7 for batch in batches} == {ZSTD}
        assert sum(batch.bytes for batch in batches) < 6000 * 100, "of 600 bytes each"
        # An idempotent producer has a number, and so has every batch, without gaps.
        assert len({batch.producer for batch in batches}) == 1
        assert batches[0].producer >= 0
        expected = 0
        for batch in batches:
            assert (batch.first_offset, batch.sequence) == (expected, expected)
            expected += batch.records
        assert expected == 6000

    async def test_is_shared_by_publishes_at_once(
        self, kafka_broker: KafkaBroker, topic: str
    ) -> None:
        """Whoever comes first connects; the others use the same connection, and so for readers."""
        async with connected(KafkaBus(kafka_broker.address())) as bus:
            await bus.ensure_topics({topic: 4})
            await asyncio.gather(*(bus.publish(topic, {p: [message(1)]}) for p in range(4)))
            found = await asyncio.gather(*(bus.ends(topic) for _ in range(4)))
            assert found == [dict.fromkeys(range(4), 1)] * 4
        own = [t for t in asyncio.all_tasks() if "aiokafka" in repr(t.get_coro())]
        assert own == [], "a client that nobody closes"


class Logged(NamedTuple):
    """What a record batch's header says."""

    first_offset: int
    bytes: int
    attributes: int
    producer: int
    sequence: int
    records: int


def logged(folder: Path) -> Iterator[Logged]:
    """The batches in the log of a partition, read from the broker's own files."""
    for file in sorted(folder.glob("*.log")):
        content = file.read_bytes()
        at = 0
        while at + HEADER.size <= len(content):
            head = HEADER.unpack_from(content, at)
            assert head[3] == 2
            yield Logged(head[0], head[1], head[5], head[9], head[11], head[12])
            at += 12 + head[1]


class TestForeignClient:
    """Somebody else's consumer, with nothing of ours but what the contract says."""

    def received(self, broker: KafkaBroker, topic: str) -> Any:
        consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": broker.address(),
                "group.id": f"foreign-{topic}",
                "auto.offset.reset": "earliest",
            }
        )
        try:
            consumer.subscribe([topic])
            found = consumer.poll(30)
        finally:
            consumer.close()
        assert found is not None
        assert found.error() is None
        return found

    async def test_reads_a_fact_as_a_cloud_event(
        self, kafka_broker: KafkaBroker, topic: str
    ) -> None:
        sent = fact()
        traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        async with connected(KafkaBus(kafka_broker.address())) as bus:
            await bus.ensure_topics({topic: 3})
            partition = partition_of(sent.key, 3)
            await bus.publish(topic, {partition: [as_message(sent, traceparent)]})
        record = await asyncio.to_thread(self.received, kafka_broker, topic)
        headers = {name: value.decode() for name, value in record.headers()}
        assert headers == {
            "ce_specversion": "1.0",
            "ce_id": "d1:7:contribution-collected",
            "ce_source": "tax-feed",
            "ce_type": "tax-feed.contribution-collected.v1",
            "ce_time": "2008-06-10T04:00:00Z",
            "ce_partitionkey": "oc:123456780",
            "ce_position": "1",
            "content-type": "application/json",
            "traceparent": traceparent,
        }
        assert record.key().decode() == "oc:123456780"
        assert record.partition() == partition
        raw = {name: value for name, value in record.headers() if name != "traceparent"}
        event = from_binary(KafkaMessage(raw, record.key().decode(), record.value()), JSONFormat())
        data = event.get_data()
        schema = Draft202012Validator(json_schema(ContributionCollected))
        schema.validate(data)
        assert (data["pooled_fen"], data["receipt_no"]) == (123_456, "No 1")  # type: ignore[index]
        with pytest.raises(ValidationError):  # the schema says something
            schema.validate({**data, "pooled_fen": "1234.56"})  # type: ignore[dict-item]


def fact() -> ContributionCollected:
    return ContributionCollected(
        key="oc:123456780",
        subject="receipt:No 1",
        revision=1,
        delivery_id="d1",
        record_no=7,
        recorded_at=datetime(2008, 6, 10, 4, tzinfo=UTC),
        unit="210502",
        receipt_no="No 1",
        month_for="2008-05",
        received_on=date(2008, 6, 5),
        pooled_fen=123_456,
        individual_fen=0,
    )


def as_message(sent: ContributionCollected, traceparent: str) -> Message:
    return Message(
        id=sent.fact_id,
        type=sent.type_name(),
        source=sent.producer,
        key=sent.key,
        position=1,
        time="2008-06-10T04:00:00Z",
        traceparent=traceparent,
        data=encode(sent),
    )


class TestBrokerGone:
    """A killed broker is a bad moment: told as such, and nothing waits for it without end."""

    async def test_nothing_hangs_and_everything_goes_on(
        self, kafka_broker: KafkaBroker, topic: str
    ) -> None:
        def new() -> KafkaBus:
            return KafkaBus(kafka_broker.address(), publish_seconds=2, session_timeout_ms=3000)

        async with connected(new()) as bus, connected(new()) as other:
            await bus.ensure_topics({topic: 1})
            await bus.publish(topic, {0: [message(1)]})
            consumer, closing = bus.consumer("gone", [topic]), bus.consumer("closing", [topic])
            await consumer.start()
            await closing.start()
            batches = await read(consumer, 1)
            await read(closing, 1)  # and is asking for more when the broker goes
            kafka_broker.kill()
            try:
                async with asyncio.timeout(60):
                    await until_away(lambda: consumer.fetch(10, 0.1))
                    await raises_away(lambda: consumer.commit(ends(batches)))
                    await raises_away(lambda: bus.publish(topic, {0: [message(2)]}))
                    await raises_away(lambda: bus.lag("gone", [topic]))
                    await raises_away(new().start)
                    await closing.close()
                    in_flight = asyncio.ensure_future(other.publish(topic, {0: [message(2)]}))
                    await asyncio.sleep(0)
                    await other.close()
                    await raises_away(lambda: in_flight)
            finally:
                await asyncio.to_thread(kafka_broker.start)
            await until_back(lambda: bus.publish(topic, {0: [message(2)]}))
            assert positions(await read(consumer, 1))[-1:] == [2]
            assert await consumer.commit({(topic, 0): 2})
            assert await bus.lag("gone", [topic]) == {(topic, 0): 0}


async def raises_away(ask: Callable[[], Any]) -> None:
    with pytest.raises(BusAway):
        await ask()


async def until_away(fetch: Callable[[], Awaitable[list[Batch]]]) -> None:
    """Return once it says that the bus is away; until heartbeats find out there is nothing."""
    with pytest.raises(BusAway):
        while await fetch() == []:
            pass


async def until_back(ask: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await ask()
            except BusAway:
                continue
            return
