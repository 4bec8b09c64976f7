"""Routes that show deliveries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from shared.auth import CallerDep
from shared.deliveries import store
from shared.deliveries.api.asking import DeliveryId, feed_of, seen_department, visible
from shared.deliveries.feed import Feed
from shared.deliveries.seeing import require_content
from shared.deliveries.spool import open_segment
from shared.deliveries.store import DeliveryRow, linked
from shared.deliveries.tables.kept import encoding_header, original_of
from shared.deliveries.views import delivery_details, delivery_view
from shared.dependencies import ReadTx, RuntimeDep
from shared.paging import PageDep
from shared.runtime import Runtime
from shared.service import Service


def add_deliveries(router: APIRouter, service: Service, feeds: Mapping[str, Feed]) -> None:
    """The list of deliveries, one with its receipts, and the bytes that were sent."""

    @router.get("/deliveries", tags=["deliveries"], summary="报送清单 · deliveries, newest first")
    async def list_deliveries(
        request: Request,
        response: Response,
        caller: CallerDep,
        conn: ReadTx,
        page: PageDep,
        feed: Annotated[str | None, Query(description="报送项目 · feed")] = None,
        period: Annotated[str | None, Query(description="期间 · period")] = None,
        status: Annotated[str | None, Query(description="accepted, judging, done")] = None,
    ) -> dict[str, Any]:
        after = page.after(int)
        rows = await store.list_deliveries(
            conn,
            feed=feed,
            period=period,
            status=status,
            department=seen_department(caller),
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
        row = await visible(conn, caller, delivery_id)
        later = await linked.linked_receipts(conn, row.id)
        taken = await store.find_withdrawal(conn, row.id)
        return delivery_details(service, row, later, taken)

    @router.get(
        "/deliveries/{id}/content",
        tags=["deliveries"],
        summary="所报原文 · the exact bytes that were sent",
        response_class=StreamingResponse,
    )
    async def get_content(
        delivery_id: DeliveryId, caller: CallerDep, runtime: RuntimeDep
    ) -> Response:
        async with runtime.database.read() as conn:
            row = await visible(conn, caller, delivery_id)
        require_content(caller, row, bool(feed_of(feeds, row.feed).protected))
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
