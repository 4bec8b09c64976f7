"""The bus: one promise (``contract``), two ways to keep it (``postgres``, ``kafka``)."""

from shared.bus.choice import build_bus
from shared.bus.contract import (
    Batch,
    Bus,
    BusAway,
    BusError,
    Consumer,
    Message,
    TopicPartition,
    UnknownTopic,
    partition_of,
)

__all__ = [
    "Batch",
    "Bus",
    "BusAway",
    "BusError",
    "Consumer",
    "Message",
    "TopicPartition",
    "UnknownTopic",
    "build_bus",
    "partition_of",
]
