"""The service one would write first: a list of models, the ORM, one row and one message each.

It validates shapes, stores every record with an outbox row in one transaction, sends every row
as a message of its own and counts every message in a transaction of its own. Nothing in it is
slow on purpose. Without Kafka its relay counts by itself, which spares it the whole bus.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from typing import Annotated, Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import BigInteger, Text, select
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

TOPIC = "naive"
AT_ONCE = 100


class LicenceIn(BaseModel):
    """What is posted."""

    model_config = ConfigDict(extra="forbid")

    licence_no: Annotated[str, Field(pattern=r"^[0-9]{15}$")]
    name: Annotated[str, Field(min_length=2, max_length=200)]
    reg_type: Annotated[str, Field(pattern=r"^[1-4][0-9]{2}$")]
    industry: Annotated[str, Field(pattern=r"^[0-9]{2}$")]
    unit: Annotated[str, Field(min_length=3, max_length=12)]
    licensed_on: date
    event: Literal["registered", "changed", "deregistered"]
    event_on: date
    address: Annotated[str, Field(max_length=200)] | None = None
    commitment_letter: bool = False
    notified_on: date | None = None
    headcount: Annotated[int, Field(ge=0, le=1_000_000)] | None = None


class Base(DeclarativeBase):
    """Tables of the service."""


class Licence(Base):
    """One licence."""

    __tablename__ = "licences"
    licence_no: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str]
    reg_type: Mapped[str]
    industry: Mapped[str]
    unit: Mapped[str]
    licensed_on: Mapped[date]
    event: Mapped[str]
    event_on: Mapped[date]
    address: Mapped[str | None]
    commitment_letter: Mapped[bool]
    notified_on: Mapped[date | None]
    headcount: Mapped[int | None]


class Outgoing(Base):
    """One message to be sent."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    body: Mapped[str]
    sent: Mapped[bool] = mapped_column(default=False, index=True)


class Figure(Base):
    """How many licences a unit has."""

    __tablename__ = "figures"
    unit: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


Sessions = async_sessionmaker[AsyncSession]


def create_app(database_url: str, brokers: str | None) -> FastAPI:
    """The service over an empty database, its relay and consumer beside it."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await _make_tables(engine)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(engine.dispose)
            tasks = await _workers(sessions, brokers, stack)
            yield
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(lifespan=lifespan)

    @app.post("/licences", status_code=201)
    async def post_licences(records: list[LicenceIn]) -> dict[str, int]:
        async with sessions.begin() as session:
            for record in records:
                session.add(Licence(**record.model_dump()))
                session.add(Outgoing(body=record.model_dump_json()))
        return {"stored": len(records)}

    @app.get("/figure")
    async def get_figure() -> dict[str, int]:
        async with sessions() as session:
            return {"value": sum((await session.scalars(select(Figure.value))).all())}

    return app


async def _make_tables(engine: AsyncEngine) -> None:
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.create_all)


async def _workers(
    sessions: Sessions, brokers: str | None, stack: AsyncExitStack
) -> list[asyncio.Task[None]]:
    if brokers is None:
        return [asyncio.create_task(_count_waiting(sessions))]
    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all")
    await producer.start()
    stack.push_async_callback(producer.stop)
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=brokers,
        group_id="naive",
        auto_offset_reset="earliest",
    )
    await consumer.start()
    stack.push_async_callback(consumer.stop)
    return [
        asyncio.create_task(_send_waiting(sessions, producer)),
        asyncio.create_task(_count_received(sessions, consumer)),
    ]


async def _waiting(session: AsyncSession) -> list[Outgoing]:
    query = select(Outgoing).where(~Outgoing.sent).order_by(Outgoing.id).limit(AT_ONCE)
    return list((await session.scalars(query)).all())


async def _send_waiting(sessions: Sessions, producer: AIOKafkaProducer) -> None:
    while True:
        async with sessions.begin() as session:
            rows = await _waiting(session)
            for row in rows:
                await producer.send_and_wait(TOPIC, row.body.encode())
                row.sent = True
        if not rows:
            await asyncio.sleep(0.01)


async def _count_received(sessions: Sessions, consumer: AIOKafkaConsumer) -> None:
    while True:
        message = await consumer.getone()
        async with sessions.begin() as session:
            await _count(session, message.value)


async def _count_waiting(sessions: Sessions) -> None:
    while True:
        async with sessions() as reading:
            rows = await _waiting(reading)
        for row in rows:
            async with sessions.begin() as session:
                await _count(session, row.body.encode())
                row.sent = True
                await session.merge(row)
        if not rows:
            await asyncio.sleep(0.01)


async def _count(session: AsyncSession, body: bytes) -> None:
    unit = json.loads(body)["unit"]
    figure = await session.get(Figure, unit)
    if figure is None:
        session.add(Figure(unit=unit, value=1))
    else:
        figure.value += 1
