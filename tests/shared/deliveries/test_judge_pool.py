"""Judging in a worker process: the same verdicts, and a worker that dies is replaced."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest

from shared.crypto import Secrecy
from shared.deliveries.feed import DeliveryInfo
from shared.deliveries.judge import JudgePool, JudgeTask, StoredSegment, judge_segment
from shared.deliveries.spool import seal_segment
from shared.plan import Plan
from tests.shared.deliveries.made_service import Licence, judge_licences, licence, lines

DELIVERY = "0190a70a-15a0-7000-8000-000000000001"
COUNT = 1200


@pytest.fixture
def secrecy() -> Secrecy:
    return Secrecy({1: b"k" * 32}, {1: b"h" * 32})


@pytest.fixture
def task(secrecy: Secrecy) -> JudgeTask:
    records = [licence(no, capital="1.5") for no in range(COUNT)]
    records[500] = {"licence_no": "x"}
    body = seal_segment(secrecy, DELIVERY, 3, lines(*records))
    return JudgeTask(
        DeliveryInfo(
            DELIVERY, "business-licences", "tax", None, "2008-06", datetime(2008, 6, 10, tzinfo=UTC)
        ),
        date(2008, 6, 10),
        "ndjson",
        StoredSegment(3, 5001, COUNT, 0, 0, body),
        1000,
        Licence,
        judge_licences,
    )


@pytest.fixture
async def pool(secrecy: Secrecy) -> AsyncIterator[JudgePool]:
    pool = JudgePool(Plan.default(), secrecy, workers=1)
    yield pool
    await pool.close()


async def test_a_worker_judges_as_this_process_does_and_is_replaced_when_it_dies(
    pool: JudgePool, task: JudgeTask, secrecy: Secrecy
) -> None:
    here = judge_segment(task, Plan.default(), secrecy)
    assert len(here.rows) == COUNT - 1
    assert list(here.problems) == [5501]
    there = await pool.judge(task)
    assert (there.rows, there.problems) == (here.rows, here.problems)
    (worker,) = pool.worker_pids
    assert worker != os.getpid()
    os.kill(worker, signal.SIGKILL)
    again = await asyncio.wait_for(pool.judge(task), 60)
    assert again.rows == here.rows
    assert pool.worker_pids != [worker]


async def test_feeds_that_share_a_worker_that_dies_all_get_their_verdicts(
    pool: JudgePool, task: JudgeTask, secrecy: Secrecy
) -> None:
    """Each finds the worker gone; the second must not close what the first has started anew."""
    here = judge_segment(task, Plan.default(), secrecy)
    await pool.judge(task)
    for _ in range(3):
        (worker,) = pool.worker_pids
        os.kill(worker, signal.SIGSTOP)
        judging = [asyncio.create_task(pool.judge(task)) for _ in range(3)]
        await asyncio.sleep(0)
        os.kill(worker, signal.SIGKILL)
        found = await asyncio.wait_for(asyncio.gather(*judging), 60)
        assert [one.rows for one in found] == [here.rows] * 3


async def test_a_segment_that_was_moved_is_not_judged(
    pool: JudgePool, task: JudgeTask, secrecy: Secrecy
) -> None:
    moved = JudgeTask(
        task.delivery,
        task.today,
        task.reader,
        StoredSegment(4, 5001, COUNT, 0, 0, task.segment.body),
        1000,
        Licence,
        judge_licences,
    )
    with pytest.raises(Exception, match="changed or belongs elsewhere"):
        judge_segment(moved, Plan.default(), secrecy)
