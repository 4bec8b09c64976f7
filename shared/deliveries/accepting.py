"""From the request to an accepted delivery: what is checked, in which order, and what a sender's
number stands for."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from shared.auth import Caller
from shared.clock import Clock
from shared.crypto import mask_within
from shared.deliveries import store
from shared.deliveries.correcting import check_correcting, take_superseded
from shared.deliveries.feed import Feed
from shared.deliveries.judge import StoredSegment, records_of
from shared.deliveries.readers import Framing, Limits, TableReader, reader_for
from shared.deliveries.spool import Spool, spool_body
from shared.deliveries.store import DeliveryRow, NewDelivery
from shared.deliveries.store import tables as table_store
from shared.deliveries.tables.request import table_spec
from shared.deliveries.tables.spooling import TableSpool, spool_packed, spool_table
from shared.periods import PeriodError, parse_period
from shared.problems import problem
from shared.runtime import Runtime
from shared.telemetry import current_traceparent

MAX_KEY: Final = 200
_KEY: Final = re.compile(r"[!-~]{1,200}")
_EXPECTED: Final = {"month": "2008-06", "dekad": "2008-06-D1", "day": "2008-06-10"}


@dataclass(frozen=True)
class Push:
    """What came with a body."""

    period: str
    idempotency_key: str | None
    content_type: str
    content_length: int | None
    content_encoding: str | None
    content_digest: str | None
    nil: bool
    dry_run: bool
    mode: str = "append"
    confirm_removals: int | None = None
    supersedes: UUID | None = None
    waits: float = 0.0
    """Seconds the sender waits for the receipt."""
    sheet: str | None = None
    """Of a workbook: the sheet to read; None where only one can be meant."""


@dataclass(frozen=True)
class Accepted:
    """A delivery that is kept; ``replayed`` when it had been before."""

    id: UUID
    replayed: bool
    done: DeliveryRow | None = None
    """As it was dealt with at once."""
    waited: bool = False
    """Whether the sender's time went by in trying to."""


async def accept(
    runtime: Runtime, feed: Feed, caller: Caller, push: Push, body: AsyncIterable[bytes]
) -> Accepted:
    """Take a body in and keep it, wholly or not at all.

    Raises a Problem for whatever is wrong with the request or the body as a whole (nothing is
    kept then), for a number that stands for other content, or whose delivery is still running.
    """
    key = _checked_key(push.idempotency_key)
    _check_period(push.period, feed, runtime.clock)
    # A nil return has no body, hence no type; it is read as the empty list of lines it is.
    reader = reader_for(push.content_type or ("application/x-ndjson" if push.nil else ""))
    _check_encoding(push)
    await check_correcting(runtime, feed, caller, push)
    delivery_id = new_delivery_id(runtime.clock.now())
    with Spool() if _as_it_came(push, reader) else TableSpool() as spool:
        await _spool(runtime, feed, caller, push, body, reader, spool, str(delivery_id))
        _check_body(push, spool)
        new = NewDelivery(
            id=str(delivery_id),
            feed=feed.name,
            department=caller.department,
            units=caller.units,
            idempotency_key=key,
            period=push.period,
            nil=push.nil,
            dry_run=push.dry_run,
            content_type=push.content_type,
            reader=reader.name,
            # The moment the last byte was here: lateness is judged by nothing else.
            received_at=_arrived_at(spool) or runtime.clock.now(),
            clock=runtime.clock.kind,
            traceparent=current_traceparent(),
            reading=spool.reading if isinstance(spool, TableSpool) else None,
            mode=push.mode,
            confirm_removals=push.confirm_removals,
            supersedes=push.supersedes,
        )
        done, waited = await _at_once(runtime, feed, push, new, spool)
        if done is not None:
            return Accepted(delivery_id, replayed=False, done=done)
        existing = await _keep(runtime, new, spool)
        if existing is None:
            return Accepted(delivery_id, replayed=False, waited=waited)
        await _check_same(runtime, existing, new, spool)
        return Accepted(existing.id, replayed=True)


async def _at_once(
    runtime: Runtime, feed: Feed, push: Push, new: NewDelivery, spool: Spool
) -> tuple[DeliveryRow | None, bool]:
    """The delivery dealt with, where this process works on the feed and can do so within the time
    its sender waits; and whether that time is over."""
    worker = runtime.at_work.worker
    if worker is None or push.waits <= 0:
        return None, False
    try:
        async with asyncio.timeout(push.waits):
            return await worker.at_once(feed, new, spool), False
    except TimeoutError:
        return None, True


