"""From the commit of a delivery to the figure that its records have moved, at a steady rate over a
real broker, against a raw produce–consume round trip on the same broker at the same rate.

The commit's moment is the delivery's ``completed_at``, taken just before it, so that what is
measured is rather too long than too short. A figure has moved when all of the delivery's entries
can be read.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Final

import psycopg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.benchmarks.machine import Placing
from tests.benchmarks.made import LAST_ON, LICENCES, Numbers, bodies
from tests.benchmarks.measures.end_to_end import WAYS
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.pushing import WARM, Meter, Pusher, warm
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    Measure,
    Miscounted,
    Sample,
    Samples,
    at_most,
    check_rows,
    milliseconds,
    rates,
    values,
)
from tests.benchmarks.spread import Spread, percentile, ratios
from tests.benchmarks.stage import PARTITIONS, make_topic

FLOOR, GOAL = 8, 3
SENDERS: Final = 8
"""So many at once, lest a slow answer lower the rate."""
RECORDS: Final = 10
"""Records of a delivery."""
LOOK_SECONDS: Final = 0.002
STUCK_SECONDS: Final = 60.0
TOPIC: Final = "raw"
MESSAGE: Final = b"x" * 500
SLACK: Final = 5_000
"""Ids of entries may become visible out of order by at most so many."""
ENTRIES: Final = """
SELECT id, delivery_id::text FROM entries WHERE account = 6 AND effective_on = %s AND id > %s
AND unit = (SELECT id FROM unit_codes WHERE code = '210502')
"""


class Watch(threading.Thread):
    """Notes when all entries of each delivery could be read, by the wall clock."""

    def __init__(self, url: str, wanted: int) -> None:
        super().__init__(daemon=True)
        self.seen_at: dict[str, float] = {}
        self._url, self._wanted = url, wanted
        self._counts: Counter[str] = Counter()
        self._known: set[int] = set()
        self._last = 0
        self.ready = threading.Event()

    def run(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as conn:
            self._look(conn)
            self.seen_at.clear()
            self._counts.clear()
            self.ready.set()
            until = time.monotonic() + STUCK_SECONDS
            while len(self.seen_at) < self._wanted and time.monotonic() < until:
                if self._look(conn):
                    until = time.monotonic() + STUCK_SECONDS
                time.sleep(LOOK_SECONDS)

    def _look(self, conn: psycopg.Connection[Any]) -> int:
        rows = conn.execute(ENTRIES, (LAST_ON, self._last - SLACK)).fetchall()
        now = time.time()
        fresh = [(number, delivery) for number, delivery in rows if number not in self._known]
        for number, delivery in fresh:
            self._known.add(number)
            self._last = max(self._last, number)
            self._counts[delivery] += 1
            if self._counts[delivery] == RECORDS:
                self.seen_at[delivery] = now
        return len(fresh)


class Steady:
    """Small deliveries at a steady rate, whether or not earlier ones are through."""

    def __init__(
        self, pusher: Pusher, feed_url: str, ledger_url: str, rate: int, seconds: int
    ) -> None:
        self.name = "commit to figure"
        self._pusher, self._feed_url, self._ledger_url = pusher, feed_url, ledger_url
        self._rate, self._count = rate, rate * seconds
        self._numbers = Numbers()
        warm(pusher, LICENCES, self._numbers)
        meter = Meter(ledger_url, WAYS[0].moved)
        meter.wait_for(WARM)
        meter.close()
        self._bodies: list[bytes] = []
        self._seen = 0

    def prepare(self, round_no: int) -> None:
        first, size = self._numbers.take(self._count * RECORDS), self._count * RECORDS
        on = {"unit": "210502", "event_on": LAST_ON, "licensed_on": LAST_ON}
        records = [record | on for record in LICENCES.records(first, size)]
        self._bodies = bodies(records, RECORDS)

    def run(self) -> Sample:
        watch = Watch(self._ledger_url, self._count)
        watch.start()
        watch.ready.wait(STUCK_SECONDS)
        began = time.perf_counter()
        with ThreadPoolExecutor(SENDERS) as senders:
            pushes = []
            for no, body in enumerate(self._bodies):
                time.sleep(max(0.0, began + no / self._rate - time.perf_counter()))
                pushes.append(senders.submit(self._pusher.push, body, wait=False))
            ids = [push.result()["location"].rpartition("/")[2] for push in pushes]
        sent = time.perf_counter() - began
        watch.join()
        self._seen = len(watch.seen_at)
        committed = self._committed(ids)
        took = [1000 * (watch.seen_at[one] - committed[one]) for one in ids if one in watch.seen_at]
        if not took:
            raise Miscounted("no delivery reached the ledger")
        return Sample(self._seen, sent, percentiles(took))

    def check(self) -> None:
        check_rows(self.name, self._seen, self._count)

    def _committed(self, ids: Sequence[str]) -> dict[str, float]:
        with psycopg.connect(self._feed_url) as conn:
            rows = conn.execute(
                "SELECT id::text, extract(epoch FROM completed_at)::float8 FROM deliveries"
                " WHERE id = ANY(%s::uuid[])",
                (list(ids),),
            ).fetchall()
        return {str(one): float(at) for one, at in rows}


class RawRoundTrip:
    """Messages produced and consumed at the same rate, with the product's own client and
    settings: durable on the broker (``acks=all``), fetched as they come."""

    def __init__(self, brokers: str, rate: int, seconds: int, placing: Placing) -> None:
        self.name = "limit: produce–consume"
        self._brokers, self._rate, self._count = brokers, rate, rate * seconds
        self._placing = placing
        self._took: list[float] = []

    def prepare(self, round_no: int) -> None:
        self._took = []

    def run(self) -> Sample:
        began = time.perf_counter()
        with self._placing.on(self._placing.python):
            asyncio.run(self._trips())
        return Sample(len(self._took), time.perf_counter() - began, percentiles(self._took))

    def check(self) -> None:
        check_rows(self.name, len(self._took), self._count)

    async def _trips(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._brokers, acks="all", enable_idempotence=True
        )
        consumer = AIOKafkaConsumer(
            TOPIC,
            bootstrap_servers=self._brokers,
            auto_offset_reset="latest",
            fetch_max_wait_ms=250,
        )
        async with producer, consumer:
            await consumer.seek_to_end()
            for partition in consumer.assignment():
                await consumer.position(partition)
            receiving = asyncio.create_task(self._receive(consumer))
            began = time.perf_counter()
            for no in range(self._count):
                await asyncio.sleep(max(0.0, began + no / self._rate - time.perf_counter()))
                sent_at = f"{time.perf_counter()!r} ".encode()
                await producer.send_and_wait(TOPIC, sent_at + MESSAGE)
            await asyncio.wait_for(receiving, STUCK_SECONDS)

    async def _receive(self, consumer: AIOKafkaConsumer) -> None:
        while len(self._took) < self._count:
            found = await consumer.getmany(timeout_ms=1000)
            now = time.perf_counter()
            for messages in found.values():
                self._took += [1000 * (now - float(m.value.split(b" ")[0])) for m in messages]


def percentiles(took: Sequence[float]) -> dict[str, float]:
    """The three that are told, in milliseconds."""
    return {f"p{share}": percentile(took, share / 100) for share in (50, 95, 99)}


@contextmanager
def world(run: Run) -> Iterator[Sequence[Alternative]]:
    """Door, relay and consumer as processes of their own on Kafka."""
    stage = run.stage
    broker = stage.broker()
    databases = stage.fresh_databases()
    settings = stage.bus_settings("kafka", databases)
    make_topic(broker, TOPIC, PARTITIONS)
    feed = "registration-feed"
    wanted = [(feed, "api"), (feed, "relay"), ("reporting", "consumer")]
    rate, seconds = run.size.rate_per_second, run.size.rate_seconds
    with ExitStack() as stack:
        running = stack.enter_context(stage.services(wanted, databases, settings))
        run.watched(running.pids)
        pusher = Pusher(running.doors[feed], stage.tokens, LICENCES)
        stack.callback(pusher.close)
        yield [
            RawRoundTrip(broker.address(), rate, seconds, stage.placing),
            Steady(pusher, databases[feed], databases["reporting"], rate, seconds),
        ]


def read(run: Run, samples: Samples) -> list[Figure]:
    ours, raw = samples["commit to figure"], samples["limit: produce–consume"]
    many = Spread.of(ratios(values(ours, "p99"), values(raw, "p99")))
    told = ", ".join(f"{name} {milliseconds(values(ours, name))}" for name in ("p50", "p95", "p99"))
    rough = ", ".join(f"{name} {milliseconds(values(raw, name))}" for name in ("p50", "p99"))
    rate = run.size.rate_per_second
    return [
        Figure(
            f"commit to figure over Kafka, {rate} deliveries of {RECORDS} records a second",
            f"p99 {many.middle:.1f} × raw ({many.low:.1f}–{many.high:.1f}): {told};"
            f" raw round trip {rough}; reached {Spread.of(rates(ours)).middle:.1f} a second",
            f"{FLOOR} ×",
            f"{GOAL} ×",
            at_most(many, FLOOR),
        )
    ]


def measures(run: Run) -> list[Measure]:
    return [Measure("latency", "commit to figure", partial(world, run), partial(read, run))]
