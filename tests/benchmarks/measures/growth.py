"""Growth: the same load at one, three and ten times the data on disk, autovacuum on.

The load is pushed through the public API into services of their own over the embedded bus. While
it runs PostgreSQL keeps count of every statement and logs every plan with its buffers; told are
the dearest statements at each size, and every statement that read a large table from end to end.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from typing import Final

import httpx

from tests.benchmarks.machine import ROOT
from tests.benchmarks.made import LICENCES, PERSONS, RECEIPTS, Made, Numbers, bodies
from tests.benchmarks.measures.end_to_end import UNSENT
from tests.benchmarks.measures.reports import PATHS
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.pushing import Meter, Pusher, applied_in
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    Measure,
    Sample,
    Samples,
    check_rows,
    per_second,
    values,
)
from tests.benchmarks.statements import Seen, Server, quiet

TIMES: Final = (1, 3, 10)
SIZE: Final = 5_000
ROUNDS: Final = 1
"""What is on disk grows with every load: a second round would be another size."""
READS: Final = 20
DEAREST: Final = 15
PERIODS: Final = {"receipts": "2008-06-D3"}
SERVICES: Final = (
    ("registration-feed", "api"), ("registration-feed", "relay"),
    ("tax-feed", "api"), ("tax-feed", "relay"),
    ("enrollment", "api"), ("enrollment", "relay"), ("enrollment", "consumer"),
    ("reporting", "api"), ("reporting", "consumer"),
)  # fmt: skip


class Load:
    """Fills up to so many times the data, then runs the load that is the same at every size."""

    def __init__(self, times: int, base: int, sending: Sending, found: Found) -> None:
        self.name = f"×{times}"
        self._wanted = times * base
        self._sending, self._found = sending, found
        self._sent = 0

    def prepare(self, round_no: int) -> None:
        self._sending.up_to(self._wanted)

    def run(self) -> Sample:
        server = self._found.server
        server.begin()
        began = time.perf_counter()
        for made in MADE:
            self._sending.send(made, SIZE)
        self._sending.settle()
        seconds = time.perf_counter() - began
        self._sending.read_all()
        self._sent = SIZE * len(MADE)
        self._found.seen[self.name] = server.end()
        return Sample(self._sent, seconds, {"GB on disk": server.bytes_on_disk() / 1e9})

    def check(self) -> None:
        self._sending.check()


MADE: Final = (LICENCES, PERSONS, RECEIPTS)


class Sending:
    """One sender for each feed, and what has been sent so far."""

    def __init__(self, doors: dict[str, str], run: Run) -> None:
        stage = run.stage

        def look(database: str) -> str:
            return quiet(stage.postgres.url(database))

        self.pushers = {m.feed: Pusher(doors[m.service], stage.tokens, m) for m in MADE}
        self._numbers = {made.feed: Numbers() for made in MADE}
        self._sent = dict.fromkeys((made.feed for made in MADE), 0)
        accounts = {"business-licences": 6, "insured-persons": 1, "receipts": 2}
        self._meters = {
            feed: Meter(
                look("reporting"), f"SELECT count(*) FROM holdings WHERE account = {number}"
            )
            for feed, number in accounts.items()
        }
        self._unsent = [
            Meter(look(name), UNSENT) for name in ("registration_feed", "tax_feed", "enrollment")
        ]
        self._reader = httpx.Client(
            base_url=doors["reporting"],
            headers={"Authorization": f"Bearer {stage.tokens['auditor']}"},
            timeout=120,
            trust_env=False,
        )

    def up_to(self, rows: int) -> None:
        """Send what is missing of so many records of each feed."""
        for made in MADE:
            missing = rows - self._sent[made.feed]
            if missing > 0:
                self.send(made, missing)
        self.settle()

    def send(self, made: Made, rows: int) -> None:
        """Push and wait for the receipts."""
        pusher, period = self.pushers[made.feed], PERIODS.get(made.feed, "2008-06")
        records = made.records(self._numbers[made.feed].take(rows), rows)
        locations = [
            pusher.push(body, period=period, wait=False)["location"]
            for body in bodies(records, SIZE)
        ]
        receipts = [pusher.finished(at)["receipt"] for at in locations]
        check_rows(made.feed, applied_in(receipts), rows)
        self._sent[made.feed] += rows

    def settle(self) -> None:
        """Wait until every fact is in the ledger."""
        for meter in self._unsent:
            meter.wait_until_none()
        for feed, meter in self._meters.items():
            meter.wait_for(self._sent[feed], 0.05)

    def read_all(self) -> None:
        """Every report and first page some times, so that their plans are seen too."""
        for path in PATHS.values():
            for _ in range(READS):
                self._reader.get(path).raise_for_status()

    def check(self) -> None:
        """Raise Miscounted unless the ledger holds what was sent."""
        for feed, meter in self._meters.items():
            check_rows(f"ledger: {feed}", meter.read(), self._sent[feed])

    def close(self) -> None:
        """Give everything back."""
        for pusher in self.pushers.values():
            pusher.close()
        for meter in (*self._meters.values(), *self._unsent):
            meter.close()
        self._reader.close()


class Found:
    """What was seen at each size."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.seen: dict[str, Seen] = {}

    def write(self) -> str:
        """All of it into a file; returns its name."""
        folder = ROOT / ".data" / "bench"
        folder.mkdir(parents=True, exist_ok=True)
        out = folder / "growth.json"
        document = {
            name: {
                "costs": [asdict(cost) for cost in seen.costs[:100]],
                "scans": [asdict(scan) for scan in seen.scans],
                "plans": seen.plans,
            }
            for name, seen in self.seen.items()
        }
        out.write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")
        return str(out.relative_to(ROOT))