def _check_encoding(push: Push) -> None:
    encoding = (push.content_encoding or "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise problem(
            "content-encoding-unsupported",
            content_encoding=push.content_encoding,
            supported="identity, gzip",
        )


def _arrived_at(spool: Spool) -> datetime | None:
    return spool.arrived_at if isinstance(spool, TableSpool) else None


def _is_gzipped(push: Push) -> bool:
    return (push.content_encoding or "").lower() == "gzip"


def _as_it_came(push: Push, reader: Framing | TableReader) -> bool:
    """Whether the segments themselves are the sender's bytes."""
    return not isinstance(reader, TableReader) and not _is_gzipped(push)


async def _spool(
    runtime: Runtime,
    feed: Feed,
    caller: Caller,
    push: Push,
    body: AsyncIterable[bytes],
    reader: Framing | TableReader,
    spool: Spool,
    delivery_id: str,
) -> None:
    """Take the body in, cut as it came or read as the table it is."""
    settings = runtime.settings
    limits = Limits(settings.max_body_bytes, settings.max_document_bytes, settings.chunk_records)
    secrecy = runtime.secrecy
    if not isinstance(reader, TableReader):
        if isinstance(spool, TableSpool):
            await spool_packed(
                body, spool, reader=reader, limits=limits, secrecy=secrecy, delivery_id=delivery_id
            )
        else:
            await spool_body(
                body, spool, reader=reader, limits=limits, secrecy=secrecy, delivery_id=delivery_id
            )
        return
    async with runtime.database.read() as conn:
        saved = await table_store.find_mapping(conn, feed.name, caller.department)
    spec = table_spec(
        runtime,
        feed,
        caller,
        reader,
        period=push.period,
        content_type=push.content_type,
        gzipped=_is_gzipped(push),
        sheet=push.sheet,
        mapping=saved.headings if saved else {},
    )
    if not isinstance(spool, TableSpool):
        raise TypeError("a table needs its own kind of spool")
    await spool_table(
        body,
        spool,
        spec=spec,
        limits=limits,
        secrecy=secrecy,
        delivery_id=delivery_id,
        clock=runtime.clock,
    )


def new_delivery_id(now: datetime) -> UUID:
    """Version 7 (RFC 9562): milliseconds of the product's clock, then chance."""
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    chance = secrets.randbits(74)
    return UUID(
        int=milliseconds << 80
        | 0x7 << 76
        | (chance >> 62) << 64
        | 0b10 << 62
        | chance & ((1 << 62) - 1)
    )


class _Taken(Exception):
    """The sender's number stands for a delivery already; rolls the segments back."""


async def _keep(runtime: Runtime, new: NewDelivery, spool: Spool) -> DeliveryRow | None:
    """Keep the delivery, or give the one that its number already stands for. Raises a Problem when
    what it supersedes was taken meanwhile."""
    where = (new.sender, new.feed, new.dry_run, new.idempotency_key)
    try:
        async with runtime.database.transaction() as conn:
            existing = await store.find_by_key(conn, *where)
            if existing is None:
                await take_superseded(conn, new)
                if not await store.insert_delivery(conn, new, spool):
                    raise _Taken
    except _Taken:
        async with runtime.database.read() as conn:
            existing = await store.find_by_key(conn, *where)
    return existing


def _checked_key(key: str | None) -> str:
    if key is None or not key.strip():
        raise problem("idempotency-key-missing")
    if _KEY.fullmatch(key) is None:
        raise problem("idempotency-key-invalid", limit=MAX_KEY)
    return key


def _check_period(text: str, feed: Feed, clock: Clock) -> None:
    """Of the feed's kind, and begun by today: an early delivery is bound to its period."""
    form = _EXPECTED[feed.period_kind]
    try:
        period = parse_period(text, feed.period_kind)
    except PeriodError:
        reason = f"应写作 {feed.period_kind}，例如 {form} · expected a {feed.period_kind} as {form}"
        raise problem("period-invalid", period=text[:40] or "—", reason=reason) from None
    begins_on = period if isinstance(period, date) else period.first_on
    if begins_on > clock.today():
        reason = f"该期间自 {begins_on} 起，尚未开始 · it has not begun, it does on {begins_on}"
        raise problem("period-invalid", period=text, reason=reason)


