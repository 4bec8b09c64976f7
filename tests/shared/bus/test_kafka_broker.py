"""The Kafka bus on a real broker."""
import pytest

from kuomian.kafka_broker import KafkaBroker
from shared.bus.kafka import KafkaBus
from tests.shared.bus.behaviour import BusBehaviour, BusPlace

pytestmark = pytest.mark.kafka

@pytest.fixture
def place(kafka_broker: KafkaBroker) -> BusPlace:
    address = kafka_broker.address()
    return BusPlace(lambda: KafkaBus(address, fetch_max_wait_ms=20, session_timeout_ms=6000))


class TestKafkaBusOnARealBroker(BusBehaviour):
    """The suite on Kafka."""
