"""Batches of several partitions given their effect together: one transaction, one handler call.

A delivery's facts are spread over the partitions by their keys. Taken one by one each partition
would cost a transaction and all the handler's statements for a few facts. Only the plain case is
dealt with here: every position follows the one before, nothing is foreign, unknown or refused,
and nobody waits for an operator. Anything else is ``None``, nothing has happened, and the batches
go one by one through ``Inbox.apply``, which knows what to do with each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import groupby

from shared.bus.contract import Batch, Message
from shared.events import topic_of
from shared.inbox import store
from shared.inbox.receiving import (
    Applied,
    FactBatch,
    Inbox,
    JointEffect,
    is_the_messages_fault,
    unfit,
)
from shared.spans import SpanKind, spanning


class _NotPlain(Exception):
    """Something here needs a closer look; rolls the transaction back."""


async def apply_together(inbox: Inbox, batches: Sequence[Batch]) -> list[Applied] | None:
    """What became of each batch, in their order; None when they have to go one by one.

    Raises DatabaseAway and whatever else says "not now" (nothing happened, try again).
    """
    places = [(inbox.producer_of(batch.topic), batch.partition) for batch in batches]
    joint = {inbox.joint.get(producer) for producer, _ in places}
    effect = joint.pop()
    if effect is None or joint or len(set(places)) < len(places):
        return None
    try:
        return await _apply(inbox, effect, places, batches)
    except _NotPlain:
        return None
    except Exception as error:
        if not is_the_messages_fault(error):
            raise
        return None


async def _apply(
    inbox: Inbox,
    effect: JointEffect,
    places: Sequence[tuple[str, int]],
    batches: Sequence[Batch],
) -> list[Applied]:
    async with inbox.database.transaction() as conn:
        marks = await store.lock_marks(conn, places)
        if await store.count_open(conn) > inbox.limit:
            raise _NotPlain
        if _has_old(places, batches, marks) and await store.has_gaps(conn):
            raise _NotPlain
        parts = [
            _plain(inbox, batch, place, marks[place])
            for place, batch in zip(places, batches, strict=True)
        ]
        fresh = sorted(
            (part for part in parts if part.facts), key=lambda part: (part.producer, part.partition)
        )
        if fresh:
            with _spans(inbox.service, fresh):
                await effect(conn, fresh)
            await store.set_marks(
                conn, [(p.producer, p.partition, p.facts[-1].position) for p in fresh]
            )
    return [
        Applied(applied=len(part.facts), dropped=len(batch.messages) - len(part.facts))
        for part, batch in zip(parts, batches, strict=True)
    ]


@contextmanager
def _spans(service: str, batches: Sequence[FactBatch]) -> Iterator[None]:
    """A span for each topic, after what published its facts; what the handler writes belongs to
    all of them."""
    by_producer = {
        producer: list(given) for producer, given in groupby(batches, lambda batch: batch.producer)
    }
    with ExitStack() as stack:
        for producer, given in by_producer.items():
            stack.enter_context(_span(service, f"apply {topic_of(producer)}", given))
        if len(by_producer) > 1:
            stack.enter_context(_span(service, "apply together", batches))
        yield


def _span(service: str, name: str, batches: Sequence[FactBatch]) -> AbstractContextManager[object]:
    return spanning(
        service,
        name,
        dict.fromkeys(
            received.message.traceparent for batch in batches for received in batch.facts
        ),
        kind=SpanKind.CONSUMER,
        messaging__batch__message_count=sum(len(batch.facts) for batch in batches),
        kuomian__partitions=len(batches),
    )


def _plain(inbox: Inbox, batch: Batch, place: tuple[str, int], mark: int) -> FactBatch:
    """What of a batch lies above the mark, without a hole; raises _NotPlain."""
    producer, partition = place
    if _follows(batch, producer, mark):
        return _decoded(inbox, batch.messages, place)
    by_position = {message.position: message for message in batch.messages}
    if any(unfit(message, producer, mark) for message in batch.messages):
        raise _NotPlain
    fresh = sorted(position for position in by_position if position > mark)
    if fresh and (fresh[0] != mark + 1 or fresh[-1] != mark + len(fresh)):
        raise _NotPlain
    if not fresh:
        return FactBatch(producer, partition, mark + 1, [])
    return _decoded(inbox, [by_position[position] for position in fresh], place)


def _follows(batch: Batch, producer: str, mark: int) -> bool:
    """Whether all of it lies right above the mark, as nearly always. A foreign message has no
    position."""
    messages = batch.messages
    return {message.source for message in messages} == {producer} and [
        message.position for message in messages
    ] == list(range(mark + 1, mark + 1 + len(messages)))


def _decoded(inbox: Inbox, messages: Sequence[Message], place: tuple[str, int]) -> FactBatch:
    """The facts of messages; raises _NotPlain when one of them is not in the catalogue."""
    parts = inbox.decode(messages)
    if len(parts) != 1 or not isinstance(parts[0], list):
        raise _NotPlain
    return FactBatch(*place, messages[0].position, parts[0])


def _has_old(
    places: Sequence[tuple[str, int]],
    batches: Sequence[Batch],
    marks: Mapping[tuple[str, int], int],
) -> bool:
    """Whether some positions lie at or below their mark: had before, or late ones of a gap."""
    return any(
        min([message.position for message in batch.messages], default=marks[place] + 1)
        <= marks[place]
        for place, batch in zip(places, batches, strict=True)
    )