def _check_body(push: Push, spool: Spool) -> None:
    if push.content_length is not None and push.content_length != spool.size:
        reason = f"{spool.size} / {push.content_length} bytes"
        raise problem("body-truncated", reason=reason)
    if push.content_digest is not None:
        stated = stated_sha256(push.content_digest)
        if stated is not None and stated != spool.sha256:
            raise problem("digest-mismatch", actual=spool.sha256.hex(), stated=stated.hex())
    if spool.record_count == 0 and not push.nil:
        raise problem("body-empty")
    if spool.record_count and push.nil:
        raise problem("conflict", reason="nil=true 但正文中有记录 · nil=true with records")


def stated_sha256(header: str) -> bytes | None:
    """The sha-256 of a Content-Digest (RFC 9530), None when it states only other kinds.

    Raises the problem ``digest-mismatch`` for one that cannot be read.
    """
    for member in header.split(","):
        name, _, value = member.strip().partition("=")
        if name.strip().lower() != "sha-256":
            continue
        try:
            digest = base64.b64decode(value.strip().strip(":"), validate=True)
        except binascii.Error:
            digest = b""
        if len(digest) != 32:
            raise problem("digest-mismatch", actual="—", stated=value[:80])
        return digest
    return None


async def _check_same(
    runtime: Runtime, existing: DeliveryRow, new: NewDelivery, spool: Spool
) -> None:
    """The repeated push is the same as the first, which is done; otherwise a Problem."""
    location = f"/{runtime.service.name}/v1/deliveries/{existing.id}"
    if existing.status not in ("done", "rejected"):
        raise problem(
            "delivery-running",
            headers={"Location": location},
            delivery=existing.id,
            location=location,
        )
    difference = await difference_of(runtime, existing, new, spool)
    if difference:
        raise problem(
            "idempotency-key-reused",
            headers={"Location": location},
            extra={"difference": difference},
            key=new.idempotency_key,
            delivery=existing.id,
            difference=_told(difference),
        )


async def difference_of(
    runtime: Runtime, existing: DeliveryRow, new: NewDelivery, spool: Spool
) -> dict[str, Any]:
    """What sets a push apart from the one its number stands for; empty for the same."""
    found: dict[str, Any] = {}
    if existing.period != new.period:
        found["period"] = {"first": existing.period, "now": new.period}
    if existing.mode != new.mode:
        found["mode"] = {"first": existing.mode, "now": new.mode}
    if existing.supersedes != new.supersedes:
        found["supersedes"] = {"first": _text(existing.supersedes), "now": _text(new.supersedes)}
    if existing.nil != new.nil:
        found["nil"] = {"first": existing.nil, "now": new.nil}
    if existing.sha256 != spool.sha256:
        found["sha256"] = {"first": existing.sha256.hex(), "now": spool.sha256.hex()}
        found["size"] = {"first": existing.size, "now": spool.size}
        found["records"] = {"first": existing.sent_count, "now": spool.record_count}
        found["first_differing_record"] = await _first_differing(runtime, existing, new, spool)
    first, now = _sheet_asked(existing.reading), _sheet_asked(new.reading)
    if first != now:
        found["sheet"] = {"first": first, "now": now}
    return found


def _sheet_asked(reading: dict[str, Any] | None) -> str | None:
    sheet = (reading or {}).get("sheet_asked")
    # Kept unmasked once; the name may hold an identity number.
    return None if sheet is None else mask_within(sheet)


def _text(delivery_id: UUID | None) -> str | None:
    return None if delivery_id is None else str(delivery_id)


async def _first_differing(
    runtime: Runtime, existing: DeliveryRow, new: NewDelivery, spool: Spool
) -> int | None:
    """Number of the first record that differs; None when only what is between them does."""
    now = _new_records(runtime, new, spool)
    no = 0
    async with runtime.database.read() as conn:
        async for first in _kept_records(conn, runtime, existing):
            no += 1
            if next(now, None) != first:
                return no
    return no + 1 if next(now, None) is not None else None


async def _kept_records(conn: Any, runtime: Runtime, existing: DeliveryRow) -> AsyncIterator[bytes]:
    async for segment in store.segments_of(conn, existing.id, existing.chunk_count):
        for _, text in records_of(runtime.secrecy, str(existing.id), existing.reader, segment):
            yield text.strip()


def _new_records(runtime: Runtime, new: NewDelivery, spool: Spool) -> Iterator[bytes]:
    for entry, sealed in spool.segments():
        segment = StoredSegment.of(entry, sealed)
        for _, text in records_of(runtime.secrecy, new.id, new.reader, segment):
            yield text.strip()


def _told(difference: Mapping[str, Any]) -> str:
    parts = []
    for name, value in difference.items():
        told = f"{value['first']} → {value['now']}" if isinstance(value, dict) else value
        parts.append(f"{name} {told}")
    return "; ".join(parts)
