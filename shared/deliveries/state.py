"""Versions per natural key in the order of acceptance: the standard upsert of a feed's state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID
from zlib import crc32

from psycopg import sql
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.copying import copy_rows, copy_types, stage_into
from shared.database import raw
from shared.deliveries.feed import (
    ApplyContext,
    Changed,
    Disposition,
    Fresh,
    JudgedRow,
    JudgedTuple,
    New,
    Outcome,
    Recording,
)
from shared.deliveries.models import state_columns
from shared.deliveries.standing import ENDED_HASH
from shared.events import Fact

__all__ = [
    "Changed",
    "Superseded",
    "apply_state",
    "fresh_in",
    "keep_superseded",
    "state_columns",
    "upsert_state",
]

Facts = Callable[[Recording, Sequence[Changed]], list[Fact]]

STANDING_SEQ: Final[LiteralString] = "coalesce(CASE WHEN d.withdrawn_at IS NULL THEN d.seq END, 0)"
"""Order of acceptance of what stands, its delivery ``d``: what was withdrawn is
later than nothing."""

_SUPERSEDED_TYPES = (
    "text",
    "text",
    "int4",
    "uuid",
    "int4",
    "bytea",
    "uuid",
    "int4",
    "timestamptz",
)


class Superseded(NamedTuple):
    """A version that is current no more, as ``superseded_versions`` keeps it."""

    feed: str
    natural_key: str
    revision: int | None
    """None: it came into its own too late ever to be current."""
    delivery_id: UUID
    record_no: int
    content_hash: bytes
    superseded_by_delivery: UUID
    superseded_by_no: int
    superseded_at: datetime


async def keep_superseded(conn: AsyncConnection, versions: Sequence[Superseded]) -> None:
    """Note versions that gave way to others, in the transaction that replaced them."""
    if versions:
        fields = Superseded._fields
        await copy_rows(conn, "superseded_versions", fields, versions, _SUPERSEDED_TYPES)


@dataclass(slots=True)
class _Version:
    """A version of one key while a chunk is being gone through."""

    revision: int
    content_hash: bytes
    delivery_id: UUID
    record_no: int
    row: tuple[Any, ...]
    seq: int = 0


async def upsert_state(
    ctx: ApplyContext,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[JudgedRow],
    outcome: Outcome,
) -> list[Changed]:
    """Bring rows into ``table`` (``state_columns()`` plus ``columns``, in the order of
    ``JudgedRow.row``) and return every key that changed, once, in record order of its last change.

    The same content as the current version is marked DUPLICATE in ``outcome``; other content is
    the next revision, and the version before goes to ``superseded_versions``. Repeated keys are
    gone through in record order, so A, B, A in one chunk makes three revisions and one
    ``Changed``. When held rows are judged again (``ctx.replay``), a version accepted later than
    theirs stays current: theirs is kept as superseded and changes nothing.
    Five statements, whatever the number of rows. Runs in the chunk's transaction.
    """
    before = await _current(ctx, table, columns, {row.key for row in rows})
    latest: dict[str, _Version] = dict(before)
    superseded: list[Superseded] = []
    delivery_id = UUID(ctx.delivery.id)
    for row in rows:
        current = latest.get(row.key)
        if current is not None and current.content_hash == row.content_hash:
            outcome.dispositions[row.no] = Disposition.DUPLICATE
            continue
        new = _Version(1, row.content_hash, delivery_id, row.no, row.row, ctx.delivery.seq)
        if current is not None:
            if ctx.is_behind(row.no, current.seq, current.record_no):
                superseded.append(_superseded(ctx, row.key, None, new, current))
                continue
            new.revision = current.revision + 1
            superseded.append(_superseded(ctx, row.key, current.revision, current, new))
        latest[row.key] = new
    changed = [
        Changed(
            version.record_no,
            key,
            version.row,
            version.revision,
            before[key].row if key in before else None,
            version.content_hash == ENDED_HASH,
        )
        for key, version in latest.items()
        if before.get(key) is not version
    ]
    changed.sort(key=lambda change: change.no)
    keys = sorted(change.key for change in changed)
    await _write(ctx, table, columns, ((key, latest[key]) for key in keys))
    await keep_superseded(ctx.conn, superseded)
    return changed


def fresh_in(table: Table, columns: Sequence[str], facts: Facts) -> Fresh:
    """The quick way of a feed whose apply is ``apply_state`` of the same."""
    own, shared = (*_OWN, *columns), _SHARED
    return Fresh(
        table.name,
        dict(zip(own, copy_types(table, own), strict=True)),
        dict(zip(shared, copy_types(table, shared), strict=True)),
        _Make(facts),
    )


_STATE: Final = (
    "natural_key",
    "revision",
    "content_hash",
    "delivery_id",
    "record_no",
    "recorded_at",
)
"""The columns every state table begins with, see ``models.state_columns``: those a version has its
own value of, and those the new keys of a delivery share."""
_OWN: Final = ("natural_key", "content_hash", "record_no")
_SHARED: Final = ("revision", "delivery_id", "recorded_at")


@dataclass(frozen=True)
class _Make:
    """First versions of new keys, and the facts of them."""

    facts: Facts

    def __call__(
        self,
        recording: Recording,
        rows: Sequence[JudgedTuple],
        _ahead: None,
    ) -> New:
        return New(
            [(key, digest, no, *row) for no, key, digest, row in rows],
            (1, UUID(recording.delivery.id), recording.recorded_at),
            self.facts(recording, [Changed(no, key, row, 1, None) for no, key, _, row in rows]),
        )


async def apply_state(
    ctx: ApplyContext,
    table: Table,
    columns: Sequence[str],
    facts: Facts,
    rows: Sequence[JudgedRow],
) -> Outcome:
    """``upsert_state``, and ``facts`` of what changed: all there is to most feeds."""
    outcome = Outcome()
    changes = await upsert_state(ctx, table, columns, rows, outcome)
    outcome.facts += facts(Recording(ctx.delivery, ctx.recorded_at, ctx.restates), changes)
    return outcome


async def _current(
    ctx: ApplyContext, table: Table, columns: Sequence[str], keys: set[str]
) -> dict[str, _Version]:
    """The versions now in the state; with the order of acceptance only where it is asked for."""
    driver = await raw(ctx.conn)
    fields = ["revision", "content_hash", "delivery_id", "record_no", *columns]
    query = sql.SQL("SELECT s.natural_key, {fields}, {seq} FROM {table} AS s {join}").format(
        fields=sql.SQL(", ").join(sql.Identifier("s", name) for name in fields),
        seq=sql.SQL(STANDING_SEQ if ctx.replay else "0"),
        table=sql.Identifier(table.name),
        join=sql.SQL("LEFT JOIN deliveries AS d ON d.id = s.delivery_id" if ctx.replay else ""),
    ) + sql.SQL(" WHERE s.natural_key = ANY(%s)")
    cursor = await driver.execute(query, (list(keys),))
    return {
        key: _Version(revision, bytes(digest), delivery_id, no, tuple(row), seq)
        for key, revision, digest, delivery_id, no, *row, seq in await cursor.fetchall()
    }


def _superseded(
    ctx: ApplyContext, key: str, revision: int | None, old: _Version, by: _Version
) -> Superseded:
    return Superseded(
        ctx.feed.name,
        key,
        revision,
        old.delivery_id,
        old.record_no,
        old.content_hash,
        by.delivery_id,
        by.record_no,
        ctx.recorded_at,
    )


async def _write(
    ctx: ApplyContext,
    table: Table,
    columns: Sequence[str],
    versions: Iterable[tuple[str, _Version]],
) -> None:
    """Staged COPY and one upsert, in key order so that no two writers wait crosswise."""
    names = (*_STATE, *columns)
    rows = [
        (
            key,
            version.revision,
            version.content_hash,
            version.delivery_id,
            version.record_no,
            ctx.recorded_at,
            *version.row,
        )
        for key, version in versions
    ]
    if not rows:
        return
    # One stage per set of columns: two feeds may each keep some columns of one table.
    staged = f"stage_{table.name}_{crc32(','.join(names).encode()):08x}"
    await stage_into(ctx.conn, staged, table, names, rows)
    driver = await raw(ctx.conn)
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    await driver.execute(
        sql.SQL(
            "INSERT INTO {table} ({names}) SELECT {names} FROM {staged} ORDER BY natural_key "
            "ON CONFLICT (natural_key) DO UPDATE SET {sets}"
        ).format(
            table=sql.Identifier(table.name),
            names=listed,
            staged=sql.Identifier(staged),
            sets=sql.SQL(", ").join(
                sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in names[1:]
            ),
        )
    )
