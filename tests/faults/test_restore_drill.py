"""The restore drill of ``docs/operations.md``, with the very scripts it shows: the machine is
lost in the middle of a load, a backup taken while loading and the archive bring back one moment,
and the departments send again what came after it."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from kuomian.city import City, Planned, build_city
from kuomian.client import Api
from kuomian.demo.child import Child
from kuomian.demo.drain import drained
from kuomian.demo.driver import MEASURES
from kuomian.demo.gather import Difference, FeedSum, compare, feed_sums
from kuomian.demo.load import Loader, set_clock
from kuomian.demo.state import Answer, Loaded, Memory, closing_truth
from kuomian.demo.tokens import write_tokens
from reporting.figures.rebuild import figures_hash
from shared.database import Database
from shared.embedded import SUPERUSER, EmbeddedPostgres
from shared.embedded_programs import server_account, server_programs
from shared.periods import LOCAL, Dekad, local_date
from shared.plan import Plan
from tests.e2e.conftest import free_port, new_data_dir, remove
from tests.faults.conftest import Drill, Faults

pytestmark = pytest.mark.slow

SCRIPTS = Path(__file__).parents[2] / "deploy" / "postgres"
SCALE = 0.001
NEVER = "2100-01-01 00:00:00+08"
CLOSING = datetime(2008, 7, 6, 12, tzinfo=LOCAL)
"""The city is loaded up to here: seven weeks, and the figures of the dekad before."""
BEFORE_BACKUP, AT_MOMENT, AT_LOSS, REPEATED = 40, 75, 88, 8
"""Pushes: loaded when the backup begins, at the moment to restore, when the machine is lost; and
how many of those before the moment are sent once more after the restore."""


class Quiet:
    """A progress bar nobody sees."""

    def at(self, done: int, note: str = "") -> None:
        pass

    def of(self, done: int, total: int) -> None:
        pass


@dataclass
class Machine:
    """One machine with everything on it, and a disk elsewhere for backup and archive."""

    data_dir: Path
    elsewhere: Path
    plan: Plan
    city: City
    drill: Drill
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.account = server_account()
        self.programs = server_programs(self.data_dir, self.account)
        for script in SCRIPTS.glob("*.sh"):
            shutil.copy(script, self.elsewhere)
        (self.elsewhere / "wal").mkdir()
        if self.account is not None:
            for path in (self.elsewhere, *self.elsewhere.iterdir()):
                os.chown(path, self.account.pw_uid, self.account.pw_gid)
        self.tokens = write_tokens(self.data_dir, self.plan)
        self.postgres = EmbeddedPostgres(
            self.data_dir,
            {
                "archive_mode": "on",
                "archive_command": f"sh {self.elsewhere}/archive.sh %p %f {self.elsewhere}/wal",
                "fsync": "off",
                "shared_buffers": "128MB",
            },
        )

    @contextmanager
    def serving(self) -> Iterator[Child]:
        """The all-in-one over a server that archives."""
        self.postgres.start()
        with Child(self.data_dir, free_port()) as child:
            yield child

    async def script(self, name: str, *arguments: str | Path) -> None:
        """Run a script of the recipe as the server's user; every line of it goes to the log."""
        await asyncio.to_thread(self._script, name, *arguments)

    def _script(self, name: str, *arguments: str | Path) -> None:
        notes = psycopg.conninfo.conninfo_to_dict(self.postgres.url())
        with subprocess.Popen(
            ["sh", str(self.elsewhere / name), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={
                "PATH": f"{self.programs}:{os.environ['PATH']}",
                "LC_ALL": "C.UTF-8",
                "PGHOST": "127.0.0.1",
                "PGPORT": str(notes["port"]),
                "PGUSER": SUPERUSER,
                "PGPASSWORD": str(notes["password"]),
            },
            user=self.account.pw_uid if self.account else None,
            group=self.account.pw_gid if self.account else None,
            extra_groups=[] if self.account else None,
        ) as running:
            assert running.stdout is not None and running.stderr is not None
            for line in running.stdout:
                step = line.rstrip().split("  ", 1)[-1]
                for folder in (self.elsewhere, self.data_dir):
                    step = step.replace(f"{folder}/", "")
                self.drill.say(step)
            said = running.stderr.read()
        if running.returncode:
            raise RuntimeError(f"{name}: {said}")

    async def load(self, api: Api, memory: Memory, deliveries: list[Planned]) -> dict[str, Answer]:
        return await Loader(api, self.tokens, memory, Quiet()).run(deliveries)

    async def hash(self) -> str:
        """Of all figures as they are now."""
        database = Database(self.postgres.url("reporting", "reporting"), pool_size=1)
        try:
            return await figures_hash(database)
        finally:
            await database.close()

    async def archived_moment(self) -> str:
        """Now, by the database's clock, once everything before it is in the archive."""
        url = self.postgres.url()
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as line:
            cursor = await line.execute("SELECT clock_timestamp()::text")
            (moment,) = await cursor.fetchone() or ("",)
            # What archive_timeout does within a minute. Something has to come after the moment,
            # or the server cannot know that it has been reached.
            await line.execute("SELECT pg_logical_emit_message(true, 'drill', 'after')")
            cursor = await line.execute("SELECT pg_walfile_name(pg_switch_wal())")
            (name,) = await cursor.fetchone() or ("",)
        async with asyncio.timeout(60):
            while not (self.elsewhere / "wal" / name).exists():  # noqa: ASYNC110 - a server's work
                await asyncio.sleep(0.05)
        return str(moment)

    def lose(self, child: Child) -> None:
        """Power off, and the disk is gone; a new one is put in."""
        os.kill(child.pid, signal.SIGKILL)
        self.postgres.kill()
        folder = self.data_dir / "postgres"
        shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
        if self.account is not None:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)

    async def closing(self, child: Child) -> tuple[list[FeedSum], list[Difference], int]:
        """The four sums of every feed, and all figures beside what the city knows to be true."""
        async with Api(child.url, self.tokens["operator"]) as api:
            await set_clock(api, CLOSING, self.tokens)
        period = Dekad.counting(local_date(CLOSING), self.plan.cutoffs).previous()
        units = [unit.code for unit in self.plan.units] + [self.plan.city.code]
        truth = closing_truth(self.city, MEASURES, units, period.cutoff_on(self.plan.cutoffs))
        async with Api(child.url, self.tokens["auditor"]) as api:
            progress = await api.get("/reporting/v1/progress", period=str(period))
            return await feed_sums(api), *compare(progress, truth)


