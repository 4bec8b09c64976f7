"""A ledger with entries in it: made persons and receipts, pushed through the public API and
applied by the product itself, nothing copied behind its back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from tests.benchmarks.made import PERSONS, RECEIPTS, Made, bodies
from tests.benchmarks.measures.end_to_end import set_clock
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.pushing import Meter, Pusher, applied_in
from tests.benchmarks.rounds import check_rows
from tests.benchmarks.stage import Whole

MONTHS: Final = ("2008-04", "2008-06", "2008-09", "2008-11")
SHARES: Final = (0.85, 0.05, 0.05, 0.05)
"""Most persons stand in the opening register, as in the made city."""
RECEIPT_PERIOD: Final = "2008-06-D3"
PAST_DEKAD, THIS_DEKAD = "2008-09-D3", "2008-11-D3"
"""Of months with 30 days: a 31st counts in the next dekad."""
SIZE: Final = 25_000


@contextmanager
def filled(run: Run, name: str, persons: int) -> Iterator[Whole]:
    """An all-in-one whose ledger has so many persons and a tenth as many receipts in it."""
    with run.stage.whole(name) as whole:
        set_clock(whole.url, whole.tokens)
        wanted = 0
        for month, share in zip(MONTHS, SHARES, strict=True):
            size = round(persons * share)
            push(whole, PERSONS, 1 + wanted, size, month)
            wanted += size
        receipts = persons // 10
        push(whole, RECEIPTS, 1, receipts, RECEIPT_PERIOD)
        with ExitStack() as stack:
            for account, count in ((1, wanted), (2, receipts)):
                meter = Meter(
                    whole.postgres.url("reporting", "reporting"),
                    f"SELECT count(*) FROM holdings WHERE account = {account}",
                )
                stack.callback(meter.close)
                meter.wait_for(count, 0.2)
        yield whole


def push(whole: Whole, made: Made, first: int, size: int, period: str) -> None:
    """Push so many records and wait for their receipts. Raises Miscounted unless all applied."""
    pusher = Pusher(whole.url, whole.tokens, made)
    try:
        locations = [
            pusher.push(body, period=period, wait=False)["location"]
            for body in bodies(made.records(first, size), SIZE)
        ]
        receipts = [pusher.finished(at)["receipt"] for at in locations]
    finally:
        pusher.close()
    check_rows(f"filling {made.feed}", applied_in(receipts), size)
