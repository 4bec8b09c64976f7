"""A full disk, below PostgreSQL's data, below its log, and below a body being taken in."""

import asyncio
import errno
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import psycopg
import pytest

from kuomian.city import Planned
from kuomian.city.sending import ndjson
from shared.clock import DemoClock
from shared.embedded import EmbeddedPostgres
from tests.conftest import TEST_OPTIONS, PostgresForTests
from tests.faults.city_under_load import (
    BOUND_SECONDS,
    OPENING,
    PORTION,
    CityUnderLoad,
    chance,
    city_under_load,
    embedded_bus,
    first_of,
    is_clear,
    migrated,
    more_receipts,
    the_city,
)
from tests.faults.conftest import Faults
from tests.faults.disks import Disk, small_disk

# A log that grows by the segment, kept and recycled as little as the server allows.
OPTIONS = {
    **TEST_OPTIONS,
    # What was answered for must outlive a server that falls over.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_wal_size": "32MB",
    "min_wal_size": "32MB",
    "max_connections": "100",
}


@dataclass(frozen=True)
class OnDisks:
    """A city whose PostgreSQL has its data on one small disk and its log on another."""

    city: CityUnderLoad
    server: EmbeddedPostgres
    data: Disk
    log: Disk


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="kuomian-disks-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
async def disks(folder: Path) -> AsyncIterator[OnDisks]:
    """Mounted before the server starts, emptied and unmounted after it stopped."""
    with small_disk(folder / "data", 320) as data, small_disk(folder / "log", 160) as log:
        server = EmbeddedPostgres(data.folder, OPTIONS)
        await asyncio.to_thread(server.start)
        await asyncio.to_thread(server.stop)
        _move_log(data.folder / "postgres" / "pg_wal", log.folder / "pg_wal")
        await asyncio.to_thread(server.start)
        try:
            urls = await migrated(PostgresForTests(server))
            own = folder / "city"
            own.mkdir()
            async with city_under_load(urls, own, embedded_bus(urls)) as city:
                await city.push(OPENING)
                yield OnDisks(city, server, data, log)
        finally:
            for disk in (data, log):
                disk.make_room()
            server.kill()


def _move_log(own: Path, elsewhere: Path) -> None:
    owner = own.stat()
    shutil.move(own, elsewhere)
    own.symlink_to(elsewhere)
    for path in (elsewhere, *elsewhere.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)


async def until_refused(
    city: CityUnderLoad, name: str, faster: Callable[[], None] = lambda: None
) -> tuple[int, httpx.Response]:
    """Push receipts under new numbers until one is refused; returns how many were taken.
    ``faster``: what uses up room beside them."""
    for no in range(200):
        faster()
        answer = await city.knock(more_receipts(no), f"{name}-{no}")
        if answer.status_code != 202:
            return no, answer
    raise AssertionError("the disk does not fill up")


def use_up(server: EmbeddedPostgres) -> None:
    """Leave the rest of the log's segment empty and begin the next one."""
    with (
        suppress(psycopg.OperationalError),
        psycopg.connect(server.url(), autocommit=True) as admin,
    ):
        admin.execute("SELECT pg_switch_wal()")


