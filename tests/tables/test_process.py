"""The process that reads: its bounds, and what happens when it or the sender goes away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from shared.deliveries.tables import process
from shared.deliveries.tables.process import read_rows, read_table
from shared.deliveries.tables.spec import Batch
from shared.problems import Problem
from tests.tables.made import csv_of, spec_of, xlsx_of
from tests.tables.test_layout import HEADING, SAMPLE, A


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for one in given:
        yield one


def readers() -> list[int]:
    """Reading processes below this one."""
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (one / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid() and b"tables.program" in (one / "cmdline").read_bytes():
                found.append(int(one.name))
    return found


async def test_batches_come_while_the_body_does() -> None:
    arrived = asyncio.Event()
    rows = csv_of([[A, "甲", "1", "1"]] * 5000)

    async def body() -> AsyncIterator[bytes]:
        yield csv_of([HEADING]) + rows
        await asyncio.wait_for(arrived.wait(), 20)
        yield rows

    count = 0
    async with contextlib.aclosing(read_table(spec_of(), body())) as parts:
        async for part in parts:
            arrived.set()
            if isinstance(part, Batch):
                count += part.count
    assert count == 10_000


async def test_a_body_that_breaks_off_ends_the_reading() -> None:
    class Gone(Exception):
        pass

    async def body() -> AsyncIterator[bytes]:
        yield csv_of(SAMPLE)
        raise Gone

    with pytest.raises(Gone):
        async with contextlib.aclosing(read_table(spec_of(), body())) as parts:
            async for _ in parts:
                pass
    assert readers() == []


async def test_a_refusal_comes_with_its_words_and_the_body_is_taken_all_the_same() -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(40):
            sent += 1
            yield b"PK\x03\x04" + b"x" * 100_000

    with pytest.raises(Problem) as caught:
        async with contextlib.aclosing(read_table(spec_of(), body())) as parts:
            async for _ in parts:
                pass
    assert caught.value.code == "table-form-wrong"
    assert "XLSX" in caught.value.detail("zh")


async def test_a_process_that_is_killed_is_a_problem_not_a_hang() -> None:
    started = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield csv_of([HEADING, [A, "甲", "1", "1"]])
        started.set()
        await asyncio.sleep(30)
        yield b""

    async def kill() -> None:
        await started.wait()
        for pid in readers():
            os.kill(pid, signal.SIGKILL)

    killing = asyncio.create_task(kill())
    with pytest.raises(Problem) as caught:
        async with contextlib.aclosing(read_table(spec_of(), body())) as parts:
            async for _ in parts:
                pass
    await killing
    assert caught.value.code == "table-too-large"


async def test_a_process_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        process, "_PROGRAM", "import sys; sys.stdin.buffer.read(); import time; time.sleep(60)"
    )
    monkeypatch.setattr(process, "SILENT_SECONDS", 0.2)
    with pytest.raises(Problem) as caught:
        async with contextlib.aclosing(read_table(spec_of(), pieces(csv_of(SAMPLE)))) as parts:
            async for _ in parts:
                pass
    assert caught.value.code == "table-too-large"


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        process,
        "_PROGRAM",
        "from shared.deliveries.tables import program; program.MEMORY_BYTES = 400 * 1024 * 1024; "
        "program.Table = lambda spec, pieces: bytearray(500 * 1024 * 1024); program.main()",
    )
    with pytest.raises(Problem) as caught:
        async with contextlib.aclosing(read_table(spec_of(), pieces(csv_of(SAMPLE)))) as parts:
            async for _ in parts:
                pass
    assert caught.value.code == "table-too-large"
    assert caught.value.params["what"] == "内存 · memory"


async def test_the_process_gets_nothing_of_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_KEYS", "secret")
    monkeypatch.setattr(
        process,
        "_PROGRAM",
        "import os, struct, sys, json; sys.stdin.buffer.read(); "
        "told = {'reason': ','.join(sorted(os.environ))}; "
        "said = json.dumps(['table-damaged', told, {}]).encode(); "
        "sys.stdout.buffer.write(b'x' + struct.pack('>I', len(said)) + said)",
    )
    with pytest.raises(Problem) as caught:
        async with contextlib.aclosing(read_table(spec_of(), pieces(csv_of(SAMPLE)))) as parts:
            async for _ in parts:
                pass
    names = set(str(caught.value.params["reason"]).split(","))
    assert names <= {"LC_CTYPE", "PYTHONPATH", "PYTHONUTF8"}


async def test_rows_as_they_stand_hold_cells_of_every_kind() -> None:
    rows = [["号", "日", "是"], [12.5, date(2008, 6, 5), True]]
    spec = spec_of("xlsx", fields=(), sheet="表", rows_only=True)
    found = []
    async with contextlib.aclosing(read_rows(spec, pieces(xlsx_of(rows)))) as frames:
        async for frame in frames:
            found += frame
    assert found == [(1, ["号", "日", "是"]), (2, ["12.5", "2008-06-05", "是"])]


async def test_a_refusal_shows_no_identity_number() -> None:
    number = "210502198001011237"
    with pytest.raises(Problem) as caught:
        async with contextlib.aclosing(
            read_table(spec_of(), pieces(csv_of([["说明" * 4 + number, "乙"], ["1", "2"]])))
        ) as parts:
            async for _ in parts:
                pass
    assert caught.value.code == "table-heading-missing"
    seen = str(caught.value.params["seen"])
    assert "210502****" in seen
    assert "19800101" not in seen
