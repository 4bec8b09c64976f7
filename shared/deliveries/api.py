"""The door of the receiving services: feeds, deliveries, receipts, records, content."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import ClientDisconnect

from shared.auth import Caller, CallerDep
from shared.deliveries import store
from shared.deliveries.accepting import SEE_ALL, Accepted, Push, accept, may_see
from shared.deliveries.feed import Disposition, Feed
from shared.deliveries.judge import StoredSegment, judge_segment, records_of
from shared.deliveries.processing import task_of
from shared.deliveries.readers import READERS
from shared.deliveries.records import select, shown, versions
from shared.deliveries.spool import open_segment
from shared.deliveries.store import DeliveryRow
from shared.deliveries.tables.api import add_tables
from shared.deliveries.tables.kept import encoding_header, notes_for, original_of
from shared.deliveries.texts import described
from shared.deliveries.views import delivery_path, delivery_view, feed_details, feed_view
from shared.deliveries.views import receipt_view as receipt_of
from shared.dependencies import ReadTx, RuntimeDep
from shared.health import Health
from shared.metrics import DELIVERIES
from shared.paging import PageDep
from shared.problems import Problem, field_error, problem
from shared.runtime import Runtime, Told
from shared.service import Service

MAX_WAIT_SECONDS: Final = 60.0
_FIRST_LOOK_SECONDS: Final = 0.05
_LAST_LOOK_SECONDS: Final = 0.25
_PUSH_QUERY: Final = frozenset({"period", "dry_run", "nil", "wait", "sheet"})
_FINISHED: Final = ("done", "rejected")

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string"} if kind != "application/json" else {}}
            for reader in READERS.values()
            for kind in reader.media_types
        },
    }
}

FeedName = Annotated[str, Path(alias="feed", description="报送项目 · feed")]
DeliveryId = Annotated[UUID, Path(alias="id", description="报送编号 · delivery")]


def deliveries_router(service: Service) -> APIRouter:
    """The routes of a receiving service, to be mounted below ``/{service}``."""
    router = APIRouter(prefix="/v1")
    feeds = {feed.name: feed for feed in service.feeds}
    _add_feeds(router, service, feeds)
    _add_push(router, service, feeds)
    _add_deliveries(router, service)
    _add_records(router, feeds)
    add_tables(router, feeds)
    return router


def _feed(feeds: Mapping[str, Feed], name: str) -> Feed:
    if name not in feeds:
        raise problem("feed-unknown", feed=name[:60], known=", ".join(sorted(feeds)))
    return feeds[name]


async def _visible(conn: AsyncConnection, caller: Caller, delivery_id: UUID) -> DeliveryRow:
    """The delivery, if there is one the caller may see; which of the two fails is not told."""
    row = await store.find_delivery(conn, delivery_id)
    if row is None or not may_see(caller, row):
        raise problem("delivery-unknown", delivery=delivery_id)
    return row


def _add_feeds(router: APIRouter, service: Service, feeds: Mapping[str, Feed]) -> None:
    @router.get("/feeds", tags=["feeds"], summary="报送项目 · feeds of this service")
    async def list_feeds(caller: CallerDep) -> dict[str, Any]:
        return {"items": [feed_view(service, feed, caller) for feed in feeds.values()]}

    @router.get(
        "/feeds/{feed}",
        tags=["feeds"],
        summary="报送项目的记录格式、时限和示例 · a feed's record, due rule and example",
    )
    async def get_feed(name: FeedName, caller: CallerDep, runtime: RuntimeDep) -> dict[str, Any]:
        feed = _feed(feeds, name)
        return feed_details(service, feed, caller, runtime.plan, runtime.clock.now())


def _add_push(router: APIRouter, service: Service, feeds: Mapping[str, Feed]) -> None:
    @router.post(
        "/feeds/{feed}/deliveries",
        tags=["deliveries"],
        summary="报送 · push a delivery",
        status_code=201,
        responses={
            201: {"description": "回执 · the receipt"},
            202: {"description": "已收妥,处理中 · accepted, see Location"},
        },
        openapi_extra=_BODY,
    )
    async def push_delivery(
        name: FeedName,
        request: Request,
        caller: CallerDep,
        runtime: RuntimeDep,
        period: Annotated[
            str, Query(description="所报期间 · period: 2008-06, 2008-06-D1, 2008-06-10")
        ] = "",
        dry_run: Annotated[bool, Query(description="试报,不生效 · judge only, no effect")] = False,
        nil: Annotated[bool, Query(description="零报送 · a signed 'nothing this period'")] = False,
        wait: Annotated[
            float | None, Query(ge=0, le=MAX_WAIT_SECONDS, description="等待秒数 · seconds to wait")
        ] = None,
        sheet: Annotated[
            str | None,
            Query(max_length=100, description="XLSX 工作表名 · sheet of a workbook, if several"),
        ] = None,
        idempotency_key: Annotated[
            str | None, Header(description="部门自己的报送号 · your number of this delivery")
        ] = None,
        content_digest: Annotated[str | None, Header(description="RFC 9530, sha-256=:…:")] = None,
        prefer: Annotated[str | None, Header(description="respond-async")] = None,
    ) -> Response:
        _check_query(request)
        feed = _feed(feeds, name)
        if caller.department not in feed.departments:
            raise problem(
                "forbidden-feed",
                department=caller.department,
                feed=feed.name,
                allowed=", ".join(sorted(feed.departments)),
            )
        push = Push(
            period=period,
            idempotency_key=idempotency_key,
            content_type=request.headers.get("content-type", ""),
            content_length=_length(request),
            content_encoding=request.headers.get("content-encoding"),
            content_digest=content_digest,
            nil=nil,
            dry_run=dry_run,
            sheet=sheet,
        )
        try:
            accepted = await accept(runtime, feed, caller, push, _body(request))
        except Problem as refused:
            if refused.code != "delivery-running":
                DELIVERIES.labels(service.name, feed.name, "rejected").inc()
            raise
        at_once = "respond-async" in (prefer or "").lower()
        seconds = runtime.settings.delivery_wait_seconds if wait is None else wait
        health: Health = request.app.state.health
        row = await _finished(runtime, accepted, 0.0 if at_once else seconds, health)
        return _answer(service, row, accepted, at_once)


def _check_query(request: Request) -> None:
    """No parameter but those there are: who writes ``dry-run=true`` must not push in earnest."""
    unknown = [name for name in request.query_params if name not in _PUSH_QUERY]
    if unknown:
        errors = [
            field_error("field-unknown", f"query/{n[:60]}", {"field": n[:60]}) for n in unknown
        ]
        raise problem("parameter-invalid", errors=errors[:10], count=len(unknown))


def _length(request: Request) -> int | None:
    text = request.headers.get("content-length", "")
    return int(text) if text.isdigit() else None


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for data in request.stream():
            yield data
    except ClientDisconnect:
        raise problem("body-truncated", reason="连接中断 · the connection broke off") from None


async def _finished(
    runtime: Runtime, accepted: Accepted, seconds: float, health: Health
) -> DeliveryRow:
    """The delivery once it is done, or as it stands when the time is over or this process is to
    end: an answer while there is somebody to give it, not a connection cut off.

    A worker of this process says when it is, and hands it over; it is looked up in the database
    all the same, for the worker may run in another process.
    """
    delivery_id = accepted.id
    loop = asyncio.get_running_loop()
    until, look = loop.time() + seconds, _FIRST_LOOK_SECONDS
    with runtime.finished.awaited(delivery_id) as told:
        if seconds > 0 and not accepted.replayed and not health.draining:
            await _told(told, min(look, seconds))
            if isinstance(told.news, DeliveryRow):
                return told.news
        while True:
            async with runtime.database.read() as conn:
                row = await store.find_delivery(conn, delivery_id)
            if row is None:
                raise problem("delivery-unknown", delivery=delivery_id)
            left = until - loop.time()
            if row.status in _FINISHED or left <= 0 or health.draining:
                return row
            await _told(told, min(look, left))
            if isinstance(told.news, DeliveryRow):
                return told.news
            look = min(look * 1.5, _LAST_LOOK_SECONDS)


async def _told(told: Told, seconds: float) -> None:
    """Return when there are news, or the time is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await told.wait()
    told.clear()