class TestPostgresOnAFullDisk:
    async def test_its_data(self, disks: OnDisks, faults: Faults) -> None:
        city, draw, times = disks.city, chance("data"), 2
        for round_no in range(times):
            pushing = city.pushing(PORTION // 2)
            await city.answered(draw.randint(2, 5), pushing)
            disks.data.fill()
            taken, answer = await until_refused(city, f"full-{round_no}")
            assert is_clear(answer, "storage-full")
            async with city.client() as client:
                live = await client.get("/tax-feed/health/live")
                assert live.status_code == 200
                assert (await client.get("/reporting/v1/status")).status_code == 401
            disks.data.make_room()
            again = await city.knock(more_receipts(taken), f"full-{round_no}-{taken}")
            assert again.status_code == 202, again.text
            await pushing
        held = await city.settled()
        faults.survived("postgresql", "data disk full (53100)", times=times, held=held)

    async def test_its_log(self, disks: OnDisks, faults: Faults) -> None:
        """A slot nobody reads from keeps the whole log. PostgreSQL stops outright when that cannot
        grow, and may not come up again by itself before there is room: then it is started again,
        as whatever runs it would."""
        city, draw = disks.city, chance("log")
        with psycopg.connect(disks.server.url(), autocommit=True) as admin:
            admin.execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
        pushing = city.pushing(PORTION)
        await city.answered(draw.randint(2, 5), pushing)
        disks.log.fill()
        taken, answer = await until_refused(city, "no-log", partial(use_up, disks.server))
        assert is_clear(answer, "database-away")
        disks.log.make_room()
        async with asyncio.timeout(BOUND_SECONDS):
            while (await ready(city)).status_code != 200:
                await asyncio.to_thread(disks.server.start)
        with psycopg.connect(disks.server.url(), autocommit=True) as admin:
            admin.execute("SELECT pg_drop_replication_slot('forgotten')")
        again = await city.knock(more_receipts(taken), f"no-log-{taken}")
        assert again.status_code == 202, again.text
        await pushing
        held = await city.settled()
        faults.survived("postgresql", "log disk full, server down", times=1, held=held)


async def ready(city: CityUnderLoad) -> httpx.Response:
    async with city.client() as client:
        return await client.get("/tax-feed/health/ready")


class TestASpoolOnAFullDisk:
    async def test_says_so_and_takes_the_same_push_later(
        self, disks: OnDisks, folder: Path, faults: Faults, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A body too large for memory, cut short by the disk at different moments of taking it
        in; half of it cannot be kept, so all of it is refused."""
        city, planned = disks.city, large(4000)
        size = sum(map(len, planned.body()))
        with small_disk(folder / "spool", 32) as spool:
            monkeypatch.setattr(tempfile, "tempdir", str(spool.folder))
            for leaving in (0, 2**20, 5 * 2**20):
                spool.fill(leaving)
                refused = await city.knock(planned, "large")
                assert is_clear(refused, "storage-full")
                assert spool.free_bytes >= leaving, "what was spooled is gone again"
                spool.make_room()
            taken = await city.knock(planned, "large")
            assert taken.status_code == 202, taken.text
            again = await city.knock(planned, "large")
            assert again.status_code in (201, 409)
        kept = [
            one
            async for one in city.api.items("/tax-feed/v1/deliveries", feed="arrears", limit=1000)
            if one["idempotency_key"] == "large"
        ]
        assert [one["records_sent"] for one in kept] == [planned.records]
        held = await city.settled()
        held = f"{size / 2**20:.0f} MiB taken once; {held}"
        faults.survived("intake", "spool disk full", times=3, held=held)


def large(records: int) -> Planned:
    """A body that hardly compresses: arrears with a remark nobody asked for (all rejected)."""
    draw = chance("large")
    body = [{"tax_no": f"L{no}", "remark": draw.randbytes(1500).hex()} for no in range(records)]
    return replace(first_of("arrears"), body=ndjson(body), records=records)


class TestTheDemoClockOnAFullDisk:
    def test_keeps_the_moment_it_had(self, tmp_path: Path, faults: Faults) -> None:
        """The only file of our own that is written while serving; replaced whole or not at all."""
        with small_disk(tmp_path / "clock", 1) as disk:
            clock = DemoClock(disk.folder / "clock.json", the_city().deliveries[0].send_at)
            before = clock.now()
            disk.fill()
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                clock.set(before + timedelta(days=9))
            assert clock.now() - before < timedelta(days=1)
            again = DemoClock(disk.folder / "clock.json")
            assert again.now() - before < timedelta(days=1)
            disk.make_room()
            clock.set(before + timedelta(days=9))
            assert again.now() - before > timedelta(days=8)
        faults.survived("demo clock", "its disk full", times=1, held="moment kept, then set")
