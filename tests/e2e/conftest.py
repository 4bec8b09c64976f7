"""One small made city for the whole session, loaded by ``kuomian demo`` with everything going
wrong on the way that may: the server killed, the driver interrupted, and started again."""

import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
import structlog

from kuomian.city import City, build_city
from kuomian.client import Api
from kuomian.demo.child import Child
from kuomian.demo.state import Answer, Done, Memory
from kuomian.demo.tokens import write_tokens
from shared.embedded import EmbeddedPostgres
from shared.plan import Plan
from shared.ports import free_ports
from shared.settings import Settings
from shared.telemetry import configure_logging
from tests.e2e.collector import Collector

SCALE = 0.02
MAX_BODY_BYTES = 4 * 1024 * 1024
BOUND_SECONDS = 400
KILL_AFTER, INTERRUPT_AFTER = 5, 30
"""Pushes answered when the server is killed (in the middle of the opening register) and when the
driver of the second start is interrupted."""


@dataclass(frozen=True)
class Run:
    """One ``kuomian demo``: its end, what it said, what was answered and what was left running."""

    code: int
    out: str
    answered: int
    left: list[str]


@dataclass(frozen=True)
class Story:
    """The starts it took, in order, over one data folder."""

    data_dir: Path
    killed: Run
    interrupted: Run
    loaded: Run
    served: Run


@dataclass(frozen=True)
class Whole:
    """The running all-in-one with the loaded city."""

    url: str
    data_dir: Path
    tokens: dict[str, str]
    city: City
    plan: Plan
    answers: dict[str, Answer]
    done: dict[str, Done]
    api: Api
    """A caller with the auditor's token."""

    def api_as(self, role: str) -> Api:
        return Api(self.url, self.tokens[role])


@pytest.fixture(scope="session", autouse=True)
def _environment_of_children() -> Iterator[None]:
    """Child processes find our packages, installed or not, and take small bodies only."""
    # A run started in the background ignores Ctrl-C, and its children would too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        patch.setenv("MAX_BODY_BYTES", str(MAX_BODY_BYTES))
        for name in ("DATA_DIR", "PORT", "CITY_SCALE", "FRESH", "ONCE", "KUOMIAN_TOKEN"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def plan() -> Plan:
    return Plan.default()


@pytest.fixture(scope="session")
def city(plan: Plan) -> City:
    return build_city(plan, scale=SCALE)


@pytest.fixture(scope="session")
async def story() -> AsyncIterator[Story]:
    data_dir = new_data_dir()
    try:
        yield Story(
            data_dir,
            killed=await demo(data_dir, answered(KILL_AFTER), kill_server),
            interrupted=await demo(data_dir, answered(INTERRUPT_AFTER), interrupt),
            loaded=await demo(data_dir, ONCE="1"),
            served=await demo(data_dir, says("Ctrl-C ends"), interrupt),
        )
    finally:
        remove(data_dir)


@pytest.fixture(scope="session")
async def whole(story: Story, city: City, plan: Plan) -> AsyncIterator[Whole]:
    assert story.loaded.code == 0, story.loaded.out
    tokens = write_tokens(story.data_dir, plan)
    with Child(story.data_dir, free_port()) as child:
        async with Api(child.url, tokens["auditor"]) as api:
            memory = Memory(story.data_dir)
            answers, done = memory.answers(), memory.done()
            yield Whole(child.url, story.data_dir, tokens, city, plan, answers, done, api)


Condition = Callable[[Path, str], bool]
"""Of the data folder and what was said so far."""
Deed = Callable[[asyncio.subprocess.Process], None]


def answered(count: int) -> Condition:
    return lambda data_dir, _: len(Memory(data_dir).answers()) >= count


def says(words: str) -> Condition:
    return lambda _, out: words in out


def kill_server(driver: asyncio.subprocess.Process) -> None:
    """Kill the server below the driver outright."""
    [server] = [pid for pid, parent, _ in processes() if parent == driver.pid]
    os.kill(server, signal.SIGKILL)


def interrupt(driver: asyncio.subprocess.Process) -> None:
    driver.send_signal(signal.SIGINT)


async def demo(
    data_dir: Path, until: Condition | None = None, deed: Deed | None = None, **environment: str
) -> Run:
    """Run ``kuomian demo``; once ``until`` holds, do the deed. Waits for its end."""
    given = {"DATA_DIR": str(data_dir), "PORT": str(free_port()), "CITY_SCALE": str(SCALE)}
    said = data_dir.with_name(f"{data_dir.name}.said")
    with said.open("wb") as out:
        driver = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kuomian", "demo"),
            env=os.environ | given | environment,
            stdout=out,
            stderr=out,
        )
    try:
        async with asyncio.timeout(BOUND_SECONDS):
            if until is not None and deed is not None:
                while not until(data_dir, said.read_text("utf-8", "replace")):
                    assert driver.returncode is None, said.read_text("utf-8")
                    await asyncio.sleep(0.02)
                deed(driver)
            code = await driver.wait()
        left = [command for _, _, command in processes() if str(data_dir) in command]
        return Run(code, said.read_text("utf-8"), len(Memory(data_dir).answers()), left)
    finally:
        said.unlink()
        if driver.returncode is None:
            driver.kill()
            await driver.wait()


def processes() -> Iterator[tuple[int, int, str]]:
    """Process id, parent and command line of all there are."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text("utf-8", "replace")
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        yield int(folder.name), int(stat.rpartition(")")[2].split()[1]), command


def new_data_dir() -> Path:
    """A folder outside home folders that the embedded server's own user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="kuomian-e2e-"))
    folder.chmod(0o755)
    return folder


def remove(data_dir: Path) -> None:
    """Delete a data folder; a server that a killed process left running is killed first."""
    if (data_dir / "postgres").exists():
        EmbeddedPostgres(data_dir).kill()
    shutil.rmtree(data_dir, ignore_errors=True)


def free_port() -> int:
    (port,) = free_ports(1)
    return port


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as listening:
        yield listening


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """What this process logs, as an operator would see it."""
    root, written = logging.getLogger(), StringIO()
    before = (list(root.handlers), root.level)
    configure_logging(Settings(log_level="debug"))
    stream = root.handlers[0]
    assert isinstance(stream, logging.StreamHandler)
    stream.setStream(written)
    yield written
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()
