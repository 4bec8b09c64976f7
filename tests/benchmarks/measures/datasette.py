"""Against the insert API of datasette (SQLite, no domain checks, no facts): same records, same
requests. It runs as pip installs it, in an environment of its own below ``.cache`` (``DATASETTE``
names another program), over a table with the same columns and primary key."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from shared.ports import free_ports
from tests.benchmarks.machine import ROOT
from tests.benchmarks.made import LICENCES, Numbers, bodies
from tests.benchmarks.measures.accept import Accepting, Meters
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.programs import program
from tests.benchmarks.pushing import Pusher, warm
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    LeftOut,
    Measure,
    Miscounted,
    Sample,
    Samples,
    at_least,
    check_rows,
    per_second,
    times,
)
from tests.benchmarks.sender import Sender

FLOOR, GOAL = 1.3, 2
PACKAGES: Final = ("datasette==1.0a41",)
PLACE: Final = ROOT / ".cache" / "datasette"
INSTALL_SECONDS: Final = 300
SECRET: Final = "of-the-benchmark"


def installed() -> Path:
    """The program, installed at first use (``DATASETTE`` names another). Raises LeftOut."""
    given = os.environ.get("DATASETTE")
    if given:
        return Path(given)
    found = PLACE / "bin" / "datasette"
    if _runs(found):
        return found
    steps = (
        [sys.executable, "-m", "venv", "--clear", str(PLACE)],
        [str(PLACE / "bin" / "python"), "-m", "pip", "install", "--quiet", *PACKAGES],
    )
    for command in steps:
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise LeftOut("datasette: pip took too long") from None
        if done.returncode != 0:
            raise LeftOut(f"datasette cannot be installed: {done.stderr.strip()[-200:]}")
    return found


def _runs(datasette: Path) -> bool:
    """Whether it is there and was not moved: its first line names its interpreter."""
    try:
        subprocess.run([str(datasette), "--version"], capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


class Datasette:
    """Its insert API, one request after another."""

    def __init__(self, url: str, token: str, database: Path, rows: int, size: int) -> None:
        self.name = f"datasette {size}"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._sender = Sender(url, headers)
        self._database, self._rows, self._size = database, rows, size
        self._bodies: list[bytes] = []
        self._before = 0

    def prepare(self, round_no: int) -> None:
        first = NUMBERS.take(self._rows)
        lines = bodies(LICENCES.records(first, self._rows), self._size)
        self._bodies = [
            b'{"rows":[' + body.rstrip(b"\n").replace(b"\n", b",") + b"]}" for body in lines
        ]
        self._before = self._count()

    def run(self) -> Sample:
        began = time.perf_counter()
        for body in self._bodies:
            answer = self._sender.post("/data/licences/-/insert", body)
            if answer.status != 201:
                raise Miscounted(f"{answer.status}: {answer.body[:500]!r}")
        return Sample(self._rows, time.perf_counter() - began)

    def check(self) -> None:
        check_rows(self.name, self._count() - self._before, self._rows)

    def _count(self) -> int:
        with closing(sqlite3.connect(self._database)) as conn:
            return int(conn.execute("SELECT count(*) FROM licences").fetchone()[0])

    def close(self) -> None:
        """Give the connection back."""
        self._sender.close()


NUMBERS: Final = Numbers()


@contextmanager
def world(run: Run) -> Iterator[Sequence[Alternative]]:
    """Both servers up, one at work at a time."""
    datasette = installed()
    stage = run.stage
    database = stage.folder / "data.db"
    _make_table(database)
    databases = stage.fresh_databases()
    bus = stage.bus_settings("postgres", databases)
    made = LICENCES
    with ExitStack() as stack:
        port = free_ports(1)[0]
        url = f"http://127.0.0.1:{port}"
        command = [
            *(str(datasette), "serve", str(database), "--port", str(port), "--secret", SECRET),
            *("--setting", "permissions.insert-row.id", "bench"),
            *("--setting", "max_insert_rows", str(max(run.size.peers))),
            *("--setting", "max_post_body_bytes", str(64 * 1024 * 1024)),
        ]
        log = stage.folder / "logs" / "datasette.log"
        stack.enter_context(program(command, f"{url}/-/versions.json", log, stage.placing))
        token = _token(datasette)
        running = stack.enter_context(stage.services([(made.service, "api")], databases, bus))
        run.watched(running.pids)
        pusher = Pusher(running.doors[made.service], stage.tokens, made)
        stack.callback(pusher.close)
        numbers = Numbers()
        warm(pusher, made, numbers)
        meters = Meters(databases[made.service], "business_licences", numbers)
        stack.callback(meters.close)
        alternatives: list[Alternative] = []
        for size in run.size.peers:
            peer = Datasette(url, token, database, run.size.rows, size)
            stack.callback(peer.close)
            ours = Accepting(f"accept {size}", pusher, meters, made, run.size.rows, size)
            alternatives += [peer, ours]
        yield alternatives


def _make_table(database: Path) -> None:
    columns = ", ".join(f'"{name}"' for name in LICENCES.columns)
    with closing(sqlite3.connect(database)) as conn:
        conn.execute(f"CREATE TABLE licences ({columns}, PRIMARY KEY ({LICENCES.key}))")
        conn.commit()


def _token(datasette: Path) -> str:
    done = subprocess.run(
        [str(datasette), "create-token", "bench", "--secret", SECRET],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def read(run: Run, samples: Samples) -> list[Figure]:
    figures = []
    for size in run.size.peers:
        ours, peer = samples[f"accept {size}"], samples[f"datasette {size}"]
        many = times(ours, peer)
        figures.append(
            Figure(
                f"accept against datasette's insert API, {size:,} a request",
                f"{many.middle:.2f} × ({many.low:.2f}–{many.high:.2f}):"
                f" {per_second(ours)}, datasette {per_second(peer)}",
                f"{FLOOR} ×",
                f"{GOAL} ×",
                at_least(many, FLOOR),
            )
        )
    return figures


def measures(run: Run) -> list[Measure]:
    return [
        Measure("datasette", "against datasette", partial(world, run), partial(read, run)),
    ]
