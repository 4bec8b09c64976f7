"""aiokafka's clients, started and ended within bounds whatever the broker does."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import chain
from typing import TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    UnknownTopicOrPartitionError,
)

from shared.bus.contract import BusAway, BusError, UnknownTopic

WAIT_SECONDS = 30.0
CLOSE_SECONDS = 5.0
REPEAT_SECONDS = 30.0
CHATTY = (
    "aiokafka",
    "aiokafka.conn",
    "aiokafka.cluster",
    "aiokafka.producer.sender",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
)

log = structlog.get_logger(__name__)

_Client = TypeVar("_Client", AIOKafkaProducer, AIOKafkaConsumer)


async def started(client: _Client, end: Callable[[_Client], Awaitable[None]]) -> None:
    """Start a client; ``end`` it when that fails. TimeoutError after ``WAIT_SECONDS``."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await client.start()
    except BaseException:
        await end(client)  # else its half-open connections outlive it
        raise


async def given_up(producer: AIOKafkaProducer) -> None:
    """End a producer at once, with whatever it has not got rid of.

    ``stop`` alone would first wait for its batches, which an idempotent producer tries to send
    for ever; ``publish`` waits for all that it hands over, so nothing else is lost by this.
    """
    sending = producer._sender.sender_task
    if sending is not None:
        sending.cancel()
        await producer.client.close()  # ends requests that nobody answers
        await asyncio.wait({sending})
        waiting = producer._message_accumulator
        waiting.fail_all(KafkaConnectionError("given up"))
        for batch in (*chain(*waiting._batches.values()), *waiting._pending_batches):
            batch.future.exception()  # whoever waited for it is gone: not an error nobody saw
    await producer.stop()


async def left(consumer: AIOKafkaConsumer) -> None:
    """End a consumer, leaving its group if the broker answers.

    With the broker away ``stop`` alone ends in the cancellation of one of its own tasks, which
    is none of ours, and keeps its connections.
    """
    stopping = asyncio.ensure_future(consumer.stop())
    _, late = await asyncio.wait({stopping}, timeout=CLOSE_SECONDS)
    if late:
        stopping.cancel()
        await asyncio.wait(late)
    await consumer._client.close()
    if not stopping.cancelled() and (error := stopping.exception()):
        log.warning("bus-consumer-ended", error=f"{type(error).__name__}: {error}")


@asynccontextmanager
async def away(topic: str = "") -> AsyncIterator[None]:
    """What Kafka refuses for good stays an error; everything else is a bad moment."""
    try:
        yield
    except UnknownTopicOrPartitionError as error:
        raise UnknownTopic(topic) from error
    except MessageSizeTooLargeError as error:
        raise BusError(str(error)) from error
    except (CommitFailedError, IllegalStateError):
        raise
    except TimeoutError as error:
        raise BusAway(str(error) or "no answer within the bound") from error
    except KafkaError as error:
        raise BusAway(f"{type(error).__name__}: {error}") from error


class Seldom(logging.Filter):
    """Lets a line through once per ``REPEAT_SECONDS``: while a broker is away aiokafka repeats
    itself ten times a second, per client."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now - self._said.get(record.msg, float("-inf")) < REPEAT_SECONDS:
            return False
        self._said[record.msg] = now
        return True


_seldom = Seldom()
for _name in CHATTY:  # a filter holds for its own logger, not for those below it
    logging.getLogger(_name).addFilter(_seldom)
