"""A table on its way into the database: the sender's bytes as they came, and beside them the
records read from it, with what is to be said of each."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec
import zstandard

from shared.clock import Clock
from shared.crypto import SealedColumn, Secrecy, mask_within
from shared.deliveries.numbers import NumberNote
from shared.deliveries.readers import Cut, Framing, Limits
from shared.deliveries.spool import Spool, seal_segment, spool_body
from shared.deliveries.tables.decoding import Inflater
from shared.deliveries.tables.process import read_table
from shared.deliveries.tables.spec import Batch, Repair, TableRefused, TableSpec
from shared.deliveries.tables.texts import worded
from shared.problems import problem

ORIGINAL_BYTES: Final = 4 * 1024 * 1024
"""The sender's bytes are kept in pieces of this size."""


class Notes(msgspec.Struct, frozen=True, array_like=True):
    """What is to be said of the records of one segment, by index: row in the sheet (none where it
    is no table's), repairs, and what is to be noted of numbers."""

    rows: list[int]
    repairs: dict[int, list[Repair]]
    notes: dict[int, list[NumberNote]] = {}


def _original_place(delivery_id: object, no: int) -> bytes:
    return f"delivery_originals/{delivery_id}/{no}".encode()


def _notes_place(delivery_id: object, no: int) -> bytes:
    return f"delivery_notes/{delivery_id}/{no}".encode()


ORIGINALS: Final = SealedColumn(
    "delivery_originals", "body", ("delivery_id", "no"), _original_place
)
NOTES: Final = SealedColumn("delivery_notes", "body", ("delivery_id", "no"), _notes_place)


def open_original(secrecy: Secrecy, delivery_id: object, no: int, sealed: bytes) -> bytes:
    """A piece of the sender's bytes; SecrecyError when it was changed or moved."""
    packed = secrecy.decrypt(sealed, _original_place(delivery_id, no))
    return zstandard.ZstdDecompressor().decompress(packed)


_NOTES_DECODER: Final = msgspec.msgpack.Decoder(Notes)


def open_notes(secrecy: Secrecy, delivery_id: object, no: int, sealed: bytes) -> Notes:
    """The notes of a segment."""
    packed = secrecy.decrypt(sealed, _notes_place(delivery_id, no))
    return _NOTES_DECODER.decode(zstandard.ZstdDecompressor().decompress(packed))


def seal_notes(secrecy: Secrecy, delivery_id: object, no: int, notes: Notes) -> bytes:
    """The notes of a segment as they are kept."""
    return _sealed(secrecy, _notes_place(delivery_id, no), msgspec.msgpack.encode(notes))


def _sealed(secrecy: Secrecy, place: bytes, data: bytes) -> bytes:
    return secrecy.encrypt(zstandard.ZstdCompressor(level=3).compress(data), place)


@dataclass
class TableSpool(Spool):
    """A spool that keeps the sender's bytes and the notes besides the segments."""

    reading: dict[str, Any] = field(default_factory=dict)
    arrived_at: datetime | None = None
    """When the last byte was here, where reading took its time afterwards."""
    _originals: list[tuple[int, int]] = field(default_factory=list)
    _notes: list[tuple[int, int]] = field(default_factory=list)

    def keep_original(self, sealed: bytes) -> None:
        self._originals.append(self._append(sealed))

    def keep_notes(self, sealed: bytes) -> None:
        self._notes.append(self._append(sealed))

    def originals(self) -> Iterator[tuple[int, bytes]]:
        """Number and sealed bytes of every piece, in order."""
        return self._read(self._originals)

    def notes(self) -> Iterator[tuple[int, bytes]]:
        """Segment number and sealed notes, in order."""
        return self._read(self._notes)

    def original(self, no: int) -> bytes:
        """One sealed piece."""
        offset, length = self._originals[no]
        self._file.seek(offset)
        return self._file.read(length)

    @property
    def original_count(self) -> int:
        return len(self._originals)

    def _append(self, sealed: bytes) -> tuple[int, int]:
        self._file.seek(0, 2)
        offset = self._file.tell()
        self._file.write(sealed)
        return offset, len(sealed)

    def _read(self, places: list[tuple[int, int]]) -> Iterator[tuple[int, bytes]]:
        for no, (offset, length) in enumerate(places):
            self._file.seek(offset)
            yield no, self._file.read(length)


