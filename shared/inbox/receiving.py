"""A message applied once, with its effect.

One high-water mark per producer and partition, kept in the consumer's own database and moved in
the transaction of the effect, is all that decides: what lies at or below it has been had. So
duplicates, a zombie relay, a rebalance, a group reset to the beginning and a rebuilt broker are
harmless, at constant cost. What may be relied upon:

- **Once.** Every position has its effect once, or becomes one dead letter with a reason.
- **A bad moment is not a bad message.** What the database says about itself (away, gave way,
  schema not there yet) goes up to the runner, which waits; nothing is dead-lettered for it.
- **A gap is recorded**, never papered over. First it is only said (``GapSeen``), so that the runner
  can read again whether the bus has what is missing; told to go over it, applying goes on, and the
  missing positions are still accepted when they come later (``shared.outbox_again``).
- **Replay passes the same gate**: a dead letter is locked, applied and marked in one transaction.
- Above the limit of open dead letters nothing is applied any more (``TooManyDeadLetters``), and
  every effect before that point is kept.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec
import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.contract import Batch, Message
from shared.database import Database, is_retryable
from shared.events import Fact, UnknownFact, decode, decode_all, topic_of
from shared.inbox import store
from shared.inbox.store import InboxStatus
from shared.spans import SpanKind, spanning

if TYPE_CHECKING:
    from shared.runtime import Runtime
    from shared.service import JointHandler


LARGEST_LEAP = 10_000_000
"""Positions a partition may jump, as after a bus that lost its log; more is no true position."""


class Received(msgspec.Struct, frozen=True, gc=False):
    """A fact that came, and the message it came in (``message.traceparent``, ``message.id``)."""

    position: int
    message: Message
    fact: Fact


@dataclass(frozen=True)
class FactBatch:
    """Facts of one producer and partition, by ascending position, never empty.

    ``first_position`` names the batch: no two batches whose effect stays share it. Positions
    within may have holes (dead letters).
    """

    producer: str
    partition: int
    first_position: int
    facts: list[Received]


class BadMessage(Exception):
    """Raised by a handler: this fact cannot be understood; the others can.

    Everything the handler did in this call is undone, the fact becomes a dead letter with
    ``reason``, and the handler is called again with the facts before it and those after it.
    """

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"position {position}: {reason}")
        self.position = position
        self.reason = reason


class TooManyDeadLetters(Exception):
    """More open dead letters than the limit allows: stop and call an operator."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} dead letters wait for somebody to look at them")
        self.limit = limit


class GapSeen(Exception):
    """A batch jumps over positions that never came: nothing of it was applied."""

    def __init__(self, position: int) -> None:
        """``position``: the lowest one missing."""
        super().__init__(f"position {position} is missing")
        self.position = position


Effect = Callable[[AsyncConnection, FactBatch], Awaitable[None]]
"""A subscription's handler with the runtime filled in."""

JointEffect = Callable[[AsyncConnection, Sequence[FactBatch]], Awaitable[None]]
"""The same of batches of several partitions at once; see ``shared.service.JointHandler``."""


@dataclass
class Applied:
    """What became of one batch of messages; the four add up to the messages given."""

    applied: int = 0
    dropped: int = 0
    """Had before."""
    dead: int = 0
    left: int = 0
    """Not dealt with because the limit was reached; they will be fetched again."""
    missing: int = 0
    """Positions newly found missing before or between these."""


@dataclass(frozen=True)
class Replayed:
    """What became of one dead letter given to ``replay``."""

    id: int
    outcome: Literal["applied", "already-replayed", "failed", "unknown"]
    reason: str = ""


@dataclass(frozen=True)
class Dismissed:
    """What became of one dead letter given to ``dismiss``."""

    id: int
    outcome: Literal["dismissed", "already-closed", "unknown"]


@dataclass(frozen=True, slots=True)
class _Poison:
    message: Message
    reason: str


_Part = list[Received] | _Poison
"""A run of facts to apply, or a message to bury; never empty."""


