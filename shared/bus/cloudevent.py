"""Messages as CloudEvents 1.0 in the binary mode of the Kafka protocol binding.

Attributes are ``ce_`` headers, the content type and the W3C trace parent stand under their own
names. Written here and compared with the cloudevents library by a test: building that library's
objects costs more than sending them.
"""

from typing import Any

import structlog

from shared.bus.contract import Message

log = structlog.get_logger(__name__)


def to_headers(message: Message) -> list[tuple[str, bytes]]:
    """The CloudEvents attributes of a message in binary mode."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", message.id.encode()),
        ("ce_source", message.source.encode()),
        ("ce_type", message.type.encode()),
        ("ce_time", message.time.encode()),
        ("ce_partitionkey", message.key.encode()),
        ("ce_position", b"%d" % message.position),
        ("content-type", b"application/json"),
    ]
    if message.head:
        headers.append(("ce_head", b"%d" % message.head))
    if message.traceparent is not None:
        headers.append(("traceparent", message.traceparent.encode()))
    return headers


def from_record(record: Any) -> Message | None:
    """The message in a Kafka record; None, logged, for one that no producer of ours has written."""
    headers = dict(record.headers)
    try:
        traceparent = headers.get("traceparent")
        return Message(
            id=headers["ce_id"].decode(),
            type=headers["ce_type"].decode(),
            source=headers["ce_source"].decode(),
            key=record.key.decode(),
            position=int(headers["ce_position"]),
            time=headers["ce_time"].decode(),
            traceparent=None if traceparent is None else traceparent.decode(),
            data=record.value,
            head=int(headers.get("ce_head", b"0")),
        )
    except (KeyError, ValueError, AttributeError):
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        log.exception("bus-foreign-message", **place)
        return None