class _Kept:
    """The sender's bytes, passed on while they are hashed and kept as they came."""

    def __init__(
        self, spool: TableSpool, limits: Limits, secrecy: Secrecy, delivery_id: str
    ) -> None:
        self._spool, self._limit = spool, limits.body_bytes
        self._secrecy, self._delivery_id = secrecy, delivery_id
        self._digest = hashlib.sha256()
        self._size = 0

    async def passed_on(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        buffer = bytearray()
        async for data in chunks:
            self._size += len(data)
            if self._size > self._limit:
                raise problem("body-too-long", limit=self._limit)
            self._digest.update(data)
            buffer += data
            while len(buffer) >= ORIGINAL_BYTES:
                await self._keep(bytes(buffer[:ORIGINAL_BYTES]))
                del buffer[:ORIGINAL_BYTES]
            if data:
                yield data
        if buffer:
            await self._keep(bytes(buffer))

    async def _keep(self, data: bytes) -> None:
        place = _original_place(self._delivery_id, self._spool.original_count)
        sealed = await asyncio.to_thread(_sealed, self._secrecy, place, data)
        self._spool.keep_original(sealed)

    def finish(self) -> None:
        """Size and hash of the spool are those of what was sent."""
        self._spool.size, self._spool.sha256 = self._size, self._digest.digest()


async def spool_table(
    chunks: AsyncIterable[bytes],
    spool: TableSpool,
    *,
    spec: TableSpec,
    limits: Limits,
    secrecy: Secrecy,
    delivery_id: str,
    clock: Clock,
) -> None:
    """Take the body in and then read the table to its end into ``spool``.

    In that order: tables wait for each other's turn, and nobody should wait for a slow sender.
    Raises a Problem for what cannot be read.
    """
    kept = _Kept(spool, limits, secrecy, delivery_id)
    async for _ in kept.passed_on(chunks):
        pass
    kept.finish()
    spool.arrived_at = clock.now()
    body = _originals(spool, secrecy, delivery_id)
    async with contextlib.aclosing(read_table(spec, body)) as parts:
        async for part in parts:
            if isinstance(part, Batch):
                await _keep_batch(spool, part, secrecy, delivery_id)
            else:
                spool.reading = _without_identities(worded(part))
    if spec.sheet is not None:
        spool.reading["sheet_asked"] = mask_within(spec.sheet)
    if spec.gzipped:
        spool.reading["content_encoding"] = "gzip"


async def _originals(spool: TableSpool, secrecy: Secrecy, delivery_id: str) -> AsyncIterator[bytes]:
    for no in range(spool.original_count):
        sealed = spool.original(no)
        yield await asyncio.to_thread(open_original, secrecy, delivery_id, no, sealed)


async def spool_packed(
    chunks: AsyncIterable[bytes],
    spool: TableSpool,
    *,
    reader: Framing,
    limits: Limits,
    secrecy: Secrecy,
    delivery_id: str,
) -> None:
    """A gzip body of records: kept as it came, cut as what it holds. At most ``body_bytes``
    either way. Raises a Problem as ``spool_body``, and for a stream that is cut off."""
    kept = _Kept(spool, limits, secrecy, delivery_id)
    await spool_body(
        _inflated(kept.passed_on(chunks)),
        spool,
        reader=reader,
        limits=limits,
        secrecy=secrecy,
        delivery_id=delivery_id,
    )
    kept.finish()
    spool.reading = {"content_encoding": "gzip"}


async def _inflated(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    inflater = Inflater()
    try:
        async for piece in pieces:
            for data in inflater.feed(piece):
                yield data
                # A few bytes may hold very many: others get their turn in between.
                await asyncio.sleep(0)
        inflater.finish()
    except TableRefused as refused:
        raise problem(refused.code, **dict[str, Any](refused.params)) from refused


async def _keep_batch(spool: TableSpool, batch: Batch, secrecy: Secrecy, delivery_id: str) -> None:
    no = len(spool.entries)
    sealed = await asyncio.to_thread(seal_segment, secrecy, delivery_id, no, batch.lines)
    spool.add(Cut(batch.lines, batch.count), sealed)
    spool.keep_notes(seal_notes(secrecy, delivery_id, no, Notes(batch.rows, batch.repairs)))


def _without_identities(value: Any) -> Any:
    """A title or heading may hold an identity number by mistake."""
    if isinstance(value, str):
        return mask_within(value)
    if isinstance(value, list):
        return [_without_identities(one) for one in value]
    if isinstance(value, dict):
        return {name: _without_identities(one) for name, one in value.items()}
    return value
