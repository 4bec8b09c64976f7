"""Taking in a body of any size with flat memory: cut, hashed, compressed, sealed.

While the body arrives only its current segment is in memory; finished segments wait, already
encrypted, in a temporary file (in memory up to a few megabytes) until all is known to be whole.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterable, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Final, Self

import zstandard

from shared.crypto import SealedColumn, Secrecy
from shared.deliveries.readers import Cut, Framing, Limits
from shared.problems import problem

IN_MEMORY_BYTES: Final = 4 * 1024 * 1024
_IN_LOOP_BYTES: Final = 512 * 1024
"""Up to here compressing and sealing takes half a millisecond; to a thread and back as long."""
_ZSTD_LEVEL: Final = 3


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A sealed segment and where it lies in the spool."""

    no: int
    first_record_no: int
    record_count: int
    head_bytes: int
    tail_bytes: int
    offset: int
    length: int

    @property
    def place(self) -> tuple[int, int, int, int, int]:
        """What is kept of it beside its bytes, in the order of ``delivery_segments``."""
        return self.no, self.first_record_no, self.record_count, self.head_bytes, self.tail_bytes


def seal_segment(secrecy: Secrecy, delivery_id: str, no: int, data: bytes) -> bytes:
    """Compressed, then encrypted and bound to its place."""
    packed = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(data)
    return secrecy.encrypt(packed, _place(delivery_id, no))


def open_segment(secrecy: Secrecy, delivery_id: str, no: int, sealed: bytes) -> bytes:
    """The sender's bytes; SecrecyError when they were changed or moved."""
    packed = secrecy.decrypt(sealed, _place(delivery_id, no))
    return zstandard.ZstdDecompressor().decompress(packed)


def _place(delivery_id: object, no: int) -> bytes:
    return f"delivery_segments/{delivery_id}/{no}".encode()


RAW_BODIES: Final = SealedColumn("delivery_segments", "body", ("delivery_id", "no"), _place)


@dataclass
class Spool:
    """A body on its way into the database. Use as a context: leaving it removes the file."""

    sha256: bytes = b""
    size: int = 0
    record_count: int = 0
    entries: list[SegmentEntry] = field(default_factory=list)
    only: bytes | None = None
    """The bytes of the segment, as long as there is but one."""
    _file: IO[bytes] = field(
        default_factory=lambda: tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115
    )

    def segments(self) -> Iterator[tuple[SegmentEntry, bytes]]:
        """Every segment with its sealed bytes, in order; may be called again."""
        for entry in self.entries:
            self._file.seek(entry.offset)
            yield entry, self._file.read(entry.length)

    def add(self, cut: Cut, sealed: bytes) -> None:
        """Append a finished segment."""
        self.only = None if self.entries else cut.data
        self._file.seek(0, 2)
        offset = self._file.tell()
        self._file.write(sealed)
        self.entries.append(
            SegmentEntry(
                len(self.entries),
                self.record_count + 1,
                cut.record_count,
                cut.head_bytes,
                cut.tail_bytes,
                offset,
                len(sealed),
            )
        )
        self.record_count += cut.record_count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


async def spool_body(
    chunks: AsyncIterable[bytes],
    spool: Spool,
    *,
    reader: Framing,
    limits: Limits,
    secrecy: Secrecy,
    delivery_id: str,
) -> None:
    """Read the body to its end into ``spool`` and check its framing.

    Raises a Problem (too long, cut off, malformed); the caller closes the spool either way.
    """
    digest = hashlib.sha256()
    splitter = reader.splitter(limits)

    async def keep(cuts: Iterable[Cut]) -> None:
        for cut in cuts:
            arguments = (secrecy, delivery_id, len(spool.entries), cut.data)
            if len(cut.data) > _IN_LOOP_BYTES:
                sealed = await asyncio.to_thread(seal_segment, *arguments)
            else:
                sealed = seal_segment(*arguments)
            spool.add(cut, sealed)

    async for data in chunks:
        if not data:
            continue
        spool.size += len(data)
        if spool.size > limits.body_bytes:
            raise problem("body-too-long", limit=limits.body_bytes)
        digest.update(data)
        await keep(splitter.feed(data))
    await keep(splitter.finish())
    spool.sha256 = digest.digest()