def _answer(service: Service, row: DeliveryRow, accepted: Accepted, at_once: bool) -> Response:
    headers = {"Location": delivery_path(service, row.id)}
    if accepted.replayed:
        headers["Idempotent-Replayed"] = "true"
    if row.status in _FINISHED and (accepted.replayed or not at_once):
        return JSONResponse(receipt_of(row), 201, headers)
    headers["Retry-After"] = "1"
    if at_once:
        headers["Preference-Applied"] = "respond-async"
    return JSONResponse(delivery_view(service, row), 202, headers)


def _add_deliveries(router: APIRouter, service: Service) -> None:
    @router.get("/deliveries", tags=["deliveries"], summary="报送清单 · deliveries, newest first")
    async def list_deliveries(
        request: Request,
        response: Response,
        caller: CallerDep,
        conn: ReadTx,
        page: PageDep,
        feed: Annotated[str | None, Query(description="报送项目 · feed")] = None,
        period: Annotated[str | None, Query(description="期间 · period")] = None,
        status: Annotated[
            str | None, Query(description="accepted, judging, done, rejected")
        ] = None,
    ) -> dict[str, Any]:
        after = page.after(int)
        rows = await store.list_deliveries(
            conn,
            feed=feed,
            period=period,
            status=status,
            department=None
            if caller.units is None and caller.is_any(*SEE_ALL)
            else caller.department,
            units=caller.units,
            before=after[0] if after else None,
            limit=page.limit + 1,
        )
        return page.of(
            rows,
            lambda row: (row.seq,),
            request,
            response,
            lambda row: delivery_view(service, row),
        )

    @router.get(
        "/deliveries/{id}", tags=["deliveries"], summary="报送的状态和回执 · status and receipt"
    )
    async def get_delivery(
        delivery_id: DeliveryId, caller: CallerDep, conn: ReadTx
    ) -> dict[str, Any]:
        return delivery_view(service, await _visible(conn, caller, delivery_id))

    @router.get(
        "/deliveries/{id}/content",
        tags=["deliveries"],
        summary="所报原文 · the exact bytes that were sent",
        response_class=StreamingResponse,
    )
    async def get_content(
        delivery_id: DeliveryId, caller: CallerDep, runtime: RuntimeDep
    ) -> Response:
        if caller.is_any("operator"):
            # Runs the installation; has no business with what departments send.
            allowed = ", ".join(("agency", "auditor", "sender"))
            raise problem("forbidden", department=caller.department, allowed=allowed)
        async with runtime.database.read() as conn:
            row = await _visible(conn, caller, delivery_id)
        return StreamingResponse(
            _content(runtime, row),
            media_type=row.content_type or None,
            headers={
                "Content-Length": str(row.size),
                "Content-Disposition": "attachment",
                "Cache-Control": "private, no-store",
                "ETag": f'"{row.sha256.hex()}"',
                **encoding_header(row),
            },
        )


