"""Judging a segment: opened, decoded, judged by the feed; in a worker process when it is large.

Judging is pure, so it may be done ahead of its turn, again after a crash, or elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any, Final, Self

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.crypto import Secrecy
from shared.deliveries.columns import packed, unpacked
from shared.deliveries.feed import (
    DeliveryInfo,
    Judge,
    JudgeContext,
    JudgedTuple,
    RowProblem,
    Verdict,
)
from shared.deliveries.fresh import Prepared, Preparing, prepare
from shared.deliveries.numbers import Remarks, decode_numbered, judge_records
from shared.deliveries.readers import LINE_FORMS, READERS, TABLE_FORMS, Cut
from shared.deliveries.shape import decode_lines
from shared.deliveries.spool import SegmentEntry, open_segment
from shared.deliveries.tables.refused import with_cell_faults
from shared.pace import collect_seldom
from shared.plan import Plan

IN_PROCESS_RECORDS: Final = 500
"""Segments of up to so many records are judged where they are, within some ten milliseconds:
a trip to the worker costs more."""

PART_RECORDS: Final = 500
"""A prepared part has about so many records, where there are as many."""
MOST_PARTS: Final = 5
NEXT_PART: Final = 0.75
"""How large a part is against the one before: writing takes less time than judging, and while the
last one is written nothing is judged any more."""


@cache
def _shares(parts: int) -> tuple[float, ...]:
    """Of so many parts, each smaller than the one before."""
    sizes = [NEXT_PART**no for no in range(parts)]
    return tuple(size / sum(sizes) for size in sizes)


@dataclass(frozen=True)
class StoredSegment:
    """A segment as the database keeps it."""

    no: int
    first_record_no: int
    record_count: int
    head_bytes: int
    tail_bytes: int
    body: bytes

    @classmethod
    def of(cls, entry: SegmentEntry, sealed: bytes) -> Self:
        """One that is still in the spool, as the database will keep it."""
        return cls(*entry.place, sealed)


@dataclass(frozen=True)
class JudgeTask:
    """All that judging one segment takes, but for plan and secrets. Picklable."""

    delivery: DeliveryInfo
    today: date
    reader: str
    segment: StoredSegment
    max_record_bytes: int
    record: type[msgspec.Struct]
    judge: Judge
    only: frozenset[int] | None = None
    """Judge these record numbers only; None for all."""
    data: bytes | None = None
    """The segment opened, where whoever asks has it; None: ``segment.body`` is."""
    preparing: Preparing | None = None
    """Give the rows prepared, where no key stands twice; None: give them as they are."""

    def parts(self, preparing: Preparing, data: bytes) -> list[JudgeTask]:
        """The same in pieces, prepared: one is written while the next is judged. ``data``: the
        segment opened."""
        segment = self.segment
        cut = Cut(data, segment.record_count, segment.head_bytes, segment.tail_bytes)
        shares = _shares(max(min(segment.record_count // PART_RECORDS, MOST_PARTS), 1))
        parts, no = [], segment.first_record_no
        for piece in READERS[self.reader].pieces(cut, shares):
            part = replace(segment, first_record_no=no, record_count=piece.record_count, body=b"")
            parts.append(replace(self, segment=part, data=piece.data, preparing=preparing))
            no += piece.record_count
        return parts


@dataclass
class Judged:
    """What judging a segment came to; rows in record order, every record in one of the two."""

    rows: list[JudgedTuple] = field(default_factory=list)
    """None where they are ``prepared``."""
    problems: dict[int, tuple[RowProblem, ...]] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    """Records the feed's judge broke down on (a fault of ours): number → kind of error."""
    prepared: Prepared | None = None
    remarks: dict[int, Remarks] = field(default_factory=dict)
    """What is to be said of numbers, by record number; of refused records too."""

    def __reduce__(self) -> tuple[Any, ...]:
        found = (self.problems, self.failures, self.prepared, self.remarks)
        return _judged, (packed(self.rows), *found)


def _judged(
    rows: bytes,
    problems: dict[int, tuple[RowProblem, ...]],
    failures: dict[int, str],
    prepared: Prepared | None,
    remarks: dict[int, Remarks],
) -> Judged:
    return Judged(unpacked(rows), problems, failures, prepared, remarks)


