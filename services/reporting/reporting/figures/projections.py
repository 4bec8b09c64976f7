"""Facts become positions, positions become entries: one staged COPY, one statement for holders
nobody knew and one per round for all others.

A holder named several times in a batch is taken once per round, in order, so that where batches
are cut never changes a figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

import msgspec
import zstandard
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.postings import FACT_NUMBERS, Counting, positions_of
from reporting.figures.rules import EVENT_ACCOUNTS, Position, Segments
from reporting.figures.store import fresh, moving, posting
from reporting.figures.store.moving import Line
from shared.bus import Message
from shared.events import Fact
from shared.inbox import BadMessage, FactBatch
from shared.periods import local_date

_PRODUCERS: Final = {"registration-feed": 0, "tax-feed": 1, "enrollment": 2, "reporting": 3}
_SLOTS_PER_PRODUCER: Final = 1024
_LEVEL: Final = 1
_ROUND: Final = list(moving.STAGE_COLUMNS).index("round")
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Message])


class Located(NamedTuple):
    """A fact and where it stands: number of its block in this application, place in the block."""

    block_no: int
    place: int
    position: int
    fact: Fact


Holder: TypeAlias = tuple[int, str]
"""Account and name."""
_Stated: TypeAlias = tuple[int, Located, Position]
"""A position that a fact states, after the number of its holder's states so far."""


class Moved(NamedTuple):
    """What has its new holdings and is to be posted: states of holders nobody knew, and others."""

    fresh: bool
    others: bool


async def take_positions(
    conn: AsyncConnection, counting: Counting, facts: Sequence[Located]
) -> Moved | None:
    """Give the holders their new positions; what is then to be posted, None where nothing is.

    The caller holds the ledger's lock. Raises BadMessage for a fact no row can hold.
    """
    stated: list[_Stated] = []
    rounds: dict[Holder, int] = {}
    for located in facts:
        for position in positions_of(located.fact, counting):
            holder = (position.account, position.holder)
            rounds[holder] = round_no = rounds.get(holder, 0) + 1
            stated.append((round_no, located, position))
    if not stated:
        return None
    units = await posting.unit_ids(conn, {position.unit for _, _, position in stated})
    segments = await posting.segment_ids(conn, {position.segments for _, _, position in stated})
    lines = list(_lines(stated, rounds, units, segments))
    await moving.stage_postings(conn, lines)
    round_nos = {line[_ROUND] for line in lines}
    held = fresh.ROUND in round_nos and await fresh.hold(conn)
    others = not held or len(round_nos) > 1
    if others:
        await moving.begin_moving(conn)
        for round_no in range(1, max(rounds.values()) + 1):
            await moving.move_holdings(conn, round_no)
    return Moved(held, others)


async def apply(
    conn: AsyncConnection, counting: Counting, batches: Sequence[FactBatch], at: datetime
) -> None:
    """Journal batches and post them, in the transaction that moves the consumer's marks."""
    facts = [
        Located(no, index, received.position, received.fact)
        for no, batch in enumerate(batches)
        for index, received in enumerate(batch.facts)
    ]
    check(facts)
    moved = await take_positions(conn, counting, facts)
    blocks = await posting.insert_journal(conn, [_new_block(batch, at) for batch in batches])
    if moved is not None:
        await post(
            conn,
            moved,
            {
                no: block_of(block, batch.producer, batch.partition, at)
                for no, (block, batch) in enumerate(zip(blocks, batches, strict=True))
            },
        )


def _new_block(batch: FactBatch, at: datetime) -> posting.NewBlock:
    return posting.NewBlock(
        batch.producer,
        batch.partition,
        batch.facts[0].position,
        batch.facts[-1].position,
        at,
        len(batch.facts),
        packed([received.message for received in batch.facts]),
    )


async def post(conn: AsyncConnection, moved: Moved, blocks: Mapping[int, posting.Block]) -> None:
    """Entries, rollups and day totals of what ``take_positions`` moved."""
    await posting.begin_sums(conn)
    if moved.fresh:
        await fresh.post_entries(conn, blocks)
    if moved.others:
        await posting.post_entries(conn, blocks)
    await posting.add_sums(conn)


async def post_entries_only(
    conn: AsyncConnection, moved: Moved, blocks: Mapping[int, posting.Block]
) -> None:
    """The entries alone; who calls this adds up their sums later."""
    if moved.fresh:
        await fresh.post_entries_only(conn, blocks)
    if moved.others:
        await posting.post_entries_only(conn, blocks)


def block_of(block_id: int, producer: str, partition: int, at: datetime) -> posting.Block:
    """The block as its entries and rollups refer to it; the recorded day is the local one."""
    slot = _PRODUCERS[producer] * _SLOTS_PER_PRODUCER + partition % _SLOTS_PER_PRODUCER
    return posting.Block(block_id, at, local_date(at), slot)


def packed(messages: list[Message]) -> bytes:
    """Messages as the journal keeps them."""
    return zstandard.ZstdCompressor(_LEVEL).compress(_ENCODER.encode(messages))


def unpacked(payload: bytes) -> list[Message]:
    """The messages of a journal block."""
    return _DECODER.decode(zstandard.ZstdDecompressor().decompress(payload))


def check(facts: Sequence[Located]) -> None:
    """Refuse what no row can hold before any statement runs: BadMessage with the reason."""
    known: set[str | None] = {None}
    for located in facts:
        fact = located.fact
        if fact.delivery_id not in known:
            if not _is_uuid(fact.delivery_id):
                raise BadMessage(located.position, "delivery_id is not a UUID")
            known.add(fact.delivery_id)
        if not 0 < fact.revision < 2**31:
            raise BadMessage(located.position, "revision out of range")
        if "\0" in fact.subject or "\0" in fact.key:
            raise BadMessage(located.position, "subject or key contains a NUL character")


def _is_uuid(text: str | None) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _lines(
    stated: Iterable[_Stated],
    rounds: Mapping[Holder, int],
    units: Mapping[str, int],
    segments: Mapping[Segments, int],
) -> Iterator[Line]:
    """A holder named twice is none of those nobody knows: its second state has to find the
    first one's."""
    deliveries: dict[str | None, UUID | None] = {None: None}
    for round_no, (block_no, index, _, fact), position in stated:
        account, holder, subject, unit, segment, quantities, effective_on = position
        delivery = fact.delivery_id
        if delivery not in deliveries:
            deliveries[delivery] = UUID(delivery)
        likely = fact.revision == 1 and rounds[account, holder] == 1
        yield (
            block_no,
            index,
            fresh.ROUND if likely else round_no,
            int(account),
            holder,
            subject,
            units[unit],
            segments[segment],
            *quantities,
            effective_on,
            fact.revision,
            fact.correction or account in EVENT_ACCOUNTS,
            FACT_NUMBERS[type(fact)],
            fact.part,
            deliveries[delivery],
            fact.record_no,
        )