async def _content(runtime: Runtime, row: DeliveryRow) -> AsyncIterator[bytes]:
    """The body, a segment at a time, each read on its own: a slow reader holds no connection."""
    if row.reading is not None:  # what was sent is not what the segments hold
        async for piece in original_of(runtime, row):
            yield piece
        return
    for no in range(row.chunk_count):
        async with runtime.database.read() as conn:
            segment = await store.find_segment(conn, row.id, no)
        if segment is None:
            raise LookupError(f"segment {no} of delivery {row.id} is missing")
        yield open_segment(runtime.secrecy, str(row.id), no, bytes(segment.body))


def _add_records(router: APIRouter, feeds: Mapping[str, Feed]) -> None:
    @router.get(
        "/deliveries/{id}/records",
        tags=["records"],
        summary="逐条处置结果 · how each record ended",
    )
    async def list_records(
        delivery_id: DeliveryId,
        request: Request,
        response: Response,
        caller: CallerDep,
        runtime: RuntimeDep,
        conn: ReadTx,
        page: PageDep,
        disposition: Annotated[
            Disposition | None, Query(description="处置 · applied, duplicate, rejected, held")
        ] = None,
    ) -> dict[str, Any]:
        row = await _visible(conn, caller, delivery_id)
        after = page.after(int)
        found = await _records_after(
            conn, row, after[0] if after else 0, disposition, page.limit + 1
        )
        numbers = [no for no, _ in found]
        problems = await store.problems_of(conn, row.id, numbers, len(numbers))
        feed = _feed(feeds, row.feed)
        notes = await notes_for(conn, runtime, feed, row, numbers)
        return page.of(
            found,
            lambda record: (record[0],),
            request,
            response,
            lambda record: {
                "no": record[0],
                "disposition": record[1],
                "problems": described(feed, problems.get(record[0], ())),
                **notes.get(record[0], {}),
            },
        )

    @router.get(
        "/deliveries/{id}/records/{no}",
        tags=["records"],
        summary="一条记录(个人信息已遮盖) · one record, personal fields masked",
    )
    async def get_record(
        delivery_id: DeliveryId,
        no: Annotated[int, Path(ge=1, le=2**31 - 1)],
        caller: CallerDep,
        runtime: RuntimeDep,
        conn: ReadTx,
    ) -> dict[str, Any]:
        row = await _visible(conn, caller, delivery_id)
        segment = await store.find_segment_of_record(conn, row.id, no)
        if segment is None:
            raise problem("not-found")
        return await _record(conn, runtime, _feed(feeds, row.feed), row, segment, no)


