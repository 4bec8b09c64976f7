"""Pushing made records through the public API, as a department's system would."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import psycopg

from tests.benchmarks.made import PERIOD, Made, Numbers, bodies, new_key
from tests.benchmarks.rounds import Miscounted
from tests.benchmarks.sender import Sender

WAIT_SECONDS: Final = 60
STUCK_SECONDS: Final = 120.0
WARM: Final = 1_000
NDJSON: Final = "application/x-ndjson"


class Pusher:
    """A sender with one connection that pushes one delivery after another."""

    def __init__(self, url: str, tokens: Mapping[str, str], made: Made) -> None:
        self._made = made
        self._sender = Sender(url, {"Authorization": f"Bearer {tokens[made.department]}"})
        self._path = f"/{made.service}/v1/feeds/{made.feed}/deliveries"

    def close(self) -> None:
        """Give the connection back."""
        self._sender.close()

    def push(
        self,
        body: bytes | Iterable[bytes],
        *,
        period: str = PERIOD,
        wait: bool = True,
        kind: str = NDJSON,
    ) -> dict[str, Any]:
        """The receipt, or with ``wait=False`` the delivery's address as soon as the body is kept.

        Raises Miscounted for any other answer.
        """
        headers = {"Idempotency-Key": new_key(), "Content-Type": kind}
        if not wait:
            headers["Prefer"] = "respond-async"
        query: dict[str, str | int] = {"period": period}
        if wait:
            query["wait"] = WAIT_SECONDS
        answer = self._sender.post(self._path, body, headers, query)
        if answer.status != (201 if wait else 202):
            raise Miscounted(f"{answer.status}: {answer.body[:500]!r}")
        document: dict[str, Any] = answer.document
        return document if wait else {"location": answer.headers["location"]}

    def push_all(self, bodies_: Sequence[bytes], *, wait: bool = True) -> list[dict[str, Any]]:
        """One after another."""
        return [self.push(body, wait=wait) for body in bodies_]

    def finished(self, location: str) -> dict[str, Any]:
        """The delivery once it is done. Raises Miscounted when it was refused or is stuck."""
        until, done = time.monotonic() + STUCK_SECONDS, 0
        while time.monotonic() < until:
            delivery: dict[str, Any] = self._sender.get(location).document
            if delivery.get("records_done", 0) != done:
                done, until = delivery["records_done"], time.monotonic() + STUCK_SECONDS
            if delivery["status"] == "done":
                return delivery
            if delivery["status"] == "rejected":
                raise Miscounted(f"refused: {delivery}")
            time.sleep(0.02)
        raise Miscounted(f"nothing moves at {location}")


def warm(pusher: Pusher, made: Made, numbers: Numbers) -> None:
    """One delivery that is not measured: the judging process starts with the first record, and
    statements are planned at their first use."""
    receipt = pusher.push(bodies(made.records(numbers.take(WARM), WARM), WARM)[0])
    if int(receipt["applied"]) != WARM:
        raise Miscounted(f"warming up: {receipt}")


def applied_in(receipts: Iterable[Mapping[str, Any]]) -> int:
    """How many records the receipts call applied."""
    return sum(int(receipt["applied"]) for receipt in receipts)


class Meter:
    """Reads one number from a database again and again."""

    def __init__(self, url: str, statement: str) -> None:
        self._conn = psycopg.connect(url, autocommit=True)
        self._statement = statement

    def close(self) -> None:
        """End the session."""
        self._conn.close()

    def read(self) -> int:
        """The number now, 0 for none."""
        row = self._conn.execute(self._statement).fetchone()
        return int(row[0] or 0) if row else 0

    def wait_until_none(self, look_seconds: float = 0.02) -> None:
        """Return once the number is 0. Raises Miscounted when it stands still above that."""
        last, moved_at = self.read(), time.monotonic()
        while last:
            if time.monotonic() - moved_at > STUCK_SECONDS:
                raise Miscounted(f"{last:,} left, and nothing moves")
            time.sleep(look_seconds)
            now = self.read()
            if now != last:
                last, moved_at = now, time.monotonic()

    def wait_for(self, wanted: int, look_seconds: float = 0.01) -> None:
        """Return once the number is ``wanted``. Raises Miscounted when it stands still below
        that for ``STUCK_SECONDS``, or goes beyond."""
        last, moved_at = self.read(), time.monotonic()
        while last < wanted:
            if time.monotonic() - moved_at > STUCK_SECONDS:
                raise Miscounted(f"{last:,} of {wanted:,}, and nothing moves")
            time.sleep(look_seconds)
            now = self.read()
            if now != last:
                last, moved_at = now, time.monotonic()
        if last != wanted:
            raise Miscounted(f"{last:,}, more than the {wanted:,} that were sent")