@contextmanager
def world(run: Run, keep: list[Found]) -> Iterator[Sequence[Alternative]]:
    """All services over the stage's own server, so that it can be asked."""
    stage = run.stage
    databases = stage.fresh_databases()
    bus = stage.bus_settings("postgres", databases)
    with ExitStack() as stack:
        running = stack.enter_context(stage.services(SERVICES, databases, bus))
        run.watched(running.pids)
        server = Server(stage.postgres.url(), stage.folder / "postgres.log")
        stack.callback(server.close)
        found = Found(server)
        keep.append(found)
        sending = Sending(running.doors, run)
        stack.callback(sending.close)
        base = run.size.entries
        yield [Load(times, base, sending, found) for times in TIMES]


def read(run: Run, keep: Sequence[Found], samples: Samples) -> list[Figure]:
    found = keep[-1]
    first, last = f"×{TIMES[0]}", f"×{TIMES[-1]}"
    file = found.write()
    figures = [
        Figure(
            f"load of {SIZE:,} each of licences, persons, receipts at {name} of"
            f" {run.size.entries:,} each on disk",
            f"{per_second(samples[name])}; {values(samples[name], 'GB on disk')[0]:.2f} GB",
        )
        for name in samples
    ]
    before = {cost.query: cost for cost in found.seen[first].costs}
    for cost in found.seen[last].costs[:DEAREST]:
        known = before.get(cost.query)
        if known is None:
            continue
        figures.append(
            Figure(
                f"statement: `{_short(cost.query)}`",
                f"{known.mean_ms:.2f} → {cost.mean_ms:.2f} ms a call"
                f" ({cost.mean_ms / max(known.mean_ms, 1e-3):.1f} ×), {cost.calls} calls,"
                f" {cost.blocks // max(cost.calls, 1):,} buffers a call",
            )
        )
    for scan in found.seen[last].scans:
        figures.append(
            Figure(f"scan of {scan.table} at {last}", f"{scan.rows:,} rows: `{_short(scan.query)}`")
        )
    figures.append(Figure("all statements and scans", f"in {file}"))
    return figures


def _short(query: str) -> str:
    return " ".join(query.split())[:110].replace("|", "¦").replace("`", "'")


def measures(run: Run) -> list[Measure]:
    keep: list[Found] = []
    return [
        Measure("growth", "growth", partial(world, run, keep), partial(read, run, keep), ROUNDS)
    ]
