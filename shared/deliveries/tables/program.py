"""The process that reads tables: bounded in memory and time, without settings or secrets.

Its input is the length (4 bytes, big-endian) and JSON of a ``TableSpec``, then the body to the
end of file. Its output are frames: one letter, length (4 bytes), content. ``b`` a batch
(MessagePack), ``r`` rows as they stand (MessagePack), ``s`` the summary (JSON), ``x`` a refusal
(JSON: code, params, lists).
"""

from __future__ import annotations

import contextlib
import resource
import struct
import sys
from collections.abc import Iterator
from typing import IO, Final

import msgspec

from shared.deliveries.tables.reading import Table
from shared.deliveries.tables.spec import TableRefused, TableSpec

MEMORY_BYTES: Final = 1024 * 1024 * 1024
"""Address space; what the interpreter maps without using is part of it."""
CPU_SECONDS: Final = 600
_PIECE: Final = 256 * 1024


def main() -> None:
    """Read one table from standard input; whatever happens, say how it ended."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source, out = sys.stdin.buffer, sys.stdout.buffer
    try:
        (length,) = struct.unpack(">I", source.read(4))
        spec = msgspec.json.decode(source.read(length), type=TableSpec)
        table = Table(spec, _pieces(source))
        if spec.rows_only:
            for rows in table.plain_rows():
                _write(out, b"r", msgspec.msgpack.encode(rows))
        for batch in table.batches():
            _write(out, b"b", msgspec.msgpack.encode(batch))
        _write(out, b"s", msgspec.json.encode(table.summary()))
    except TableRefused as refused:
        _write(out, b"x", msgspec.json.encode((refused.code, refused.params, refused.lists)))
    except MemoryError:
        params = {"what": "内存 · memory", "limit": str(MEMORY_BYTES)}
        _write(out, b"x", msgspec.json.encode(("table-too-large", params, {})))
    except Exception as error:
        params = {"reason": type(error).__name__}
        _write(out, b"x", msgspec.json.encode(("table-damaged", params, {})))
    # Whoever sends on is not left with a broken pipe.
    with contextlib.suppress(OSError):
        for _ in _pieces(source):
            pass


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read1(_PIECE):  # type: ignore[attr-defined]
        yield piece


def _write(out: IO[bytes], kind: bytes, content: bytes) -> None:
    out.write(kind + struct.pack(">I", len(content)) + content)
    out.flush()


if __name__ == "__main__":
    main()