class Inbox:
    """The gate in front of a service's handlers. Holds no state but what it was built with."""

    def __init__(
        self,
        database: Database,
        effects: Mapping[str, Effect],
        dead_letter_limit: int,
        service: str = "",
        joint: Mapping[str, JointEffect] | None = None,
    ) -> None:
        """``effects``: by producer. ``dead_letter_limit``: open ones tolerated before stopping.
        ``service``: whose spans its work makes. ``joint``: by producer, the same function where
        batches of different producers may go together."""
        self.database = database
        self.effects = dict(effects)
        self.joint = dict(joint or {})
        self.limit = dead_letter_limit
        self.service = service
        self._producers = {topic_of(producer): producer for producer in effects}

    @classmethod
    def of(cls, runtime: "Runtime") -> Self:
        """The inbox of a running service, with its declared subscriptions."""
        effects = {
            subscription.producer: _bound(subscription.handler, runtime)
            for subscription in runtime.service.subscriptions
        }
        bound: dict[JointHandler, JointEffect] = {}
        joint = {
            subscription.producer: bound.setdefault(
                subscription.joint, _bound_jointly(subscription.joint, runtime)
            )
            for subscription in runtime.service.subscriptions
            if subscription.joint is not None
        }
        settings, name = runtime.settings, runtime.service.name
        return cls(runtime.database, effects, settings.dead_letter_limit, name, joint)

    def producer_of(self, topic: str) -> str:
        """Whose topic that is."""
        return self._producers[topic]

    @property
    def topics(self) -> list[str]:
        """Topics of the producers subscribed to."""
        return list(self._producers)

    def decode(self, messages: Sequence[Message]) -> list[_Part]:
        """Messages as facts, cut into runs by those that are not in the catalogue."""
        try:
            facts = decode_all([m.type for m in messages], [m.data for m in messages])
        except UnknownFact:
            return self._decode_one_by_one(messages)
        run = list(map(Received, [m.position for m in messages], messages, facts))
        return [run] if run else []

    def _decode_one_by_one(self, messages: Sequence[Message]) -> list[_Part]:
        parts: list[_Part] = []
        run: list[Received] = []
        for message in messages:
            try:
                run.append(Received(message.position, message, decode(message.type, message.data)))
            except UnknownFact as error:
                parts += [run, _Poison(message, str(error))]
                run = []
        parts.append(run)
        return [part for part in parts if part]

    async def apply(self, batch: Batch, *, over_gaps: bool = False) -> Applied:
        """Give a batch its effect, once; one transaction.

        Raises DatabaseAway and whatever else says "not now" (nothing happened, try again),
        TooManyDeadLetters (nothing happened), and GapSeen (nothing happened) unless ``over_gaps``:
        then what is missing is recorded. When the limit is reached within the batch, what came
        before is committed and the rest is ``left``.
        """
        producer = self._producers[batch.topic]
        done = Applied()
        async with self.database.transaction() as conn:
            mark = await store.lock_mark(conn, producer, batch.partition)
            dead = await store.count_open(conn)
            if dead > self.limit:
                raise TooManyDeadLetters(self.limit)
            own = []
            for message in batch.messages:
                reason = unfit(message, producer, mark)
                if reason is None:
                    own.append(message)
                else:
                    await store.bury(conn, batch.partition, message, reason)
                    done.dead += 1
            gate = await store.gate(conn, producer, batch.partition, mark, own)
            if not over_gaps and (missing := gate.first_missing) is not None:
                raise GapSeen(missing)
            done.dropped = len(own) - len(gate.fresh)
            parts = self.decode(gate.fresh)
            place = (producer, batch.partition)
            await self._work_off(conn, place, parts, dead + done.dead, done)
            done.left = sum(1 if isinstance(part, _Poison) else len(part) for part in parts)
            done.missing = await store.pass_gate(conn, gate, _first(parts))
        return done

    async def _work_off(
        self,
        conn: AsyncConnection,
        place: tuple[str, int],
        parts: list[_Part],
        dead: int,
        done: Applied,
    ) -> None:
        """Apply part after part in order; cut at whatever fails until the culprit stands alone.

        Stops when there are more than ``limit`` dead letters; ``parts`` are then what is left.
        """
        parts.reverse()
        while parts and dead <= self.limit:
            part = parts.pop()
            if isinstance(part, _Poison):
                await store.bury(conn, place[1], part.message, part.reason)
                done.dead += 1
                dead += 1
                continue
            try:
                async with conn.begin_nested():
                    await self._effect(conn, FactBatch(*place, part[0].position, part))
                done.applied += len(part)
            except Exception as error:
                if not is_the_messages_fault(error):
                    raise
                parts += reversed(_cut(part, error))
        parts.reverse()

    async def _effect(self, conn: AsyncConnection, batch: FactBatch) -> None:
        """Call the handler, within the trace of the facts when they have one in common."""
        topic = topic_of(batch.producer)
        with spanning(
            self.service,
            f"apply {topic}",
            dict.fromkeys(received.message.traceparent for received in batch.facts),
            kind=SpanKind.CONSUMER,
            messaging__destination__name=topic,
            messaging__destination__partition__id=str(batch.partition),
            messaging__batch__message_count=len(batch.facts),
            kuomian__position=batch.first_position,
        ):
            await self.effects[batch.producer](conn, batch)

    async def replay(self, ids: Sequence[int]) -> list[Replayed]:
        """Apply dead letters once more, each in a transaction of its own, lowest id first.

        A letter already replayed is left alone, also when two operators press at once. One that
        fails again stays open with the new reason. Raises DatabaseAway and the like.
        """
        return [await self._replay(letter_id) for letter_id in sorted(set(ids))]

    async def _replay(self, letter_id: int) -> Replayed:
        try:
            async with self.database.transaction() as conn:
                letter = await store.lock_letter(conn, letter_id)
                if letter is None or letter.source not in self.effects:
                    return Replayed(letter_id, "unknown")
                if letter.replayed_at is not None:
                    return Replayed(letter_id, "already-replayed")
                # Not beside a live batch of the same partition.
                await store.lock_mark(conn, letter.source, letter.partition)
                received = Received(
                    letter.position, letter.message(), decode(letter.type, letter.payload)
                )
                batch = FactBatch(letter.source, letter.partition, letter.position, [received])
                await self._effect(conn, batch)
                await store.mark_replayed(conn, letter_id)
                return Replayed(letter_id, "applied")
        except Exception as error:
            if not is_the_messages_fault(error):
                raise
            reason = _reason(error)
        async with self.database.transaction() as conn:
            await store.note_failed_replay(conn, letter_id, reason)
        return Replayed(letter_id, "failed", reason)

    async def dismiss(self, ids: Sequence[int], reason: str) -> list[Dismissed]:
        """Close dead letters without effect, for what is no fact of ours and never will be.

        They stay on record, with the operator's ``reason`` before the first one.
        """
        wanted = sorted(set(ids))
        async with self.database.transaction() as conn:
            closed = await store.dismiss(conn, wanted, reason)
            known = await store.known_letters(conn, wanted)
        return [
            Dismissed(
                no,
                "dismissed" if no in closed else "already-closed" if no in known else "unknown",
            )
            for no in wanted
        ]

    async def status(self, conn: AsyncConnection) -> InboxStatus:
        """Marks, gaps and dead letters; ``stopped`` when there are more than the limit."""
        return await store.status(conn, self.limit)


