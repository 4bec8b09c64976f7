"""Messages nobody can understand, in the middle of load: each becomes a dead letter that says why,
everything else goes on; too many stop the consumer until somebody mends what is wrong."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from confluent_kafka import Producer

from kuomian.demo.drain import drained
from kuomian.kafka_broker import KafkaBroker
from shared.bus import Bus, Message
from shared.consumers import ConsumerState
from shared.events import Fact
from tests.conftest import PostgresForTests
from tests.faults.city_under_load import (
    BOUND_SECONDS,
    OPENING,
    PORTION,
    CityUnderLoad,
    buses,
    chance,
    city_under_load,
    embedded_bus,
    migrated,
    until,
)
from tests.faults.conftest import Faults

PRODUCER, TOPIC = "tax-feed", "tax-feed.events"
RECEIVERS = ("enrollment", "reporting")
LIMIT = 5
FIRST_MONEY = 16
"""Deliveries until there are facts in every partition of the producer."""


class Odd(Fact, frozen=True, kw_only=True):
    """A fact of the producer's own that its receivers cannot read, with a position like any."""

    producer: ClassVar[str] = PRODUCER
    title_zh: ClassVar[str] = "怪"


class OfAnUnknownType(Odd, frozen=True, kw_only=True):
    kind: ClassVar[str] = "something-new"


class OfATypeWithNul(Odd, frozen=True, kw_only=True):
    kind: ClassVar[str] = "nul\0"


class OfAnOldVersion(Odd, frozen=True, kw_only=True):
    kind: ClassVar[str] = "contribution-collected"
    version: ClassVar[int] = 0
    pooled_fen: int = 1


class Broken(Odd, frozen=True, kw_only=True):
    kind: ClassVar[str] = "contribution-collected"
    pooled_fen: str = "a lot"


class Huge(Odd, frozen=True, kw_only=True):
    kind: ClassVar[str] = "contribution-collected"
    unit: str = "x" * 700_000


TOLD = ("unknown fact type", "missing required field", "too far ahead", "does not own")
OWN = (OfAnUnknownType, OfATypeWithNul, OfAnOldVersion, Broken, Huge)


async def write_odd_facts(city: CityUnderLoad, seed: str) -> int:
    """Through the producer's own outbox, so under positions of its own; returns how many."""
    draw, runtime = chance(seed), city.runtimes[PRODUCER]
    for no, odd in enumerate(OWN):
        fact = odd(
            key=f"oc:{draw.randrange(10**9)}",
            subject=f"odd:{no}",
            revision=1,
            recorded_at=runtime.clock.now(),
        )
        async with runtime.database.transaction() as conn:
            await runtime.outbox.write(conn, [fact])
    return len(OWN)


def strange(source: str, position: int) -> Message:
    """A message past the outbox, put straight on the topic."""
    return Message(
        f"strange:{position}",
        "tax-feed.delivery-received.v1",
        source,
        "receipts",
        position,
        "2008-06-10T04:00:00Z",
        None,
        b"{}",
    )


async def write_strange_messages(bus: Bus) -> int:
    """What another producer wrote, and what claims a position that cannot be."""
    await bus.start()
    try:
        messages = [strange("enrollment", 1), strange(PRODUCER, 10**12)]
        await bus.publish(TOPIC, {0: messages})
        return len(messages)
    finally:
        await bus.close()


def write_foreign_records(broker: KafkaBroker) -> int:
    """What is no CloudEvent, or one that no producer of ours would write."""
    headers = {
        "ce_id": "x", "ce_type": "t", "ce_source": PRODUCER, "ce_time": "t", "ce_position": "7",
    }  # fmt: skip
    records: list[dict[str, Any]] = [
        {"value": b"hello"},
        {"value": None, "key": b"k"},
        {"value": b"{}", "key": b"\xff", "headers": headers},
        {"value": b"{}", "key": b"k", "headers": headers | {"ce_position": "9" * 30}},
        {"value": b"{}", "key": b"k", "headers": headers | {"ce_source": "no\0body"}},
    ]
    producer = Producer({"bootstrap.servers": broker.address()})
    for record in records:
        producer.produce(TOPIC, partition=1, **record)
    assert producer.flush(30) == 0
    return len(records)


async def letters(city: CityUnderLoad, service: str) -> list[dict[str, Any]]:
    return [one async for one in city.api.items(f"/{service}/v1/dead-letters", limit=1000)]


