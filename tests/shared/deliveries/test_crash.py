"""Whatever kills the worker, wherever: the next one ends with the same sums."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from shared.deliveries.api import pushing
from shared.deliveries.feed import ApplyContext, JudgedRow
from shared.deliveries.worker import DeliveryWorker, run_deliveries
from shared.events import Fact
from shared.settings import Settings
from tests.shared.deliveries import made_service
from tests.shared.deliveries.conftest import Door, until
from tests.shared.deliveries.made_service import KILL_AT, LICENCES_FEED, licence, lines

ROOT = Path(__file__).parents[3]


def mixed_body(count: int = 57) -> bytes:
    """Good, repeated, corrected, broken and held records over six chunks."""
    records: list[Any] = []
    for no in range(1, count + 1):
        match no % 7:
            case 3:
                records.append(licence(no - 2))
            case 4:
                records.append(licence(no - 1, capital=str(no)))
            case 5:
                records.append(b'{"licence_no": ')
            case 6:
                records.append(licence(no, shop_no="unknown"))
            case _:
                records.append(licence(no))
    return lines(*records)


async def outcome_of(door: Door) -> dict[str, Any]:
    """All that matters, without ids and moments."""
    (delivery,) = await door.rows("deliveries")
    facts: list[Fact] = await door.facts()
    return {
        "counts": {name: delivery[name] for name in delivery if name.endswith("_count")},
        "problems": delivery["problem_counts"],
        "status": delivery["status"],
        "state": [
            (row["natural_key"], row["revision"], row["record_no"], bytes(row["content_hash"]))
            for row in await door.rows("licences", "natural_key")
        ],
        "superseded": [
            (row["natural_key"], row["revision"], row["record_no"], row["superseded_by_no"])
            for row in await door.rows("superseded_versions", "natural_key, revision")
        ],
        "chunks": [bytes(row["dispositions"]) for row in await door.rows("delivery_chunks", "2")],
        "facts": sorted(
            (fact.kind, fact.subject.partition("delivery:")[0], fact.revision, fact.record_no or 0)
            for fact in facts
        ),
        "held": [(row["no"], row["waiting_for"]) for row in await door.rows("held_records", "2")],
    }


@pytest.fixture
async def undisturbed(door: Door) -> dict[str, Any]:
    """What the mixed body comes to when nothing happens; the database is clean again after."""
    await door.push(mixed_body())
    expected = await outcome_of(door)
    async with door.runtime.database.transaction() as conn:
        for table in reversed(made_service.METADATA.sorted_tables):
            await conn.execute(table.delete())
    return expected


class _Struck(Exception):
    """A worker's end, as a test wants it."""