def records_of(
    secrecy: Secrecy, delivery_id: str, reader: str, segment: StoredSegment
) -> list[tuple[int, bytes]]:
    """Number and text of every record of a segment."""
    data = open_segment(secrecy, delivery_id, segment.no, bytes(segment.body))
    return list(enumerate(_texts(delivery_id, reader, segment, data), segment.first_record_no))


def _texts(delivery_id: str, reader: str, segment: StoredSegment, data: bytes) -> Sequence[bytes]:
    texts = READERS[reader].records(data, segment.head_bytes, segment.tail_bytes)
    if len(texts) != segment.record_count:
        raise RuntimeError(f"segment {segment.no} of {delivery_id} reads differently than it was")
    return texts


def judge_segment(task: JudgeTask, plan: Plan, secrecy: Secrecy) -> Judged:
    """Judge the records of one segment. Pure; raises SecrecyError for a damaged segment."""
    judged = Judged()
    good = _decoded(task, secrecy, judged)
    ctx = JudgeContext(task.delivery, plan, secrecy, task.today)
    for (no, _), verdict in zip(good, _verdicts(task, good, ctx, judged), strict=True):
        if verdict is None:
            continue
        key, row, digest, problems = verdict
        if problems:
            judged.problems[no] = problems
        else:
            judged.rows.append((no, key, digest, row))
    if task.preparing is not None and judged.rows:
        # Should it break down, the apply finds out which record is to blame.
        with contextlib.suppress(Exception):
            judged.prepared = prepare(task.preparing, task.delivery, judged.rows)
        if judged.prepared is not None:
            judged.rows = []
    return judged


def _decoded(task: JudgeTask, secrecy: Secrecy, judged: Judged) -> list[tuple[int, msgspec.Struct]]:
    """Number and record of those of the right shape; ``judged`` gets what is wrong with others."""
    delivery_id, segment, limit = task.delivery.id, task.segment, task.max_record_bytes
    data = task.data
    if data is None:
        data = open_segment(secrecy, delivery_id, segment.no, bytes(segment.body))
    if task.only is None and task.reader in LINE_FORMS:
        records = decode_lines(task.record, data, segment.record_count, limit)
        if records is not None:
            return list(enumerate(records, segment.first_record_no))
    numbered = list(
        enumerate(_texts(delivery_id, task.reader, segment, data), segment.first_record_no)
    )
    if task.only is not None:
        numbered = [(no, text) for no, text in numbered if no in task.only]
    texts = [text for _, text in numbered]
    decoded, repairs = decode_numbered(task.record, texts, limit)
    judged.remarks = {numbered[at][0]: Remarks(made, []) for at, made in repairs.items()}
    if task.reader in TABLE_FORMS:
        decoded = with_cell_faults(task.record, texts, decoded, limit)
    good: list[tuple[int, msgspec.Struct]] = []
    for (no, _), result in zip(numbered, decoded, strict=True):
        if isinstance(result, tuple):
            judged.problems[no] = result
        else:
            good.append((no, result))
    return good


def _verdicts(
    task: JudgeTask,
    good: Sequence[tuple[int, msgspec.Struct]],
    ctx: JudgeContext,
    judged: Judged,
) -> list[Verdict | None]:
    """The feed's verdicts; should its judge break down, record by record to find which one."""
    try:
        verdicts, remarks = judge_records(task.judge, [record for _, record in good], ctx)
        if len(verdicts) == len(good):
            for at, said in remarks.items():
                judged.remarks[good[at][0]] = said.after(judged.remarks.get(good[at][0]))
            return list(verdicts)
    except Exception as error:
        if len(good) == 1:
            no = good[0][0]
            judged.failures[no] = type(error).__name__
            judged.problems[no] = (unusable(task.delivery.id, no),)
            return [None]
    else:
        if len(good) == 1:
            raise RuntimeError(f"the judge of {task.delivery.feed} gives not one verdict each")
    return [verdict for one in good for verdict in _verdicts(task, [one], ctx, judged)]


def unusable(delivery_id: str, no: int) -> RowProblem:
    """The problem of a record we could not process, through a fault of ours."""
    return RowProblem("record-unusable", "", {"reference": f"{delivery_id[:8]}-{no}"})


