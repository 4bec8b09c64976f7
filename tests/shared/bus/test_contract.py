"""The parts of the contract that need no bus."""

from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from shared.bus import Message, build_bus, partition_of
from shared.bus.choice import kafka_security
from shared.bus.cloudevent import from_record, to_headers
from shared.bus.kafka import KafkaBus
from shared.bus.postgres import PostgresBus
from shared.settings import Settings

MESSAGE = Message(
    id="a:1:b",
    type="tax-feed.arrears-recorded.v1",
    source="tax-feed",
    key="oc:123456789",
    position=7,
    time="2008-06-10T04:00:00Z",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    data=b'{"a": 1}',
)


def test_the_partition_of_a_key_never_changes() -> None:
    # Frozen: another answer would break the order of what is already in the log.
    assert [partition_of(key, 6) for key in ("oc:123456789", "lic:本工商", "")] == [0, 2, 0]


def test_keys_spread_over_partitions() -> None:
    counts = Counter(partition_of(f"oc:{number:09d}", 6) for number in range(60_000))
    assert max(counts.values()) / min(counts.values()) < 1.1


def test_headers_are_what_the_cloudevents_library_writes() -> None:
    event = CloudEvent(
        attributes={
            "id": MESSAGE.id,
            "source": MESSAGE.source,
            "type": MESSAGE.type,
            "time": datetime(2008, 6, 10, 4, tzinfo=UTC),
            "specversion": "1.0",
            "datacontenttype": "application/json",
            "partitionkey": MESSAGE.key,
            "position": str(MESSAGE.position),
        },
        data={"a": 1},
    )
    theirs = to_binary(event, JSONFormat())
    ours = dict(to_headers(MESSAGE))
    assert ours.pop("traceparent").decode() == MESSAGE.traceparent
    assert ours == theirs.headers
    assert theirs.key == MESSAGE.key
    back = from_binary(KafkaMessage(ours, MESSAGE.key, MESSAGE.data), JSONFormat())
    assert back.get_id() == MESSAGE.id
    assert back.get_data() == {"a": 1}


def test_a_record_of_somebody_else_is_kept_whole_and_told_apart() -> None:
    place = {"topic": "t", "partition": 0, "offset": 1}
    ours = SimpleNamespace(
        headers=to_headers(MESSAGE), key=MESSAGE.key.encode(), value=MESSAGE.data, **place
    )
    assert from_record(ours) == MESSAGE
    for record in (
        SimpleNamespace(headers=(), key=b"k", value=b"{}", **place),
        SimpleNamespace(headers=to_headers(MESSAGE), key=None, value=b"{}", **place),
        SimpleNamespace(
            headers=[*to_headers(MESSAGE), ("ce_position", b"x")], key=b"k", value=b"{}", **place
        ),
        SimpleNamespace(
            headers=[*to_headers(MESSAGE), ("ce_position", b"-2")], key=b"k", value=b"{}", **place
        ),
        SimpleNamespace(
            headers=[*to_headers(MESSAGE), ("ce_position", b"9" * 30)],
            key=b"k",
            value=b"{}",
            **place,
        ),
    ):
        foreign = from_record(record)
        assert foreign.is_foreign
        assert (foreign.id, foreign.source, foreign.position) == ("t/0/1", "t", -2)
        assert foreign.data == b"{}"
    assert not MESSAGE.is_foreign


def test_the_settings_choose_the_bus() -> None:
    postgres = Settings(bus="postgres", bus_database_url="postgresql://a:b@localhost/bus")
    assert isinstance(build_bus(postgres), PostgresBus)
    kafka = Settings(bus="kafka", kafka_bootstrap_servers="localhost:9092")
    assert isinstance(build_bus(kafka), KafkaBus)
    with pytest.raises(ValueError, match="KAFKA_BOOTSTRAP_SERVERS"):
        build_bus(Settings(bus="kafka"))
    with pytest.raises(ValueError, match="BUS_DATABASE_URL"):
        build_bus(Settings(bus="postgres"))


def test_kafka_security_from_settings() -> None:
    assert kafka_security(Settings()) == {"security_protocol": "PLAINTEXT"}
    options = kafka_security(
        Settings(
            kafka_security_protocol="SASL_SSL",
            kafka_sasl_username="enrollment",
            kafka_sasl_password="secret",
        )
    )
    assert options.pop("ssl_context") is not None
    assert options == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "enrollment",
        "sasl_plain_password": "secret",
    }