async def _records_after(
    conn: AsyncConnection,
    row: DeliveryRow,
    after_no: int,
    disposition: Disposition | None,
    limit: int,
) -> list[tuple[int, Disposition]]:
    """A page of records; where few end the way asked for, chunk after chunk is looked through."""
    found: list[tuple[int, Disposition]] = []
    while len(found) < limit:
        chunks = await store.chunks_from(conn, row.id, after_no + 1, 20)
        if not chunks:
            break
        found += select(chunks, after_no, disposition, limit - len(found))
        first_no, packed = chunks[-1]
        after_no = first_no + len(packed) - 1
    return found


async def _record(
    conn: AsyncConnection,
    runtime: Runtime,
    feed: Feed,
    row: DeliveryRow,
    segment: StoredSegment,
    no: int,
) -> dict[str, Any]:
    text = dict(records_of(runtime.secrecy, str(row.id), row.reader, segment))[no]
    ended = await _records_after(conn, row, no - 1, None, 1)
    how = ended[0][1] if ended and ended[0][0] == no else None
    problems = await store.problems_of(conn, row.id, [no], 1)
    history: list[Mapping[str, Any]] = []
    if how in (Disposition.APPLIED, Disposition.DUPLICATE) and not row.dry_run:
        # The key is not kept with each record: judging is pure and gives it again.
        task = task_of(runtime, feed, row, segment, frozenset({no}))
        keys = [key for _, key, _, _ in judge_segment(task, runtime.plan, runtime.secrecy).rows]
        known = await store.versions_of(conn, feed.name, keys[0]) if keys else []
        if known or how is Disposition.APPLIED:
            history = versions(known, str(row.id), no)
    return {
        "delivery": str(row.id),
        "no": no,
        "disposition": how,
        "content": shown(feed, text),
        "problems": described(feed, problems.get(no, ())),
        **(await notes_for(conn, runtime, feed, row, [no])).get(no, {}),
        "versions": history,
    }
