"""Every fact there is, by type name: what a consumer may meet on the bus."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from types import ModuleType

import msgspec

from shared.events import deliveries, enrollment, registration_feed, reporting, tax_feed
from shared.events.base import Fact


def _facts(module: ModuleType) -> list[type[Fact]]:
    return [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, Fact) and hasattr(member, "producer") and hasattr(member, "kind")
    ]


REGISTRY: dict[str, type[Fact]] = {
    fact.type_name(): fact
    for module in (registration_feed, tax_feed, enrollment, reporting, deliveries)
    for fact in _facts(module)
}
"""Type name → fact class, the catalogue of architecture §2."""

_DECODERS = {name: msgspec.json.Decoder(fact) for name, fact in REGISTRY.items()}


class UnknownFact(Exception):
    """The type is not in the catalogue, or its data does not fit the contract."""


def decode(type_name: str, data: bytes) -> Fact:
    """The fact in a message.

    Unknown fields are ignored (contracts grow additively within a version); an unknown type or
    data that does not fit raises UnknownFact, which belongs in the dead letters.
    """
    decoder = _DECODERS.get(type_name)
    if decoder is None:
        raise UnknownFact(f"unknown fact type {type_name!r}")
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnknownFact(f"{type_name}: {error}") from error


def decode_all(type_names: Iterable[str], data: Iterable[bytes]) -> list[Fact]:
    """The facts in messages, in order. Raises UnknownFact when there is one that ``decode`` would
    raise it for, without saying which."""
    try:
        return [_DECODERS[name].decode(one) for name, one in zip(type_names, data, strict=True)]
    except (KeyError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnknownFact(str(error)) from error


def facts_of(producer: str) -> list[type[Fact]]:
    """The facts one service publishes, by kind."""
    return sorted((f for f in REGISTRY.values() if f.producer == producer), key=lambda f: f.kind)


def delivery_fact(producer: str) -> type[deliveries.DeliveryReceived]:
    """The DeliveryReceived of one receiving service."""
    found = REGISTRY[f"{producer}.delivery-received.v1"]
    assert issubclass(found, deliveries.DeliveryReceived)  # noqa: S101 - narrows the type
    return found
