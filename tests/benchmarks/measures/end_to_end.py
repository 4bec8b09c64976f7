"""End to end: from the first POST to the figure that all of its records have moved."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import httpx

from tests.benchmarks.limits import CopyOfPrepared
from tests.benchmarks.made import LICENCES, PERSONS, Made, Numbers, bodies
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.pushing import WARM, Meter, Pusher, applied_in, warm
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    Measure,
    Sample,
    Samples,
    at_least,
    check_rows,
    per_second,
    share_of,
)

FLOOR, GOAL = 8, 20
DEKAD: Final = "2008-06-D3"
CLOCK_AT: Final = "2008-12-06T04:00:00+00:00"


@dataclass(frozen=True)
class Way:
    """What is pushed and which figure it moves by one a record."""

    made: Made
    figure: str
    account: int
    """Number of the figure's account in the ledger (``reporting.figures.rules``)."""

    @property
    def moved(self) -> str:
        """The figure as the ledger's day totals have it, all days."""
        return f"SELECT sum(q1) FROM day_totals WHERE account = {self.account}"


WAYS: Final = (
    Way(LICENCES, "enterprises-registered", 6),
    Way(PERSONS, "insured-total", 1),
)


class EndToEnd:
    """Deliveries pushed one after another without waiting for receipts, then the figure watched."""

    def __init__(
        self, name: str, pusher: Pusher, meter: Meter, way: Way, numbers: Numbers, rows: int,
        size: int, settle: Settle,
    ) -> None:  # fmt: skip
        self.name = name
        self._pusher, self._meter, self._way, self._settle = pusher, meter, way, settle
        self._numbers, self._rows, self._size = numbers, rows, size
        self._bodies: list[bytes] = []
        self._locations: list[str] = []
        self._base = 0

    def prepare(self, round_no: int) -> None:
        records = self._way.made.records(self._numbers.take(self._rows), self._rows)
        self._bodies = bodies(records, self._size)
        self._base = self._meter.read()

    def run(self) -> Sample:
        began = time.perf_counter()
        pushed = self._pusher.push_all(self._bodies, wait=False)
        self._meter.wait_for(self._base + self._rows)
        seconds = time.perf_counter() - began
        self._locations = [one["location"] for one in pushed]
        return Sample(self._rows, seconds)

    def check(self) -> None:
        receipts = [self._pusher.finished(at)["receipt"] for at in self._locations]
        check_rows(f"{self.name}: receipts", applied_in(receipts), self._rows)
        self._settle(self._base + self._rows)


class Settle:
    """Ask the public API for the figure, and wait until everything else has come to rest, so that
    no round works in another's time."""

    def __init__(
        self, url: str, tokens: Mapping[str, str], way: Way, rest: Sequence[Meter]
    ) -> None:
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {tokens['auditor']}"},
            timeout=60,
            trust_env=False,
        )
        self._way, self._rest = way, rest

    def __call__(self, wanted: int) -> None:
        figure = f"{self._way.figure}.210500.{DEKAD}.cumulative"
        answer = self._client.get(f"/reporting/v1/figures/{figure}")
        answer.raise_for_status()
        check_rows(f"figure {figure}", int(answer.json()["value"]), wanted)
        for meter in self._rest:
            meter.wait_until_none()

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()


MATCH_DUE: Final = "SELECT count(*) FROM match_queue"
UNSENT: Final = "SELECT count(*) FROM outbox_blocks WHERE sent_at IS NULL"


@contextmanager
def whole_world(run: Run, way: Way) -> Iterator[Sequence[Alternative]]:
    """The all-in-one on its embedded bus, and a plain table on the same server."""
    size = 5_000
    with ExitStack() as stack:
        whole = stack.enter_context(run.stage.whole(f"whole-{way.made.feed}"))
        run.watched({"all-in-one": whole.pid})
        set_clock(whole.url, whole.tokens)
        pusher = Pusher(whole.url, whole.tokens, way.made)
        stack.callback(pusher.close)
        numbers = Numbers()
        warm(pusher, way.made, numbers)
        meter = Meter(whole.postgres.url("reporting", "reporting"), way.moved)
        stack.callback(meter.close)
        meter.wait_for(WARM)
        unsent = [
            Meter(whole.postgres.url(name, name), UNSENT)
            for name in ("registration_feed", "enrollment")
        ]
        for one in unsent:
            stack.callback(one.close)
        due = Meter(whole.postgres.url("enrollment", "enrollment"), MATCH_DUE)
        stack.callback(due.close)
        settle = Settle(whole.url, whole.tokens, way, [*unsent, due])
        stack.callback(settle.close)
        plain = whole.postgres.create_database("bench", "bench")
        limit = CopyOfPrepared(plain, way.made, Numbers(), size, run.stage.placing)
        stack.callback(limit.close)
        yield [
            limit,
            EndToEnd("end to end", pusher, meter, way, numbers, run.size.rows, size, settle),
        ]


def read(run: Run, way: Way, samples: Samples) -> list[Figure]:
    share = share_of(samples["end to end"], samples["copy"])
    return [
        Figure(
            f"end to end, {way.made.feed}, 5,000 a request, all-in-one",
            f"{share.middle:.1f} % of COPY ({share.low:.1f}–{share.high:.1f}):"
            f" {per_second(samples['end to end'])}, COPY {per_second(samples['copy'])}",
            f"{FLOOR} %",
            f"{GOAL} %",
            at_least(share, FLOOR),
        )
    ]


def set_clock(url: str, tokens: Mapping[str, str]) -> None:
    """The demo clock at the end of the campaign, so that its months lie in the past."""
    answer = httpx.put(
        f"{url}/reporting/v1/clock",
        json={"at": CLOCK_AT},
        headers={"Authorization": f"Bearer {tokens['operator']}"},
        trust_env=False,
    )
    answer.raise_for_status()


def measures(run: Run) -> list[Measure]:
    """Licences and persons through the all-in-one."""
    return [
        Measure(
            name,
            f"end to end: {way.made.feed}",
            partial(whole_world, run, way),
            partial(read, run, way),
        )
        for name, way in zip(("end-to-end", "end-to-end-persons"), WAYS, strict=True)
    ]
