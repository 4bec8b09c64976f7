"""Against the service one would write first (``tests/benchmarks/naive``), end to end, over the same
PostgreSQL and, where there is one, the same Kafka broker."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

from shared.ports import free_ports
from tests.benchmarks.made import LICENCES, Numbers, bodies
from tests.benchmarks.measures.end_to_end import UNSENT, WAYS, EndToEnd, Settle
from tests.benchmarks.naive.service import TOPIC
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.programs import program
from tests.benchmarks.pushing import WARM, Meter, Pusher, warm
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
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
from tests.benchmarks.stage import PARTITIONS, PYTHON, make_topic

FLOOR, GOAL = 30, 60
SIZE: Final = 1_000
"""Records in a request, on both sides."""
COUNTED: Final = "SELECT sum(value) FROM figures"


class Naive:
    """Its requests one after another, then its figure watched."""

    def __init__(self, url: str, database_url: str, rows: int, stack: ExitStack) -> None:
        self.name = "naive"
        self._sender = Sender(url, {"Content-Type": "application/json"})
        stack.callback(self._sender.close)
        self._meter = Meter(database_url, COUNTED)
        stack.callback(self._meter.close)
        self._stored = Meter(database_url, "SELECT count(*) FROM licences")
        stack.callback(self._stored.close)
        self._numbers, self._rows = Numbers(), rows
        self._bodies: list[bytes] = []
        self._wanted = 0

    def prepare(self, round_no: int) -> None:
        records = LICENCES.records(self._numbers.take(self._rows), self._rows)
        lines = bodies(records, SIZE)
        self._bodies = [b"[" + body.rstrip(b"\n").replace(b"\n", b",") + b"]" for body in lines]
        self._wanted += self._rows

    def run(self) -> Sample:
        began = time.perf_counter()
        for body in self._bodies:
            answer = self._sender.post("/licences", body)
            if answer.status != 201:
                raise Miscounted(f"{answer.status}: {answer.body[:500]!r}")
        self._meter.wait_for(self._wanted)
        return Sample(self._rows, time.perf_counter() - began)

    def check(self) -> None:
        check_rows("naive: table", self._stored.read(), self._wanted)
        value = self._sender.get("/figure").document["value"]
        check_rows("naive: figure", value, self._wanted)


@contextmanager
def world(run: Run, bus: str) -> Iterator[Sequence[Alternative]]:
    """Both side by side on one server: ours as processes of its own — door, relay, consumer."""
    stage = run.stage
    databases = stage.fresh_databases()
    naive_url = stage.fresh_database("naive")
    settings = stage.bus_settings(bus, databases)
    way = WAYS[0]
    wanted = [
        *(("registration-feed", "api"), ("registration-feed", "relay")),
        *(("reporting", "api"), ("reporting", "consumer")),
    ]
    with ExitStack() as stack:
        running = stack.enter_context(stage.services(wanted, databases, settings))
        run.watched(running.pids)
        pusher = Pusher(running.doors["registration-feed"], stage.tokens, way.made)
        stack.callback(pusher.close)
        numbers = Numbers()
        warm(pusher, way.made, numbers)
        meter = Meter(databases["reporting"], way.moved)
        meter.wait_for(WARM)
        unsent = Meter(databases["registration-feed"], UNSENT)
        stack.callback(meter.close)
        stack.callback(unsent.close)
        settle = Settle(running.doors["reporting"], stage.tokens, way, [unsent])
        stack.callback(settle.close)
        ours = EndToEnd("ours", pusher, meter, way, numbers, run.size.rows, SIZE, settle)
        port = free_ports(1)[0]
        url = f"http://127.0.0.1:{port}"
        command = [PYTHON, "-m", "tests.benchmarks.naive", str(port), naive_url]
        if bus == "kafka":
            make_topic(stage.broker(), TOPIC, PARTITIONS)
            command.append(stage.broker().address())
        log = stage.folder / "logs" / "naive.log"
        stack.enter_context(program(command, f"{url}/figure", log, stage.placing))
        yield [Naive(url, naive_url, run.size.naive_rows, stack), ours]


def read(bus: str, samples: Samples) -> list[Figure]:
    many = times(samples["ours"], samples["naive"])
    on = "one Kafka broker" if bus == "kafka" else "no broker: it counts without a bus"
    return [
        Figure(
            f"against a naive FastAPI + ORM service, end to end, 1,000 a request ({on})",
            f"{many.middle:.0f} × ({many.low:.0f}–{many.high:.0f}):"
            f" {per_second(samples['ours'])}, naive {per_second(samples['naive'])}",
            f"{FLOOR} ×",
            f"{GOAL} ×",
            at_least(many, FLOOR),
        )
    ]


def measures(run: Run) -> list[Measure]:
    """On Kafka where there is one, else on the embedded bus against no bus."""
    bus = bus_of(run)
    return [
        Measure(
            "naive",
            f"against the naive service ({bus})",
            partial(world, run, bus),
            partial(read, bus),
        )
    ]


def bus_of(run: Run) -> str:
    """``kafka`` where this machine can run a broker."""
    from kuomian.kafka_install import KafkaMissing, java_program, kafka_jars

    try:
        java_program()
        kafka_jars()
    except KafkaMissing:
        return "postgres"
    return "kafka"
