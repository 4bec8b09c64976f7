"""The reading process seen from outside: started for one table, fed, listened to, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import sys
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any, Final

import msgspec

from shared.crypto import mask_within
from shared.deliveries.tables.spec import Batch, TableSpec
from shared.problems import problem

SIDE_BY_SIDE: Final = 2
"""So many tables are read at once by one process of the service; others wait their turn."""
SILENT_SECONDS: Final = 120.0
"""A reading process that is fed and says nothing for so long is given up."""
_MAX_FRAME: Final = 256 * 1024 * 1024
_PROGRAM: Final = "from shared.deliveries.tables.program import main; main()"

_turns: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


def _turn() -> asyncio.Semaphore:
    loop = asyncio.get_running_loop()
    for old in [one for one in _turns if one.is_closed()]:
        del _turns[old]
    return _turns.setdefault(loop, asyncio.Semaphore(SIDE_BY_SIDE))


_REFUSAL: Final = tuple[str, dict[str, str], dict[str, list[str]]]
_BATCH: Final = msgspec.msgpack.Decoder(Batch)


Rows = list[tuple[int, list[str]]]
_ROWS: Final = msgspec.msgpack.Decoder(Rows)


async def read_rows(spec: TableSpec, body: AsyncIterable[bytes]) -> AsyncGenerator[Rows, None]:
    """The rows of a table as they stand (``spec.rows_only``). Raises as ``read_table``."""
    async with contextlib.aclosing(_parts(spec, body)) as parts:
        async for kind, content in parts:
            if kind == b"r":
                yield _ROWS.decode(content)


async def read_table(
    spec: TableSpec, body: AsyncIterable[bytes]
) -> AsyncGenerator[Batch | dict[str, Any], None]:
    """Every batch of the table, then its summary. The body is taken in as fast as it is read.

    Raises a Problem for a table that is refused, for a process that ran out of memory or time,
    and whatever the body raises.
    """
    async with contextlib.aclosing(_parts(spec, body)) as parts:
        async for kind, content in parts:
            yield _BATCH.decode(content) if kind == b"b" else msgspec.json.decode(content)


async def _parts(
    spec: TableSpec, body: AsyncIterable[bytes]
) -> AsyncGenerator[tuple[bytes, bytes], None]:
    """Kind and content of every frame up to the summary."""
    async with _turn():
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _PROGRAM,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Nothing of this process's settings or secrets: only where its modules are.
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"},
        )
        feeding = asyncio.create_task(_feed(process, spec, body))
        try:
            async for part in _frames(process, feeding):
                yield part
            await feeding
        finally:
            feeding.cancel()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await feeding
            await process.wait()


async def _feed(
    process: asyncio.subprocess.Process, spec: TableSpec, body: AsyncIterable[bytes]
) -> None:
    if process.stdin is None:
        raise RuntimeError("the reading process has no input")
    said = msgspec.json.encode(spec)
    process.stdin.write(struct.pack(">I", len(said)) + said)
    async for data in body:
        # One that has ended says why itself; the body is read on, for it is kept as it came.
        with contextlib.suppress(ConnectionError):
            process.stdin.write(data)
            await process.stdin.drain()
    with contextlib.suppress(ConnectionError):
        process.stdin.close()
        await process.stdin.wait_closed()


async def _frames(
    process: asyncio.subprocess.Process, feeding: asyncio.Task[None]
) -> AsyncGenerator[tuple[bytes, bytes], None]:
    if process.stdout is None:
        raise RuntimeError("the reading process has no output")
    while True:
        header = await _awaited(process.stdout, 5, feeding)
        if header is None:
            raise problem("table-too-large", what="时间或内存 · time or memory", limit="—")
        (length,) = struct.unpack(">I", header[1:])
        if length > _MAX_FRAME:
            raise RuntimeError("the reading process talks nonsense")
        content = await _awaited(process.stdout, length, feeding)
        if content is None:
            raise problem("table-too-large", what="时间或内存 · time or memory", limit="—")
        if header[:1] == b"x":
            code, params, lists = msgspec.json.decode(content, type=_REFUSAL)
            extra = {name: [*map(mask_within, given)] for name, given in lists.items()}
            raise problem(code, extra=extra, **_masked(params))
        yield header[:1], content
        if header[:1] == b"s":
            return


def _masked(params: dict[str, str]) -> dict[str, Any]:
    return {name: mask_within(value) for name, value in params.items()}


async def _awaited(
    stream: asyncio.StreamReader, length: int, feeding: asyncio.Task[None]
) -> bytes | None:
    """So many bytes; None when the process ended or has been silent too long after all was said.

    A body that fails to arrive fails the reading.
    """
    reading = asyncio.ensure_future(stream.readexactly(length))
    try:
        if not feeding.done():
            await asyncio.wait({reading, feeding}, return_when=asyncio.FIRST_COMPLETED)
        if feeding.done():
            feeding.result()
        async with asyncio.timeout(SILENT_SECONDS if feeding.done() else None):
            return await reading
    except (asyncio.IncompleteReadError, TimeoutError):
        return None
    finally:
        reading.cancel()
