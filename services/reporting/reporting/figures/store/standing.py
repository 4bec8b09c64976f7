"""How a rebuild stands, in a row that everybody can read while it runs and after it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.store.locks import RUNNING
from reporting.figures.store.shadow import SCHEMA

Phase: TypeAlias = Literal[
    "replaying", "finishing", "catching-up", "comparing", "swapping", "swapped", "differs"
]


class Standing(NamedTuple):
    """How the running rebuild stands, or how the last one ended.

    ``running`` false with a phase other than ``swapped`` and ``differs``: it was interrupted.
    """

    phase: Phase
    facts_done: int
    facts_total: int
    started_at: datetime
    updated_at: datetime
    hash_before: str | None
    hash_after: str | None
    running: bool


class CannotRebuild(Exception):
    """Nothing was swapped; the message says why, and it can be tried again."""


class Superseded(CannotRebuild):
    """Another rebuild has begun since this one's line was cut."""

    def __init__(self) -> None:
        super().__init__("另一次重建已开始 · another rebuild has begun")


async def begin(conn: AsyncConnection, run: UUID, total: int) -> None:
    """The row of a new rebuild, in the schema just made."""
    await conn.execute(
        text(
            f"CREATE TABLE {SCHEMA}.standing (run uuid NOT NULL, phase text NOT NULL,"
            " facts_done bigint NOT NULL, facts_total bigint NOT NULL,"
            " started_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
            " updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
            " hash_before text, hash_after text)"
        )
    )
    await conn.execute(
        text(
            f"INSERT INTO {SCHEMA}.standing (run, phase, facts_done, facts_total)"
            " VALUES (:run, 'replaying', 0, :total)"
        ),
        {"run": run, "total": total},
    )


async def note(
    conn: AsyncConnection,
    run: UUID,
    phase: Phase,
    done: int,
    total: int,
    hashes: tuple[str, str] | None = None,
) -> None:
    """Say how far it is, in the transaction that got there. Raises Superseded."""
    before, after = hashes or (None, None)
    result = await conn.execute(
        text(
            f"UPDATE {SCHEMA}.standing SET phase = :phase, facts_done = :done,"
            " facts_total = :total, updated_at = clock_timestamp(),"
            " hash_before = coalesce(:before, hash_before),"
            " hash_after = coalesce(:after, hash_after) WHERE run = :run"
        ),
        {
            "run": run,
            "phase": phase,
            "done": done,
            "total": total,
            "before": before,
            "after": after,
        },
    )
    if result.rowcount != 1:
        raise Superseded


async def read(conn: AsyncConnection) -> Standing | None:
    """The rebuild running now, else the last one; None when there never was one."""
    there = await conn.execute(text(f"SELECT to_regclass('{SCHEMA}.standing') IS NOT NULL"))
    if not there.scalar_one():
        return None
    row = (
        await conn.execute(
            text(
                "SELECT phase, facts_done, facts_total, started_at, updated_at, hash_before,"
                f" hash_after, ({RUNNING}) AS running FROM {SCHEMA}.standing"
            )
        )
    ).one_or_none()
    return None if row is None else Standing(*row)