class Lightning:
    """Strikes an apply the n-th time it comes by, once."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.calls = 0

    async def __call__(self, ctx: ApplyContext, rows: Sequence[JudgedRow]) -> None:
        self.calls += 1
        if self.calls == self.at:
            # As when the connection goes: nothing more can be said to the database.
            driver = (await ctx.conn.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.close()
            raise psycopg.OperationalError("struck")


class TestResume:
    async def test_after_every_chunk(self, door: Door, undisturbed: dict[str, Any]) -> None:
        await door.post(mixed_body())
        while await (await door.fresh_worker()).step(LICENCES_FEED):
            pass
        assert await outcome_of(door) == undisturbed

    @pytest.mark.parametrize("chunk", [1, 3, 6])
    async def test_inside_a_chunk(
        self, door: Door, undisturbed: dict[str, Any], chunk: int
    ) -> None:
        await door.post(mixed_body())
        made_service.seams.append(Lightning(chunk))
        with pytest.raises(Exception, match=r"struck|closed"):
            await door.worker.drain()
        await (await door.fresh_worker()).drain()
        assert await outcome_of(door) == undisturbed

    async def test_cancelled_inside_a_chunk(self, door: Door, undisturbed: dict[str, Any]) -> None:
        await door.post(mixed_body())
        inside, never = asyncio.Event(), asyncio.Event()

        async def hang(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> None:
            if rows[0].no > 20 and not inside.is_set():
                inside.set()
                await never.wait()

        made_service.seams.append(hang)
        work = asyncio.create_task(door.worker.drain())
        await asyncio.wait_for(inside.wait(), 20)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await (await door.fresh_worker()).drain()
        assert await outcome_of(door) == undisturbed

    async def test_killed_inside_a_chunk(
        self, door: Door, made_settings: Settings, undisturbed: dict[str, Any]
    ) -> None:
        await door.post(mixed_body())
        for record_no in (1, 22, 57):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.shared.deliveries.drain_once",
                made_settings.model_dump_json(include={"data_dir", "chunk_records"}),
                cwd=ROOT,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), *sys.path))),
                    "DATABASE_URL": secret(made_settings.database_url),
                    "DATA_KEYS": secret(made_settings.data_keys),
                    "HASH_KEYS": secret(made_settings.hash_keys),
                    KILL_AT: str(record_no),
                },
            )
            assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
        (delivery,) = await door.rows("deliveries")
        assert (delivery["next_chunk"], delivery["status"]) == (5, "judging")
        await (await door.fresh_worker()).drain()
        assert await outcome_of(door) == undisturbed


def secret(value: Any) -> str:
    text: str = value.get_secret_value()
    return text


class TestTwoWorkers:
    async def test_share_a_feed_without_doing_anything_twice(
        self, door: Door, undisturbed: dict[str, Any]
    ) -> None:
        await door.post(mixed_body())
        other = DeliveryWorker(door.runtime)
        try:
            for _ in range(50):
                await asyncio.gather(door.worker.step(LICENCES_FEED), other.step(LICENCES_FEED))
        finally:
            await other.close()
        assert await outcome_of(door) == undisturbed


async def shows(door: Door, delivery_id: str, **wanted: Any) -> bool:
    delivery = await door.delivery(delivery_id)
    return all(delivery[name] == value for name, value in wanted.items())


class TestRunning:
    async def test_wakes_by_itself_goes_on_after_trouble_and_stops(self, door: Door) -> None:
        stop = asyncio.Event()
        made_service.seams.append(Lightning(2))
        running = asyncio.create_task(run_deliveries(door.runtime, stop))
        answer = await door.post(mixed_body(), wait=30)
        assert answer.status_code == 201
        assert answer.json()["sent"] == 57
        stop.set()
        await asyncio.wait_for(running, 20)

    async def test_who_waits_for_the_receipt_is_told_without_looking(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for look in ("_FIRST_LOOK_SECONDS", "_LAST_LOOK_SECONDS"):
            monkeypatch.setattr(pushing, look, 1000.0)
        stop = asyncio.Event()
        running = asyncio.create_task(run_deliveries(door.runtime, stop))
        async with asyncio.timeout(30):
            answer = await door.post(lines(licence(1)), wait=60)
        assert answer.status_code == 201
        stop.set()
        await asyncio.wait_for(running, 20)

    async def test_a_fault_of_ours_is_shown_and_nothing_is_skipped(self, door: Door) -> None:
        broken = True

        async def fault(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> None:
            if broken:
                raise KeyError("210502196801010017")

        made_service.seams.append(fault)
        delivery_id = (await door.post(mixed_body(30))).json()["delivery"]
        stop = asyncio.Event()
        running = asyncio.create_task(door.worker.work(LICENCES_FEED, stop))

        await until(lambda: shows(door, delivery_id, hindered=True))
        (row,) = await door.rows("deliveries")
        assert (row["failure"], row["next_chunk"]) == ("KeyError", 0)
        broken = False

        await until(lambda: shows(door, delivery_id, hindered=False, status="done"))
        stop.set()
        await asyncio.wait_for(running, 20)


class TestPoison:
    async def test_one_record_the_database_refuses_is_the_only_one_rejected(
        self, door: Door
    ) -> None:
        records = [licence(no) for no in range(1, 21)]
        records[7]["capital"] = "9" * 25
        receipt = (await door.push(lines(*records)))["receipt"]
        assert (receipt["applied"], receipt["rejected"]) == (19, 1)
        assert receipt["problems"] == {"record-unusable": 1}
        assert receipt["first_problems"][0]["no"] == 8
        assert len(await door.rows("licences")) == 19

    async def test_a_lone_record_the_database_refuses_is_rejected(self, door: Door) -> None:
        receipt = (await door.push(lines(licence(1, capital="9" * 25))))["receipt"]
        assert (receipt["applied"], receipt["rejected"]) == (0, 1)

    async def test_one_record_the_judge_breaks_on_is_the_only_one_rejected(
        self, door: Door
    ) -> None:
        records = [licence(no) for no in range(1, 21)]
        records[12]["name"] = "break the judge"
        receipt = (await door.push(lines(*records)))["receipt"]
        assert (receipt["applied"], receipt["rejected"]) == (19, 1)
        assert receipt["first_problems"][0]["no"] == 13


def test_messages_are_what_the_body_says() -> None:
    assert len(mixed_body().splitlines()) == 57
    assert msgspec.json.decode(mixed_body().splitlines()[0])["licence_no"] == "1"
