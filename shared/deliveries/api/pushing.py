"""The route by which a delivery comes in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from shared.auth import CallerDep
from shared.deliveries import store
from shared.deliveries.accepting import Accepted, Push, accept
from shared.deliveries.api.asking import FeedName, feed_of
from shared.deliveries.feed import Feed
from shared.deliveries.readers import READERS
from shared.deliveries.store import DeliveryRow
from shared.deliveries.views import delivery_path, delivery_view, receipt_view
from shared.dependencies import RuntimeDep
from shared.health import Health
from shared.metrics import DELIVERIES
from shared.problems import Problem, problem
from shared.runtime import Runtime, Told
from shared.service import Service

MAX_WAIT_SECONDS: Final = 60.0
_FIRST_LOOK_SECONDS: Final = 0.05
_LAST_LOOK_SECONDS: Final = 0.25
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


def add_push(router: APIRouter, service: Service, feeds: Mapping[str, Feed]) -> None:
    """``POST /feeds/{feed}/deliveries``."""

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
        mode: Annotated[
            Literal["append", "replace"],
            Query(description="replace: 全量名册,未列者移除 · a full list, also removes"),
        ] = "append",
        supersedes: Annotated[
            UUID | None, Query(description="替换哪次报送 · the delivery it replaces")
        ] = None,
        confirm_removals: Annotated[
            int | None,
            Query(ge=0, le=2**31 - 1, description="确认移除条数 · so many removals are meant"),
        ] = None,
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
        feed = feed_of(feeds, name)
        if caller.department not in feed.departments:
            raise problem(
                "forbidden-feed",
                department=caller.department,
                feed=feed.name,
                allowed=", ".join(sorted(feed.departments)),
            )
        at_once = "respond-async" in (prefer or "").lower()
        seconds = runtime.settings.delivery_wait_seconds if wait is None else wait
        push = Push(
            period=period,
            idempotency_key=idempotency_key,
            content_type=request.headers.get("content-type", ""),
            content_length=_length(request),
            content_encoding=request.headers.get("content-encoding"),
            content_digest=content_digest,
            nil=nil,
            dry_run=dry_run,
            mode=mode,
            confirm_removals=confirm_removals,
            supersedes=supersedes,
            sheet=sheet,
            waits=0.0 if at_once else seconds,
        )
        try:
            accepted = await accept(runtime, feed, caller, push, _body(request))
        except Problem as refused:
            if refused.code != "delivery-running":
                DELIVERIES.labels(service.name, feed.name, "rejected").inc()
            raise
        if accepted.done is not None:
            return _answer(service, accepted.done, accepted, at_once)
        health: Health = request.app.state.health
        left = 0.0 if at_once or accepted.waited else seconds
        row = await _finished(runtime, accepted, left, health)
        return _answer(service, row, accepted, at_once)


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
        return JSONResponse(receipt_view(row), 201, headers)
    headers["Retry-After"] = "1"
    if at_once:
        headers["Preference-Applied"] = "respond-async"
    return JSONResponse(delivery_view(service, row), 202, headers)
