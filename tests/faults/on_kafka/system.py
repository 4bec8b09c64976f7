"""An installation that faults happen to: four services in processes of their own, a broker and a
database of their own, and a made city that is pushed portion by portion.

A portion is what is pushed in some dekads; at the last one's cut-off the figures have to equal the
truth of the city, whatever was broken while it was pushed.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import httpx
import psycopg
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from kuomian.city import City, Planned
from kuomian.client import Api
from kuomian.demo.drain import drained
from kuomian.demo.driver import MEASURES
from kuomian.demo.gather import compare, feed_sums
from kuomian.demo.load import Loader, set_clock
from kuomian.demo.state import Answer, Memory, closing_truth
from kuomian.installation import Installation
from kuomian.services import all_services
from shared.periods import Dekad, due_moment, local_date
from shared.plan import Plan
from tests.e2e.test_broker_city import Quiet

SERVICES: Final = all_services()
PRODUCERS: Final = tuple(service.name for service in SERVICES if service.feeds)
GROUPS: Final = {
    service.name: tuple(subscription.producer for subscription in service.subscriptions)
    for service in SERVICES
    if service.subscriptions
}
PARTITIONS: Final = 4
BOUND_SECONDS: Final = 120.0
SEED: Final = 2008
UNCORRECTED: Final = ("2008-06-D2", "2008-07-D1", "2008-08-D1")
"""Dekads at whose end the city itself has sent mistakes that it corrects in the next one only."""


@dataclass
class System:
    """The running installation and how far the city has been pushed into it."""

    plan: Plan
    city: City
    tokens: dict[str, str]
    memory: Memory
    running: Installation
    api: Api
    """A caller with the operator's token."""
    auditor: Api
    random: random.Random = field(default_factory=lambda: random.Random(SEED))
    dekad: Dekad | None = None
    """The last one pushed."""

    # -- pushing ----------------------------------------------------------------------------

    def portion(self, dekads: int = 1) -> list[Planned]:
        """What is pushed in the next dekads; the first portion has the opening in it too."""
        cutoffs = self.plan.cutoffs
        known = self.memory.answers()
        if self.dekad is None:
            first = local_date(self.city.deliveries[0].send_at)
            self.dekad = Dekad.counting(first, cutoffs).previous()
        for _ in range(dekads):
            self.dekad = self.dekad.next()
        while str(self.dekad) in UNCORRECTED:
            self.dekad = self.dekad.next()
        until = self.dekad.cutoff_on(cutoffs)
        found = [d for d in self.city.deliveries if local_date(d.send_at) <= until]
        fresh = found[len(known) :]
        assert fresh, "the city has no deliveries left"
        return fresh

    def load(self, deliveries: Sequence[Planned]) -> asyncio.Task[dict[str, Answer]]:
        """Push them beside whatever happens; a push nobody answers is tried again under its key."""
        loader = Loader(self.api, self.tokens, self.memory, Quiet())
        return asyncio.ensure_future(loader.run(deliveries))

    async def answered(self, count: int, loading: asyncio.Task[Any]) -> None:
        """Return when so many more pushes than at first have their answer, or all have."""
        await until(lambda: loading.done() or self.pushed >= count, "pushes answered")
        if loading.done():
            loading.result()

    @property
    def pushed(self) -> int:
        """How many pushes have their answer."""
        return len(self.memory.answers())

    async def moments(self, deliveries: Sequence[Planned], count: int) -> Any:
        """Load the deliveries; yields ``count`` times, at random moments spread over the load.
        Ends with the load."""
        before = self.pushed
        loading = self.load(deliveries)
        try:
            for no in range(count):
                await self.answered(before + (no + 1) * len(deliveries) // (count + 1), loading)
                # Not to wait for anything: a fault shall come in the middle of any work.
                await asyncio.sleep(self.random.uniform(0, 0.2))
                yield
            await loading
        finally:
            loading.cancel()
            await asyncio.gather(loading, return_exceptions=True)

    # -- the sums ---------------------------------------------------------------------------

    async def adds_up(self) -> str:
        """Wait until everything pushed is applied everywhere; then nothing is lost, nothing is
        counted twice, and every figure is the truth. Returns what was seen, in numbers."""
        if self.dekad is None:  # this test runs alone: it needs a city to begin with
            await self.load(self.portion(1))
        flow = await drained(self.api, seconds=BOUND_SECONDS)
        assert flow.waiting == flow.broken == ()
        assert flow.applied == flow.published > 0
        # Revisions would hide a second coming from the figures; the journal has every fact once.
        assert await self._journalled() == flow.published
        answers = self.memory.answers().values()
        assert [answer for answer in answers if not answer.as_expected] == []
        four = await self._sums()
        compared = await self._figures()
        self.running.check()
        sent, applied, *others = four
        rest = " + ".join(f"{count:,}" for count in others)
        return f"{sent:,} sent = {applied:,} + {rest}; {compared} figures true"

    async def _journalled(self) -> int:
        """How many facts reporting has taken in, as its log of record has them."""
        url = self.running.database_url("reporting")
        async with await psycopg.AsyncConnection.connect(url) as conn:
            found = await conn.execute("SELECT sum(fact_count) FROM journal")
            return int((await found.fetchone() or (0,))[0])

    async def _sums(self) -> list[int]:
        """Sent, applied, duplicate, rejected and held over all feeds, which add up in each."""
        total = [0] * 5
        pushed: dict[str, int] = {}
        for answer in self.memory.answers().values():
            if answer.kind in ("ordinary", "nil"):
                pushed[answer.feed] = pushed.get(answer.feed, 0) + answer.sent
        for one in await feed_sums(self.auditor):
            assert one.conserved, one
            assert one.sent == pushed.get(one.feed, 0), one
            total = [a + b for a, b in zip(total, [one.sent, *one.counts.values()], strict=True)]
        return total

    async def _figures(self) -> int:
        """Compare all figures of the dekad with the truth; returns how many there are."""
        assert self.dekad is not None
        on = self.dekad.cutoff_on(self.plan.cutoffs)
        await set_clock(self.api, due_moment(on) + timedelta(minutes=1), self.tokens)
        units = [unit.code for unit in self.plan.units] + [self.plan.city.code]
        progress = await self.auditor.get("/reporting/v1/progress", period=str(self.dekad))
        differences, compared = compare(progress, closing_truth(self.city, MEASURES, units, on))
        assert differences == [], differences
        assert compared == len(MEASURES) * len(units)
        return compared

    # -- processes --------------------------------------------------------------------------

    def named(self, role: str) -> list[str]:
        """The processes of a role."""
        return [name for name in self.running.names() if f"-{role}" in name]

    async def until_it_says(self, name: str, state: str, reason: str = "") -> None:
        """Return when a consumer's process says so at its own door."""

        async def said() -> bool:
            consumer = (await self._own_status(name))["workers"]["consumer"]
            return bool(consumer["state"] == state and consumer["reason"].startswith(reason))

        await until(said, f"{name} says {state} {reason}")

    async def _own_status(self, name: str) -> dict[str, Any]:
        """The status as one process tells it at its own door."""
        headers = {"Authorization": f"Bearer {self.tokens['operator']}"}
        async with httpx.AsyncClient(trust_env=False, timeout=30, headers=headers) as client:
            answer = await client.get(f"{self.running.address(name)}/{service_of(name)}/v1/status")
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    # -- what is known of the facts ---------------------------------------------------------

    async def unsent(self) -> int:
        """Facts that wait in the outboxes, but for reporting's: no figure is made of its own, and
        it reminds and chases by itself."""
        senders = [name for name in PRODUCERS if name != "reporting"]
        return sum([(await self._outbox(name))["unsent_facts"] for name in senders])

    async def head(self, producer: str) -> int:
        """How many facts a producer has given a position."""
        heads: dict[str, int] = (await self._outbox(producer))["heads"]
        return sum(heads.values())

    async def _outbox(self, producer: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.api.get(f"/{producer}/v1/status"))["outbox"]
        return found

    async def heads_heard_by(self, group: str) -> int:
        """How many facts there are for a group."""
        return sum([await self.head(producer) for producer in GROUPS[group]])

    async def outcomes(self, group: str, outcome: str) -> int:
        """What a group's consumers have counted since they were started."""
        count = 0.0
        pattern = re.compile(rf'^kuomian_inbox_facts_total{{.*outcome="{outcome}".*}} (\S+)$', re.M)
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            for name in self.named("consumer"):
                if service_of(name) == group:
                    answer = await client.get(f"{self.running.address(name)}/{group}/metrics")
                    count += sum(map(float, pattern.findall(answer.text)))
        return int(count)

    async def until_dropped(self, group: str, count: int) -> None:
        """Return when a group's consumers have met so many facts that they knew."""

        async def dropped() -> bool:
            return await self.outcomes(group, "dropped") >= count

        await until(dropped, f"{group} drops {count} facts")

    # -- the broker -------------------------------------------------------------------------

    def admin(self) -> AdminClient:
        """Somebody who may do anything at the broker."""
        return AdminClient({"bootstrap.servers": self.running.broker.address()})

    async def delete_topic(self, topic: str) -> None:
        """Delete it; returns when it is gone."""

        def delete() -> None:
            admin = self.admin()
            [deleted] = admin.delete_topics([topic], operation_timeout=30).values()
            deleted.result(30)

        await asyncio.to_thread(delete)

    async def kept(self, topic: str) -> int:
        """How many different positions the topic holds."""

        def read() -> int:
            return len(positions_in(self.running.broker.address(), topic))

        return await asyncio.to_thread(read)

    async def until_members(self, group: str, count: int) -> None:
        """Return when so many members have all partitions of the group between them."""

        async def shared() -> bool:
            shares = await self.shares(group)
            return len(shares) == count and sum(shares) == len(GROUPS[group]) * PARTITIONS

        await until(shared, f"{count} members in {group}")

    async def shares(self, group: str) -> list[int]:
        """How many partitions each member of a group has."""

        def ask() -> list[int]:
            admin = self.admin()  # lives until the answer is there
            [found] = admin.describe_consumer_groups([group]).values()
            return [len(member.assignment.topic_partitions) for member in found.result(30).members]

        return await asyncio.to_thread(ask)

    async def to_the_beginning(self, group: str) -> int:
        """Set a group without members back to the earliest messages; in how many partitions."""

        def reset() -> int:
            admin = self.admin()
            [listed] = admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group)]
            ).values()
            places = listed.result(30).topic_partitions
            for place in places:
                place.offset = 0
            wanted = ConsumerGroupTopicPartitions(group, places)
            [altered] = admin.alter_consumer_group_offsets([wanted]).values()
            return len(altered.result(30).topic_partitions)

        return await asyncio.to_thread(reset)


def positions_in(address: str, topic: str) -> set[tuple[int, int]]:
    """Partition and position of every fact a topic holds, read by a foreign client."""
    reader = Consumer(
        {"bootstrap.servers": address, "group.id": "faults", "enable.auto.commit": False}
    )
    try:
        found: set[tuple[int, int]] = set()
        partitions = reader.list_topics(topic, timeout=30).topics[topic].partitions
        for partition in partitions:
            place = TopicPartition(topic, partition, 0)
            _, end = reader.get_watermark_offsets(place, timeout=30)
            reader.assign([place])
            at = 0
            while at < end:
                for message in reader.consume(min(1000, end - at), timeout=30):
                    position = dict(message.headers() or ())["ce_position"]
                    found.add((partition, int(position or 0)))
                    at = (message.offset() or 0) + 1
        return found
    finally:
        reader.close()


def service_of(name: str) -> str:
    """Whose process it is."""
    return next(service.name for service in SERVICES if name.startswith(f"{service.name}-"))


async def until(
    holds: Callable[[], bool | Awaitable[bool]], what: str, seconds: float = BOUND_SECONDS
) -> None:
    """Return when it holds; AssertionError saying what did not after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                found = holds()
                if found if isinstance(found, bool) else await found:
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what}") from None
