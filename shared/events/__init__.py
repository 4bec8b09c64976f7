"""The contracts: one module per producer, one registry, JSON Schema and AsyncAPI export."""

from shared.events.base import Fact, encode, json_schema, topic_of
from shared.events.registry import (
    REGISTRY,
    UnknownFact,
    decode,
    decode_all,
    delivery_fact,
    facts_of,
)

__all__ = [
    "REGISTRY",
    "Fact",
    "UnknownFact",
    "decode",
    "decode_all",
    "delivery_fact",
    "encode",
    "facts_of",
    "json_schema",
    "topic_of",
]