# The state classes of PostgreSQL that speak of the data given: cardinality, data exception,
# integrity, check option, program limits (a value too long for an index), raised by a trigger.
_DATA_STATES = ("21", "22", "23", "44", "54", "P0")


def is_the_messages_fault(error: BaseException) -> bool:
    """Whether an error of a handler comes from what the fact says, not from the moment.

    The database's own troubles, also a missing table or right, are the moment's: the same work
    succeeds once they are mended. An ordinary Python error is the message's.
    """
    if is_retryable(error) or isinstance(error, OSError | MemoryError | TooManyDeadLetters):
        return False
    cause: BaseException | None = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.Error):
        return cause.sqlstate is None or cause.sqlstate.startswith(_DATA_STATES)
    return not isinstance(cause, sa.exc.InvalidRequestError)


def unfit(message: Message, producer: str, mark: int) -> str | None:
    """Why a message has no place in this partition's order, None when it has one."""
    if message.is_foreign:
        return "not a CloudEvent of ours: an attribute is missing or cannot be read"
    if message.source != producer:
        return f"{message.source!r} does not own the topic {topic_of(producer)}"
    if 0 < mark < message.position - LARGEST_LEAP:
        # Taken for true it would stand for a gap that nobody can fill.
        return f"position {message.position} lies too far ahead of {mark}"
    return None


def _cut(part: list[Received], error: Exception) -> list[_Part]:
    """The part in smaller parts: around the fact the handler named, else in two halves."""
    at = 0 if len(part) == 1 else None
    if isinstance(error, BadMessage):
        named = (i for i, received in enumerate(part) if received.position == error.position)
        at = next(named, at)
    if at is None:
        half = len(part) // 2
        return [part[:half], part[half:]]
    poison = _Poison(part[at].message, _reason(error))
    cut: list[_Part] = [part[:at], poison, part[at + 1 :]]
    return [piece for piece in cut if piece]


def _reason(error: Exception) -> str:
    if isinstance(error, BadMessage):
        return error.reason
    cause = error.orig if isinstance(error, DBAPIError) else error
    first_line = next(iter(str(cause).splitlines()), "")
    return f"{type(cause).__name__}: {first_line}"[:1000]


def _first(parts: list[_Part]) -> int | None:
    """The lowest position not dealt with, None when all are."""
    if not parts:
        return None
    part = parts[0]
    return part.message.position if isinstance(part, _Poison) else part[0].position


def _bound_jointly(handler: "JointHandler", runtime: "Runtime") -> JointEffect:
    async def effect(conn: AsyncConnection, batches: Sequence[FactBatch]) -> None:
        await handler(conn, runtime, batches)

    return effect


def _bound(handler: Any, runtime: "Runtime") -> Effect:
    async def effect(conn: AsyncConnection, batch: FactBatch) -> None:
        await handler(conn, runtime, batch)

    return effect
