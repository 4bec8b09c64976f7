"""The last messages of a topic, read without joining any group."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.bus.cloudevent import from_record
from shared.bus.contract import last_position
from shared.bus.kafka.clients import WAIT_SECONDS, left, started

TAIL_MESSAGES = 200


async def tail_positions(
    connection: Mapping[str, Any], topic: str, ends: Mapping[int, int], source: str
) -> dict[int, int]:
    """Partition → the highest position its last messages name, of those from ``source``.

    ``ends``: the offsets up to which to read. Raises KafkaError, TimeoutError.
    """
    places = {TopicPartition(topic, partition): end for partition, end in ends.items()}
    found: dict[int, int] = {}
    reader = AIOKafkaConsumer(**connection, enable_auto_commit=False)
    await started(reader, left)
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            first = await reader.beginning_offsets(list(places))
            open_places = {place for place, end in places.items() if end > first[place]}
            if not open_places:
                return {}
            reader.assign(list(open_places))
            for place in open_places:
                reader.seek(place, max(first[place], places[place] - TAIL_MESSAGES))
            while open_places:
                for place, records in (await reader.getmany(timeout_ms=500)).items():
                    messages = [m for m in map(from_record, records) if not m.is_foreign]
                    position = last_position(messages, source)
                    found[place.partition] = max(found.get(place.partition, 0), position)
                # The position passes what is no message of ours, and markers of transactions.
                open_places = {
                    place for place in open_places if await reader.position(place) < places[place]
                }
    finally:
        await left(reader)
    return {partition: position for partition, position in found.items() if position}
