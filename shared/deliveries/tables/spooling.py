"""A table on its way into the database: the sender's bytes as they came, and beside them the
records read from it, with what is to be said of each."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import zstandard

from shared.crypto import SealedColumn, Secrecy, mask_within
from shared.deliveries.readers import Cut, Limits
from shared.deliveries.spool import Spool, seal_segment
from shared.deliveries.tables.process import read_table
from shared.deliveries.tables.spec import Batch, Repair, TableSpec
from shared.deliveries.tables.texts import worded
from shared.problems import problem

ORIGINAL_BYTES: Final = 4 * 1024 * 1024
"""The sender's bytes are kept in pieces of this size."""


class Notes(msgspec.Struct, frozen=True, array_like=True):
    """What is to be said of the records of one segment: row in the sheet, repairs by index."""

    rows: list[int]
    repairs: dict[int, list[Repair]]


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


def _sealed(secrecy: Secrecy, place: bytes, data: bytes) -> bytes:
    return secrecy.encrypt(zstandard.ZstdCompressor(level=3).compress(data), place)


@dataclass
class TableSpool(Spool):
    """A spool that keeps the sender's bytes and the notes besides the segments."""

    reading: dict[str, Any] = field(default_factory=dict)
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


async def spool_table(
    chunks: AsyncIterable[bytes],
    spool: TableSpool,
    *,
    spec: TableSpec,
    limits: Limits,
    secrecy: Secrecy,
    delivery_id: str,
) -> None:
    """Read the table to its end into ``spool``. Raises a Problem for what cannot be read."""
    digest = hashlib.sha256()

    async def kept() -> AsyncIterator[bytes]:
        buffer = bytearray()
        async for data in chunks:
            spool.size += len(data)
            if spool.size > limits.body_bytes:
                raise problem("body-too-long", limit=limits.body_bytes)
            digest.update(data)
            buffer += data
            while len(buffer) >= ORIGINAL_BYTES:
                await keep(bytes(buffer[:ORIGINAL_BYTES]))
                del buffer[:ORIGINAL_BYTES]
            if data:
                yield data
        if buffer:
            await keep(bytes(buffer))

    async def keep(data: bytes) -> None:
        place = _original_place(delivery_id, spool.original_count)
        spool.keep_original(await asyncio.to_thread(_sealed, secrecy, place, data))

    async with contextlib.aclosing(read_table(spec, kept())) as parts:
        async for part in parts:
            if isinstance(part, Batch):
                await _keep_batch(spool, part, secrecy, delivery_id)
            else:
                spool.reading = _without_identities(worded(part))
    spool.sha256 = digest.digest()
    if spec.sheet is not None:
        spool.reading["sheet_asked"] = spec.sheet
    if spec.gzipped:
        spool.reading["content_encoding"] = "gzip"


async def _keep_batch(spool: TableSpool, batch: Batch, secrecy: Secrecy, delivery_id: str) -> None:
    no = len(spool.entries)
    sealed = await asyncio.to_thread(seal_segment, secrecy, delivery_id, no, batch.lines)
    spool.add(Cut(batch.lines, batch.count), sealed)
    notes = msgspec.msgpack.encode(Notes(batch.rows, batch.repairs))
    spool.keep_notes(_sealed(secrecy, _notes_place(delivery_id, no), notes))


def _without_identities(value: Any) -> Any:
    """A title or heading may hold an identity number by mistake."""
    if isinstance(value, str):
        return mask_within(value)
    if isinstance(value, list):
        return [_without_identities(one) for one in value]
    if isinstance(value, dict):
        return {name: _without_identities(one) for name, one in value.items()}
    return value
