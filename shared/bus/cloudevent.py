"""Messages as CloudEvents 1.0 in the binary mode of the Kafka protocol binding.

Attributes are ``ce_`` headers, the content type and the W3C trace parent stand under their own
names. Written here and compared with the cloudevents library by a test: building that library's
objects costs more than sending them.
"""

from typing import Any

import structlog

from shared.bus.contract import Message

LAST_POSITION = 2**63 - 1
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


def from_record(record: Any) -> Message:
    """The message in a Kafka record.

    One that no producer of ours has written is given back whole all the same, for the dead
    letters: its ``source`` is the topic, which is no producer, its ``position`` stands for its
    offset and is negative (``Message.is_foreign``).
    """
    headers = dict(record.headers)
    try:
        traceparent = headers.get("traceparent")
        message = Message(
            id=headers["ce_id"].decode(),
            type=headers["ce_type"].decode(),
            source=headers["ce_source"].decode(),
            key=record.key.decode(),
            position=int(headers["ce_position"]),
            time=headers["ce_time"].decode(),
            traceparent=None if traceparent is None else traceparent.decode(),
            data=record.value or b"",
            head=int(headers.get("ce_head", b"0")),
        )
        if 1 <= message.position <= LAST_POSITION:
            return message
    except (KeyError, ValueError, AttributeError):
        pass
    log.error(
        "bus-foreign-message",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
    )
    return Message(
        id=f"{record.topic}/{record.partition}/{record.offset}",
        type="",
        source=record.topic,
        key="",
        position=-record.offset - 1,
        time="",
        traceparent=None,
        data=record.value or b"",
    )