class Judging:
    """A segment being judged: prepared in parts for a feed that has a quick way, or whole."""

    def __init__(
        self, pool: JudgePool, task: JudgeTask, preparing: Preparing | None, data: bytes = b""
    ) -> None:
        """``data``: the segment opened, where it is to be prepared."""
        self.segment = task.segment
        self.preparing = preparing
        self.all_new = False
        """Whether every key turned out to be new; set by whoever applied it."""
        self._pool, self._task, self._data = pool, task, data
        self._parts: list[asyncio.Task[Judged]] = []
        if preparing is None:
            self._begin([task])
        elif preparing.fresh.ahead is None:
            self._begin(task.parts(preparing, data))

    async def begin(self, conn: AsyncConnection) -> None:
        """Begin what has to know of the state first; all else began at once."""
        if self._parts or self.preparing is None or self.preparing.fresh.ahead is None:
            return
        first = self.segment.first_record_no
        numbers = range(first, first + self.segment.record_count)
        ahead = await self.preparing.fresh.ahead(conn, numbers, self._data)
        self.preparing = replace(self.preparing, ahead=ahead)
        self._begin(self._task.parts(self.preparing, self._data))

    def _begin(self, tasks: Sequence[JudgeTask]) -> None:
        count = self.segment.record_count
        self._parts = [asyncio.create_task(self._pool.judge(one, of=count)) for one in tasks]

    async def parts(self) -> AsyncIterator[Judged]:
        """The prepared parts in order, each as soon as it is judged."""
        for part in self._parts:
            yield await part

    async def whole(self) -> Judged:
        """The segment with its rows as they are: judged again if it was in parts."""
        if self.preparing is None:
            return await self._parts[0]
        await self.drop()
        return await self._pool.judge(self._task)

    def cancel(self) -> None:
        """Nobody wants it any more."""
        for part in self._parts:
            part.cancel()

    async def drop(self) -> None:
        """``cancel`` and wait for the end of what was under way."""
        self.cancel()
        await asyncio.gather(*self._parts, return_exceptions=True)


class JudgePool:
    """Worker processes that judge, started with the first large segment.

    With ``workers`` 0, and for small segments, judging is done in this process.
    """

    def __init__(self, plan: Plan, secrecy: Secrecy, workers: int) -> None:
        self._plan = plan
        self._secrecy = secrecy
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._starting = asyncio.Lock()

    async def judge(self, task: JudgeTask, of: int = 0) -> Judged:
        """Judge one segment, or a part of one of so many records. A worker that died is replaced
        and the segment judged again once."""
        if max(of, task.segment.record_count) <= IN_PROCESS_RECORDS:
            return judge_segment(task, self._plan, self._secrecy)
        if self._workers == 0:
            return await asyncio.to_thread(judge_segment, task, self._plan, self._secrecy)
        pool = await self._running()
        try:
            return await self._in_worker(pool, task)
        except BrokenProcessPool:
            # Whoever shares it finds out too: only the first may close it, or the second would
            # close the new one over what the first has given it.
            if self._pool is pool:
                await self.close()
        return await self._in_worker(await self._running(), task)

    async def _running(self) -> ProcessPoolExecutor:
        async with self._starting:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(
                    self._workers,
                    # Never fork: the parent runs threads and holds database connections.
                    mp_context=multiprocessing.get_context("spawn"),
                    initializer=_start_worker,
                    initargs=(self._plan, self._secrecy),
                )
            return self._pool

    async def _in_worker(self, pool: ProcessPoolExecutor, task: JudgeTask) -> Judged:
        if len(pool._processes) < self._workers:
            async with self._starting:
                # It may start a process, which blocks until that has read the plan.
                future = await asyncio.to_thread(pool.submit, _judge_in_worker, task)
        else:
            future = pool.submit(_judge_in_worker, task)
        return await asyncio.wrap_future(future)

    @property
    def worker_pids(self) -> list[int]:
        """The worker processes running now; for operators and tests."""
        return [] if self._pool is None else list(self._pool._processes)

    async def close(self) -> None:
        """Let the workers go, once they have judged what they have begun. May be called twice."""
        pool, self._pool = self._pool, None
        if pool is not None:
            # Waited for: a pool that is still ending when the interpreter ends complains of it.
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)


_worker: tuple[Plan, Secrecy] | None = None


def _start_worker(plan: Plan, secrecy: Secrecy) -> None:
    global _worker  # noqa: PLW0603 - the one state of a worker process, set once
    _worker = (plan, secrecy)
    collect_seldom()
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """A killed parent cannot tell its workers to end: they notice themselves."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def _judge_in_worker(task: JudgeTask) -> Judged:
    assert _worker is not None  # noqa: S101 - set by the initializer
    return judge_segment(task, *_worker)