@pytest.fixture
def machine(drill: Drill) -> Iterator[Machine]:
    data_dir, elsewhere = new_data_dir(), new_data_dir()
    plan = Plan.default()
    try:
        yield Machine(data_dir, elsewhere, plan, build_city(plan, scale=SCALE), drill)
    finally:
        remove(data_dir)
        remove(elsewhere)


async def test_a_lost_machine_comes_back_to_a_moment_and_on_to_the_truth(
    machine: Machine, faults: Faults
) -> None:
    drill = machine.drill
    pushes = [push for push in machine.city.deliveries if push.send_at <= CLOSING]
    backup = machine.elsewhere / "base"
    memory = Memory(machine.data_dir)
    memory.keep(Loaded(machine.city.seed, SCALE, machine.plan.version))
    with machine.serving() as child:
        async with Api(child.url, machine.tokens["operator"]) as api:
            await machine.load(api, memory, pushes[:BEFORE_BACKUP])
            drill.say(f"{BEFORE_BACKUP} deliveries in; base backup while loading goes on")
            loading = asyncio.ensure_future(machine.load(api, memory, pushes[:AT_MOMENT]))
            had = len(memory.answers())
            await machine.script("backup.sh", backup)
            assert len(memory.answers()) > had, "nothing was pushed while it was copied"
            drill.say(f"{len(memory.answers()) - BEFORE_BACKUP} deliveries came in meanwhile")
            before = await loading
            await drained(api)
        hash_at_moment = await machine.hash()
        moment = await machine.archived_moment()
        drill.say(f"the moment: {moment}, {AT_MOMENT} deliveries, figures {hash_at_moment[:12]}…")
        async with Api(child.url, machine.tokens["operator"]) as api:
            later = asyncio.ensure_future(machine.load(api, memory, pushes))
            while len(memory.answers()) < AT_LOSS and not later.done():  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.02)
            machine.lose(child)
            later.cancel()
            await asyncio.gather(later, return_exceptions=True)
    drill.say(f"machine lost in the middle of loading, {len(memory.answers())} deliveries in")

    archive, folder = machine.elsewhere / "wal", machine.data_dir / "postgres"
    with pytest.raises(RuntimeError, match="ended before configured recovery target was reached"):
        await machine.script("restore.sh", backup, archive, machine.elsewhere / "never", NEVER)
    drill.say("a moment the archive does not reach: refused")
    await machine.script("restore.sh", backup, archive, folder, moment)
    with pytest.raises(RuntimeError, match="is not empty"):
        await machine.script("restore.sh", backup, archive, folder, moment)
    again = Memory(machine.elsewhere)
    again.keep(Loaded(machine.city.seed, SCALE, machine.plan.version))
    with machine.serving() as child:
        drill.say("started on the restored folder")
        async with Api(child.url, machine.tokens["operator"]) as api:
            await drained(api)
            assert await machine.hash() == hash_at_moment
            drill.say("figures are those of the moment, to the same hash")
            repeated = await machine.load(api, again, pushes[AT_MOMENT - REPEATED : AT_MOMENT])
            assert {name: answer.receipt for name, answer in repeated.items()} == {
                name: before[name].receipt for name in repeated
            }
            drill.say(f"{REPEATED} deliveries from before it, sent again: the same receipts")
            for answer in before.values():
                again.add(answer)
            answers = await machine.load(api, again, pushes)
            flow = await drained(api)
        sums, differences, compared = await machine.closing(child)
        drill.say(f"{len(pushes) - AT_MOMENT} deliveries from after it sent again, same numbers")
    sent = sum(one.sent for one in sums)
    assert [one for one in sums if not one.conserved] == []
    assert sent == sum(push.records for push in pushes if push.kind not in ("again", "cut"))
    assert differences == []
    assert [answer for answer in answers.values() if not answer.as_expected] == []
    assert compared == 3 * (len(machine.plan.units) + 1)
    assert flow.applied == flow.published > 0
    held = f"{sent:,} records sent, all four sums equal; {compared} figures equal the truth"
    drill.say(held)
    faults.survived("whole machine", "lost, restored to a moment", times=1, held=held)


def test_the_archive_never_overwrites_another_file(tmp_path: Path) -> None:
    """Two servers that share an archive would spoil both their backups."""
    archive, wal = tmp_path / "wal", tmp_path / "000000010000000000000001"
    archive.mkdir()
    command = ["sh", str(SCRIPTS / "archive.sh"), str(wal), wal.name, str(archive)]
    for content, code in ((b"one", 0), (b"one", 0), (b"two", 1)):
        wal.write_bytes(content)
        assert subprocess.run(command, check=False, capture_output=True).returncode == code
    assert [path.read_bytes() for path in archive.iterdir()] == [b"one"]
