"""Pushing a city: in the order it happened, the demo clock set to each moment.

Deliveries of different services overlap, and so do deliveries of one feed; a delivery waits for
those of the other feeds of its service (an employer is known before its people come), and a new
day waits for the whole day before it. Officers sit down when everything told so far is applied.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kuomian.city import Planned
from kuomian.city.officers import Deed
from kuomian.client import Api, Body, Refused
from kuomian.demo.drain import drained
from kuomian.demo.offices import Office
from kuomian.demo.state import Answer, Done, Memory, expected_counts, push_id
from kuomian.screen import Bar
from shared.periods import local_date

RECORDS_ON_THE_WAY = 60_000
"""Back-pressure: no further push while so many records wait to be judged."""
PIECE = 128 * 1024


@dataclass(frozen=True)
class _Running:
    planned: Planned
    task: asyncio.Task[None]


class Loader:
    """One load, or the rest of an interrupted one."""

    def __init__(
        self,
        api: Api,
        tokens: Mapping[str, str],
        memory: Memory,
        bar: Bar,
    ) -> None:
        self._api = api
        self._tokens = tokens
        self._memory = memory
        self._bar = bar
        self._answers = memory.answers()
        self._done_deeds = memory.done()
        self._office = Office(api, tokens)
        self._running: list[_Running] = []
        self._partly: dict[str, int] = {}
        self._lanes: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._done = sum(answer.sent for answer in self._answers.values())
        self._clock_at: datetime | None = None
        self._clock_set = 0.0
        self._offset = max((answer.ended for answer in self._answers.values()), default=0.0)
        self._began = time.monotonic()

    async def run(self, events: Iterable[Planned | Deed]) -> dict[str, Answer]:
        """Push what has no answer yet, and do what is not done; returns all answers by
        ``push_id``.

        Raises Refused for a refusal the city did not plan, Unreachable.
        """
        day, sitting = None, False
        try:
            for event in events:
                if self._is_over(event):
                    continue
                if local_date(event.send_at) != day:
                    await self._settle(lambda _: True)
                    day = local_date(event.send_at)
                    sitting = False
                if isinstance(event, Deed):
                    await self._sit_down(event, sitting)
                    sitting = True
                    continue
                sitting = False
                await self._make_way(event)
                await self._set_clock(event.send_at)
                await self._push(event)
            await self._settle(lambda _: True)
        except BaseException:
            for running in self._running:
                running.task.cancel()
            await asyncio.gather(*(r.task for r in self._running), return_exceptions=True)
            raise
        return self._answers

    def _is_over(self, event: Planned | Deed) -> bool:
        if isinstance(event, Deed):
            return event.name in self._done_deeds
        return push_id(event) in self._answers

    async def _sit_down(self, deed: Deed, sitting: bool) -> None:
        """Do it; where others were pushing meanwhile, once all they told is applied."""
        if not sitting:
            await self._settle(lambda _: True)
            await drained(self._api)
        await self._set_clock(deed.send_at)
        done = Done(deed.name, deed.refused, await self._office.do(deed))
        self._done_deeds[done.name] = done
        self._memory.note(done)

    async def _make_way(self, planned: Planned) -> None:
        """Wait for the deliveries this one must not overtake, and for room."""
        await self._settle(
            lambda other: (
                other.service == planned.service
                and (other.feed != planned.feed or other.key == planned.key)
            )
        )
        while self._running and self._on_the_way() + planned.records > RECORDS_ON_THE_WAY:
            first = self._running[0].planned
            await self._settle(lambda other, first=first: other is first)  # type: ignore[misc]

    def _on_the_way(self) -> int:
        return sum(running.planned.records for running in self._running)

    async def _settle(self, which: Callable[[Planned], bool]) -> None:
        for running in [r for r in self._running if which(r.planned)]:
            await running.task
            self._running.remove(running)
        for running in [r for r in self._running if r.task.done()]:
            running.task.result()
            self._running.remove(running)

    async def _set_clock(self, at: datetime) -> None:
        """Set the demo clock to the moment, unless it has ticked past it within the day."""
        if self._clock_at is not None:
            ticked = self._clock_at + timedelta(seconds=time.monotonic() - self._clock_set)
            if ticked >= at and local_date(ticked) == local_date(at):
                return
        await set_clock(self._api, at, self._tokens)
        self._clock_at, self._clock_set = at, time.monotonic()

    async def _push(self, planned: Planned) -> None:
        """Push; the body is taken and checked when this returns, the receipt may come later."""
        token, began = self._tokens[planned.role], self._now()
        body = None if planned.kind == "nil" else streamed(planned)
        try:
            pushed = await self._api.push(
                planned.service,
                planned.feed,
                planned.period,
                planned.key,
                body,
                respond_async=True,
                token=token,
            )
        except Refused as refused:
            if planned.kind != "cut":
                raise
            self._note(planned, began, refused=refused.code)
            return

        async def wait() -> None:
            def progress(done: int) -> None:
                self._partly[push_id(planned)] = done
                self._show(planned)

            # One feed's deliveries end in order: only the oldest is asked after.
            async with self._lanes[planned.feed]:
                receipt = await self._api.receipt(pushed, token=token, on_progress=progress)
            self._partly.pop(push_id(planned), None)
            self._note(planned, began, receipt)

        self._running.append(_Running(planned, asyncio.create_task(wait())))

    def _note(
        self,
        planned: Planned,
        began: float,
        receipt: Mapping[str, object] | None = None,
        refused: str = "",
    ) -> None:
        answer = answer_of(planned, receipt or {}, refused, began, self._now())
        self._answers[answer.push] = answer
        self._memory.add(answer)
        self._done += planned.records
        self._show(planned)

    def _show(self, planned: Planned) -> None:
        done = self._done + sum(self._partly.values())
        self._bar.at(done, f"{local_date(planned.send_at)} {planned.title}")

    def _now(self) -> float:
        return self._offset + time.monotonic() - self._began


def answer_of(
    planned: Planned, receipt: Mapping[str, object], refused: str, began: float, ended: float
) -> Answer:
    """What to remember of an answered push."""
    counts = {name: receipt.get(name, 0) for name in ("applied", "duplicate", "rejected", "held")}
    text = json.dumps(receipt, sort_keys=True, ensure_ascii=False)
    return Answer(
        push=push_id(planned),
        service=planned.service,
        feed=planned.feed,
        kind=planned.kind,
        sent=planned.records,
        counts=counts,  # type: ignore[arg-type]
        expected=expected_counts(planned),
        problems=dict(receipt.get("problems", {})),  # type: ignore[call-overload]
        delivery=str(receipt.get("delivery", "")),
        receipt=hashlib.sha256(text.encode()).hexdigest() if receipt else "",
        refused=refused,
        plants=planned.plants,
        began=round(began, 3),
        ended=round(ended, 3),
    )


def streamed(planned: Planned) -> Body:
    """The body in pieces of some lines, made anew for each try."""

    async def pieces() -> AsyncIterator[bytes]:
        piece = bytearray()
        for line in planned.body():
            piece += line
            if len(piece) >= PIECE:
                yield bytes(piece)
                piece.clear()
                await asyncio.sleep(0)
        yield bytes(piece)

    return pieces


async def set_clock(api: Api, at: datetime, tokens: Mapping[str, str]) -> None:
    """Set the one clock of the all-in-one."""
    headers = {"Authorization": f"Bearer {tokens['operator']}"}
    body = {"at": at.isoformat()}
    await api.repeat("PUT", "/reporting/v1/clock", json=body, headers=headers)
