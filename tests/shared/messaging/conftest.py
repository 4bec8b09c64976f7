"""A producer, a consumer and the embedded bus between them, each with a database of its own."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus import Batch, Message
from shared.bus.postgres import PostgresBus
from shared.consumers import FactConsumer
from shared.database import Database, plain_url
from shared.events.tax_feed import ContributionCollected
from shared.inbox import Effect, FactBatch, Inbox, inbox_tables
from shared.outbox import Outbox, outbox_tables
from shared.relay import Relay

PRODUCER = "tax-feed"
PARTITIONS = 3
RECORDED_AT = datetime(2008, 6, 10, 4, 0, tzinfo=UTC)


def tables() -> sa.MetaData:
    """Outbox, inbox, and a table of effects that tells a second effect from a first."""
    metadata = sa.MetaData()
    outbox_tables(metadata)
    inbox_tables(metadata)
    sa.Table(
        "effects",
        metadata,
        sa.Column("no", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("fact_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("fen", sa.BigInteger, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    return metadata


class World:
    """Everything a test of the way from outbox to effect needs; all of it real."""

    producer_name = PRODUCER
    partitions = PARTITIONS
    topic = f"{PRODUCER}.events"

    def __init__(self, producer_url: str, consumer_url: str, bus_url: str) -> None:
        self.producer_url, self.consumer_url, self.bus_url = producer_url, consumer_url, bus_url
        self.producer = Database(producer_url, name="producer")
        self.consumer = Database(consumer_url, name="consumer")
        self.bus = PostgresBus(bus_url, lease_seconds=5.0, poll_seconds=0.2)
        self.outbox = Outbox(PRODUCER, PARTITIONS)
        self._numbers = itertools.count(1)

    async def start(self) -> None:
        await self.bus.start()
        await self.bus.ensure_topics({self.topic: PARTITIONS})

    async def close(self) -> None:
        await self.bus.close()
        await self.producer.close()
        await self.consumer.close()

    # -- facts ------------------------------------------------------------------------------

    def fact(self, key: str = "oc:123456780", **more: Any) -> ContributionCollected:
        """A contribution of as many fen as its number, so that sums tell which took effect."""
        no = next(self._numbers)
        given: dict[str, Any] = {
            "key": key,
            "subject": f"receipt:{no}",
            "revision": no,
            "delivery_id": "d1",
            "record_no": no,
            "recorded_at": RECORDED_AT,
            "unit": "210502",
            "receipt_no": str(no),
            "month_for": "2008-05",
            "received_on": date(2008, 6, 5),
            "pooled_fen": no,
            "individual_fen": 0,
        }
        return ContributionCollected(**(given | more))

    def facts(self, count: int, keys: int = 5) -> list[ContributionCollected]:
        return [self.fact(f"oc:{no % keys}") for no in range(count)]

    async def write(self, facts: Sequence[Any], traceparent: str | None = None) -> None:
        async with self.producer.transaction() as conn:
            await self.outbox.write(conn, facts, traceparent)

    def relay(self, **options: Any) -> Relay:
        return Relay(self.producer, self.bus, self.outbox, **options)

    def messages(self, facts: Iterable[Any], first_position: int = 1) -> list[Message]:
        """Messages as the relay would make them, for a test that injects its own."""
        return [
            Message(
                id=fact.fact_id,
                type=fact.type_name(),
                source=PRODUCER,
                key=fact.key,
                position=position,
                time="2008-06-10T04:00:00Z",
                traceparent=None,
                data=_encoded(fact),
            )
            for position, fact in enumerate(facts, first_position)
        ]

    async def on_the_bus(self) -> dict[int, list[Message]]:
        """All that lies on the topic, by partition, in order."""
        consumer = self.bus.consumer(f"look-{next(self._numbers)}", [self.topic])
        await consumer.start()
        found: dict[int, list[Message]] = {}
        try:
            while batches := await consumer.fetch(10_000, 0):
                for batch in batches:
                    found.setdefault(batch.partition, []).extend(batch.messages)
        finally:
            await consumer.close()
        return found

    # -- effects ----------------------------------------------------------------------------

    def inbox(self, effect: Effect | None = None, limit: int = 100) -> Inbox:
        one = effect or post

        async def together(conn: AsyncConnection, batches: Sequence[FactBatch]) -> None:
            for batch in batches:
                await one(conn, batch)

        return Inbox(self.consumer, {PRODUCER: one}, limit, joint={PRODUCER: together})

    def batch(self, messages: Sequence[Message], partition: int = 0) -> Batch:
        return Batch(self.topic, partition, 0, list(messages), len(messages))

    def fact_consumer(self, inbox: Inbox, **options: Any) -> FactConsumer:
        given: dict[str, Any] = {"fetch_seconds": 0.1, "recheck_seconds": 0.05}
        return FactConsumer(inbox, self.bus, "reporting", **(given | options))

    async def rows(self, statement: str, database: Database | None = None) -> list[Any]:
        async with (database or self.consumer).read() as conn:
            return list(await conn.execute(text(statement)))

    async def value(self, statement: str, database: Database | None = None) -> Any:
        return (await self.rows(statement, database))[0][0]

    async def effects(self) -> list[tuple[str, int]]:
        """(fact id, fen) in the order they took effect."""
        return [
            (row.fact_id, row.fen)
            for row in await self.rows("SELECT fact_id, fen FROM effects ORDER BY no")
        ]


def _encoded(fact: Any) -> bytes:
    from shared.events import encode

    return encode(fact)


async def post(conn: AsyncConnection, batch: FactBatch) -> None:
    """The plain effect: one row per fact."""
    await conn.execute(
        text(
            "INSERT INTO effects (fact_id, key, revision, fen, partition, position)"
            " VALUES (:fact_id, :key, :revision, :fen, :partition, :position)"
        ),
        [
            {
                "fact_id": received.fact.fact_id,
                "key": received.fact.key,
                "revision": received.fact.revision,
                "fen": getattr(received.fact, "pooled_fen", 0),
                "partition": batch.partition,
                "position": received.position,
            }
            for received in batch.facts
        ],
    )


@pytest.fixture(scope="session")
def database_urls(postgres: Any) -> list[str]:
    """Producer, consumer, bus, and one to act on the others from. Made once: making a database
    waits for a checkpoint, emptying one does not."""
    return [postgres.fresh_database() for _ in range(4)]


@pytest.fixture
async def world(database_urls: list[str]) -> AsyncIterator[World]:
    made = World(*database_urls[:3])
    for url in database_urls[:3]:
        async with await psycopg.AsyncConnection.connect(plain_url(url)) as conn:
            await conn.execute("SET lock_timeout = '20s'; SET client_min_messages = warning")
            await conn.execute("DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS bus CASCADE")
            await conn.execute("CREATE SCHEMA public")
    for database in (made.producer, made.consumer):
        async with database.transaction() as connection:
            await connection.run_sync(tables().create_all)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def plain_effect() -> Effect:
    """The effect ``World.inbox`` uses, for handlers that add to it."""
    return post


Condition = Callable[[], Awaitable[bool]]


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """Wait for a condition, at most a bound of seconds."""

    async def wait(condition: Condition, bound: float = 30.0) -> None:
        async with asyncio.timeout(bound):
            while not await condition():  # noqa: ASYNC110 - the condition lies in a database
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
async def running() -> AsyncIterator[Callable[[Any], asyncio.Event]]:
    """Run things with a ``run(stop)`` beside the test; all are stopped at its end."""
    stops: list[asyncio.Event] = []
    tasks: list[asyncio.Task[None]] = []

    def start(what: Any) -> asyncio.Event:
        stop = asyncio.Event()
        stops.append(stop)
        tasks.append(asyncio.create_task(what.run(stop)))
        return stop

    yield start
    for stop in stops:
        stop.set()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, 10)


@pytest.fixture
def outage(database_urls: list[str]) -> Callable[[str], Any]:
    """Make a database refuse everybody for as long as the block lasts, for real."""
    other = database_urls[3]

    @asynccontextmanager
    async def away(url: str) -> AsyncIterator[None]:
        name = sql.Identifier(make_url(url).database or "")
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        conn = await psycopg.AsyncConnection.connect(plain_url(other), autocommit=True)
        async with conn:
            await conn.execute(allow.format(name, sql.SQL("false")))
            await conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (make_url(url).database,),
            )
            try:
                yield
            finally:
                await conn.execute(allow.format(name, sql.SQL("true")))

    return away
