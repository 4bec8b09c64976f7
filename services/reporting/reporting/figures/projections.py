"""Facts become positions, positions become entries: of holders nobody knew copied straight into
the ledger, of all others by one staged COPY and one statement per round.

A holder named several times in a batch is taken once per round, in order, so that where batches
are cut never changes a figure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
import zstandard
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.postings import FACT_NUMBERS, Counting, positions_of
from reporting.figures.rules import EVENT_ACCOUNTS, Position, Segments
from reporting.figures.store import fresh, moving, posting
from reporting.figures.store.fresh import Holder
from reporting.figures.store.moving import Line
from shared.bus import Message
from shared.events import Fact
from shared.inbox import BadMessage, FactBatch
from shared.periods import local_date

_PRODUCERS: Final = {"registration-feed": 0, "tax-feed": 1, "enrollment": 2, "reporting": 3}
_SLOTS_PER_PRODUCER: Final = 1024
_LEVEL: Final = 1
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Message])


class Located(NamedTuple):
    """A fact and where it stands: number of its block in this application, place in the block."""

    block_no: int
    place: int
    position: int
    fact: Fact


@dataclass(frozen=True, slots=True)
class Moved:
    """What has its new holdings and is to be posted: lines of holders nobody knew, and whether
    there are others, in the stage."""

    fresh: Sequence[Line]
    staged: bool


@dataclass
class _Stated:
    """What facts state: positions with their round, in order, and the rounds of each holder."""

    positions: list[tuple[int, Located, Position]] = field(default_factory=list)
    rounds: dict[Holder, int] = field(default_factory=dict)

    def add(self, located: Located, position: Position) -> None:
        key = (position.account, position.holder)
        self.rounds[key] = round_no = self.rounds.get(key, 0) + 1
        self.positions.append((round_no, located, position))


async def take_positions(
    conn: AsyncConnection, counting: Counting, facts: Sequence[Located]
) -> Moved | None:
    """Give the holders their new positions; what is then to be posted, None where nothing is.

    The caller holds the ledger's lock. Raises BadMessage for a fact no row can hold.
    """
    stated = _Stated()
    for located in facts:
        for position in positions_of(located.fact, counting):
            stated.add(located, position)
    if not stated.positions:
        return None
    units = await posting.unit_ids(conn, (p.unit for _, _, p in stated.positions))
    segments = await posting.segment_ids(conn, (p.segments for _, _, p in stated.positions))
    lines = list(_lines(stated, units, segments))
    new, others = _parted(lines, stated.rounds)
    if new and not await fresh.hold(conn, new):
        new, others = [], lines
    if others:
        await moving.stage_postings(conn, others)
        for round_no in range(1, max(stated.rounds.values()) + 1):
            await moving.move_holdings(conn, round_no)
    return Moved(new, bool(others))


def _parted(lines: list[Line], rounds: Mapping[Holder, int]) -> tuple[list[Line], list[Line]]:
    """Lines of holders that nobody should know, in the order of these, and the others, in theirs.

    A holder named twice is none of the first: its second state has to find the first one's.
    """
    new, others = [], []
    for line in lines:
        likely = fresh.is_first(line) and rounds[fresh.holder_of(line)] == 1
        (new if likely else others).append(line)
    new.sort(key=fresh.holder_of)
    return new, others


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
    totals = await posting.post_entries(conn, blocks) if moved.staged else {}
    if moved.fresh:
        await fresh.enter(conn, moved.fresh, blocks)
        rollups, added = fresh.sums_of(moved.fresh, blocks)
        await posting.add_rollups(conn, rollups)
        for key, quantities in added.items():
            posting.add(totals, key, quantities)
    await posting.add_day_totals(conn, totals)


async def post_entries_only(
    conn: AsyncConnection, moved: Moved, blocks: Mapping[int, posting.Block]
) -> None:
    """The entries alone; who calls this adds up their sums later."""
    if moved.staged:
        await posting.post_entries_only(conn, blocks)
    await fresh.enter(conn, moved.fresh, blocks)


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


def _lines(stated: _Stated, units: dict[str, int], segments: dict[Segments, int]) -> Iterator[Line]:
    deliveries: dict[str, UUID] = {}
    for round_no, (block_no, index, _, fact), position in stated.positions:
        delivery = fact.delivery_id
        if delivery is not None and delivery not in deliveries:
            deliveries[delivery] = UUID(delivery)
        yield (
            block_no,
            index,
            round_no,
            int(position.account),
            position.holder,
            position.subject,
            units[position.unit],
            segments[position.segments],
            *position.quantities,
            position.effective_on,
            fact.revision,
            fact.correction or position.account in EVENT_ACCOUNTS,
            FACT_NUMBERS[type(fact)],
            fact.part,
            None if delivery is None else deliveries[delivery],
            fact.record_no,
        )
