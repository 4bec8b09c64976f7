"""The Kafka bus on librdkafka's mock cluster: everywhere, without Java.

The mock gives each topic four partitions, allows one consumer per group, keeps about 5 MB per
partition and does not wake a waiting fetch; so it is no measure of a real broker.
"""

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from shared.bus import BusAway
from shared.bus.kafka import KafkaBus
from tests.shared.bus.behaviour import BusBehaviour, BusPlace, message


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[Producer, str]]:
    producer = Producer({"test.mock.num.brokers": 1})
    brokers = producer.list_topics(timeout=10).brokers.values()
    yield producer, ",".join(f"{broker.host}:{broker.port}" for broker in brokers)


@pytest.fixture
def place(cluster: tuple[Producer, str]) -> BusPlace:
    producer, address = cluster

    def make(topic: str) -> None:
        # The mock cannot make topics on request, but does when one is asked for by name.
        producer.list_topics(topic, timeout=10)

    return BusPlace(
        lambda: KafkaBus(address, fetch_max_wait_ms=20, session_timeout_ms=6000),
        shares_partitions=False,
        make_topic_first=make,
    )


@pytest.mark.slow  # the mock lets each new member of a group wait for three seconds
class TestKafkaBusOnTheMock(BusBehaviour):
    """The suite on Kafka."""


async def test_no_broker_is_away() -> None:
    bus = KafkaBus("127.0.0.1:1")
    with pytest.raises(BusAway):
        await bus.start()
    with pytest.raises(BusAway):
        await bus.publish("any.events", {0: [message(1)]})
    await bus.close()
