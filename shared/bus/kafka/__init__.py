"""The bus on Apache Kafka: the only importer of aiokafka.

Messages are CloudEvents 1.0 in the binary mode of its Kafka binding: attributes as ``ce_`` headers,
the fact as the value, its key as the key (``shared.bus.cloudevent``).

The producer is idempotent and waits for all in-sync replicas; batches are built per partition,
compressed by the producer (zstd) and kept by the broker as they come. Offsets are committed by
hand.

aiokafka waits for an absent broker by itself, in places without end; here every wait has a bound,
after which the bus is away (``clients``).
"""

from shared.bus.kafka.bus import KafkaBus
from shared.bus.kafka.consumer import KafkaConsumer

__all__ = ["KafkaBus", "KafkaConsumer"]
