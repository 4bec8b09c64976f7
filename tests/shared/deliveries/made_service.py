"""A small service with two feeds: shops, and licences that wait for the shop they name."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Date, MetaData, Table, Text

from shared.deliveries.feed import (
    ApplyContext,
    Disposition,
    Feed,
    JudgeContext,
    JudgedRow,
    Outcome,
    RowProblem,
    Verdict,
)
from shared.deliveries.models import delivery_tables, state_columns
from shared.deliveries.standing import Standing
from shared.deliveries.state import upsert_state
from shared.events.registration_feed import EnterpriseRegistered
from shared.outbox import outbox_tables
from shared.service import Service

KILL_AT = "MADE_SERVICE_KILL_AT"

METADATA = MetaData()
outbox_tables(METADATA)
delivery_tables(METADATA)
LICENCES = Table(
    "licences",
    METADATA,
    *state_columns(),
    Column("licence_no", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("licensed_on", Date, nullable=False),
    Column("capital_fen", BigInteger, nullable=False),
    Column("shop_no", Text),
    # All in one unit; a dry run compares sums by it.
    Column("unit", Text, nullable=False, server_default="210502"),
)
SHOPS = Table("shops", METADATA, *state_columns(), Column("shop_no", Text, nullable=False))

Text20 = Annotated[str, msgspec.Meta(min_length=1, max_length=20)]


class Licence(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    licence_no: Annotated[
        str, msgspec.Meta(pattern="^[0-9]{1,15}$", description="注册号 · licence number")
    ]
    name: Text20
    licensed_on: date
    capital: Decimal = Decimal(0)
    owner_id: str | None = None
    shop_no: str | None = None


class Shop(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    shop_no: Text20


def _hash(record: msgspec.Struct) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(record), digest_size=16).digest()


no_more: set[int] = set()
"""Capitals (fen) that were judged good once and are not any more: the rules have changed."""


def judge_licences(records: Sequence[Licence], ctx: JudgeContext) -> list[Verdict]:
    verdicts = []
    for record in records:
        if record.name == "break the judge":
            raise ZeroDivisionError
        if int(record.capital * 100) in no_more:
            verdicts.append(Verdict(problems=(RowProblem("shop-unknown", "/capital"),)))
            continue
        if record.licensed_on > ctx.today:
            params = {"value": str(record.licensed_on), "limit": str(ctx.today)}
            problem = RowProblem("date-in-future", "/licensed_on", params)
            verdicts.append(Verdict(problems=(problem,)))
            continue
        row = (
            record.licence_no,
            record.name,
            record.licensed_on,
            int(record.capital * 100),
            record.shop_no,
        )
        verdicts.append(Verdict(f"lic:{record.licence_no}", row, _hash(record)))
    return verdicts


def judge_shops(records: Sequence[Shop], ctx: JudgeContext) -> list[Verdict]:
    return [Verdict(record.shop_no, (record.shop_no,), _hash(record)) for record in records]


Seam = Callable[[ApplyContext, Sequence[JudgedRow]], Awaitable[None]]
seams: list[Seam] = []
"""What a test puts in the way of an apply: called after the state was written, before commit."""


async def apply_licences(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    outcome = Outcome()
    wanted = {row.row[4] for row in rows if row.row[4] is not None}
    known: set[str] = set()
    if wanted:
        found = await ctx.conn.execute(
            sa.select(SHOPS.c.shop_no).where(SHOPS.c.shop_no.in_(wanted))
        )
        known = set(found.scalars())
    ready = []
    for row in rows:
        shop = row.row[4]
        if shop is None or shop in known:
            ready.append(row)
            continue
        outcome.dispositions[row.no] = Disposition.HELD
        outcome.problems[row.no] = (RowProblem("shop-unknown", "/shop_no", {"value": shop}),)
        outcome.waiting_for[row.no] = f"shop:{shop}"
    for change in await upsert_state(ctx, LICENCES, LICENCES_FEED.columns, ready, outcome):
        outcome.facts.append(
            EnterpriseRegistered(
                key=change.key,
                subject=f"licence:{change.row[0]}",
                revision=change.revision,
                delivery_id=ctx.delivery.id,
                record_no=change.no,
                recorded_at=ctx.recorded_at,
                feed=ctx.feed.name,
                name=change.row[1],
                unit="210502",
                licensed_on=change.row[2],
                effective_on=change.row[2],
            )
        )
    for seam in seams:
        await seam(ctx, rows)
    if os.environ.get(KILL_AT) in {str(row.no) for row in rows}:
        os.kill(os.getpid(), signal.SIGKILL)
    return outcome


async def apply_shops(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    outcome = Outcome()
    changed = await upsert_state(ctx, SHOPS, ("shop_no",), rows, outcome)
    outcome.released = {f"shop:{change.key}" for change in changed}
    for seam in seams:
        await seam(ctx, rows)
    return outcome


LICENCES_FEED = Feed(
    name="business-licences",
    title_zh="营业执照",
    title_en="Business licences",
    departments=frozenset({"industry-commerce", "unit"}),
    record=Licence,
    period_kind="month",
    columns=("licence_no", "name", "licensed_on", "capital_fen", "shop_no"),
    judge=judge_licences,
    apply=apply_licences,
    example={"licence_no": "1", "name": "一", "licensed_on": "2008-06-02"},
    obligation="O51",
    texts={"shop-unknown": ("门店 {value} 尚未登记", "shop {value} is not known yet")},
    personal=frozenset({"owner_id"}),
    standing=Standing(
        LICENCES,
        ended=lambda row: {**row, "capital_fen": 0},
        figures={"capital_fen": "sum(capital_fen)", "licence_count": "count(*)"},
    ),
)
SHOPS_FEED = Feed(
    name="shops",
    title_zh="门店",
    title_en="Shops",
    departments=frozenset({"industry-commerce"}),
    record=Shop,
    period_kind="dekad",
    columns=("shop_no",),
    judge=judge_shops,
    apply=apply_shops,
    example={"shop_no": "s1"},
    obligation="O51",
    standing=Standing(SHOPS, ended=lambda row: row, lasting=True),
)
SERVICE = Service(
    name="registration-feed",
    title_zh="样例",
    title_en="Made service",
    metadata=METADATA,
    migrations=Path(__file__).parent,
    feeds=(LICENCES_FEED, SHOPS_FEED),
)


def licence(no: int, **more: Any) -> dict[str, Any]:
    """A licence that is all right."""
    return {"licence_no": str(no), "name": f"企业{no}", "licensed_on": "2008-06-02", **more}


def lines(*records: Any) -> bytes:
    """Records as NDJSON; bytes stand as they are."""
    texts = (one if isinstance(one, bytes) else msgspec.json.encode(one) for one in records)
    return b"".join(text + b"\n" for text in texts)