async def until_letters(city: CityUnderLoad, service: str, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(BOUND_SECONDS):
        while len(found := await letters(city, service)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert len(found) == count, [one["reason"] for one in found]
    return found


async def trust_codes(city: CityUnderLoad) -> set[str]:
    trust = await city.api.get("/reporting/v1/trust")
    return {reason["code"] for reason in trust["reasons"]}


@pytest.mark.parametrize(
    "kind", ["embedded", pytest.param("kafka", marks=[pytest.mark.kafka, pytest.mark.slow])]
)
async def test_poison_is_put_aside_with_its_reason(
    kind: str,
    postgres: PostgresForTests,
    tmp_path: Path,
    faults: Faults,
    request: pytest.FixtureRequest,
) -> None:
    urls = await migrated(postgres)
    new_bus = buses(kind, urls, request)
    async with city_under_load(urls, tmp_path, new_bus()) as city:
        await city.push(FIRST_MONEY)
        await drained(city.api)
        pushing = city.pushing(PORTION)
        count = await write_odd_facts(city, kind)
        count += await write_strange_messages(new_bus())
        if kind == "kafka":
            count += await asyncio.to_thread(
                write_foreign_records, request.getfixturevalue("empty_kafka")
            )
        await pushing
        for service in RECEIVERS:
            found = await until_letters(city, service, count)
            assert all(one["reason"] for one in found)
            reasons = " ".join(one["reason"] for one in found)
            for told in (
                "unknown fact type",
                "missing required field",
                "too far ahead",
                "does not own",
            ):
                assert told in reasons
            assert ("not a CloudEvent" in reasons) == (kind == "kafka")
        assert "dead-letters" in await trust_codes(city)
        for service in RECEIVERS:
            order = {"ids": [one["id"] for one in await letters(city, service)], "reason": "test"}
            for outcome in ("dismissed", "already-closed"):
                done = await city.api.send("POST", f"/{service}/v1/dead-letters/dismiss", order)
                assert [one["outcome"] for one in done] == [outcome] * count
        conserved = await city.settled()
        assert "dead-letters" not in await trust_codes(city)
    faults.survived(f"topic ({kind})", "poison messages", times=count, held=conserved)


@asynccontextmanager
async def refusing_money(city: CityUnderLoad) -> AsyncIterator[None]:
    """Reporting's ledger refuses every entry of one unit, as a rule gone wrong would."""
    database = city.runtimes["reporting"].database
    async with database.transaction() as conn:
        for statement in _REFUSE:
            await conn.execute(sa.text(statement))
    yield
    async with database.transaction() as conn:
        await conn.execute(sa.text("DROP TRIGGER refuse ON entries"))


_REFUSE = (
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'this subject is refused'; END $$",
    "CREATE TRIGGER refuse BEFORE INSERT ON entries FOR EACH ROW"
    " WHEN (hashtext(NEW.subject) % 2 = 0) EXECUTE FUNCTION refuse()",
)


async def test_too_many_stop_the_consumer_until_they_are_dealt_with(
    postgres: PostgresForTests, tmp_path: Path, faults: Faults
) -> None:
    urls = await migrated(postgres)
    bus = embedded_bus(urls)
    async with city_under_load(urls, tmp_path, bus, dead_letter_limit=LIMIT) as city:
        await city.push(OPENING)
        await drained(city.api)
        report = city.workers("reporting").consumers
        assert report is not None
        replayed = 0
        async with refusing_money(city):
            # Intake and the other consumer go on.
            await city.push(PORTION // 2)
            await until(lambda: report.state == ConsumerState.STOPPED)
            assert str(LIMIT) in report.reason
            status = await city.status("reporting")
            assert status["inbox"]["stopped"]
            assert status["inbox"]["dead_letters_open"] == LIMIT + 1
            assert status["workers"]["consumer"]["state"] == "stopped"
            assert {"dead-letters", "consumer-stopped"} <= await trust_codes(city)
            assert (await city.status("enrollment"))["workers"]["consumer"]["state"] == "running"
            outcomes = await replay(city, await letters(city, "reporting"))
            assert set(outcomes) == {"failed"}, "not mended yet"
        outcomes = await replay(city, await letters(city, "reporting"))
        assert set(outcomes) == {"applied"}
        replayed += len(outcomes)
        conserved = await city.settled()
    what = f"more than {LIMIT} dead letters, mended and replayed"
    faults.survived("reporting", what, times=replayed, held=conserved)


async def replay(city: CityUnderLoad, found: Sequence[dict[str, Any]]) -> list[str]:
    order = {"ids": [one["id"] for one in found]}
    done = await city.api.send("POST", "/reporting/v1/dead-letters/replay", order)
    return [one["outcome"] for one in done]
