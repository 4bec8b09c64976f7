"""Routes about records that wait: which they are, and what an officer decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from shared.auth import CallerDep
from shared.crypto import mask_within
from shared.deliveries import holding
from shared.deliveries.api.asking import DeliveryId, RecordNo, changeable, seen_department
from shared.deliveries.api.correcting import Reason
from shared.deliveries.feed import Feed
from shared.deliveries.receipts import timestamp
from shared.deliveries.store import linked
from shared.dependencies import ReadTx, RuntimeDep, Tx
from shared.paging import PageDep


class ResolutionOrder(BaseModel):
    """What an officer decides about a held record, and why."""

    model_config = ConfigDict(extra="forbid")
    action: Literal["reject", "release"] = Field(
        description="reject 退回; release 重新审核 · reject it, or have it judged again"
    )
    reason: Reason = Field(description="理由 · why, kept on record")


def add_holding(router: APIRouter, feeds: Mapping[str, Feed]) -> None:
    """``GET /held-records`` and ``POST /deliveries/{id}/records/{no}/resolution``."""

    @router.get(
        "/held-records",
        tags=["records"],
        summary="暂挂记录及所等待的内容 · records that wait, for what and since when",
    )
    async def list_held_records(
        request: Request,
        response: Response,
        caller: CallerDep,
        conn: ReadTx,
        page: PageDep,
        feed: Annotated[str | None, Query(description="报送项目 · feed")] = None,
    ) -> dict[str, Any]:
        rows = await linked.list_held(
            conn,
            feed=feed,
            department=seen_department(caller),
            units=caller.units,
            after=page.after(int, int),
            limit=page.limit + 1,
        )
        return page.of(
            rows,
            lambda row: (row["seq"], row["no"]),
            request,
            response,
            lambda row: {
                "delivery": str(row["delivery_id"]),
                "no": row["no"],
                "feed": row["feed"],
                "department": row["department"],
                "period": row["period"],
                "waiting_for": mask_within(row["waiting_for"]),
                "held_at": timestamp(row["held_at"]),
            },
        )

    @router.post(
        "/deliveries/{id}/records/{no}/resolution",
        tags=["records"],
        summary="处理暂挂记录 · decide on a held record",
    )
    async def resolve_record(
        delivery_id: DeliveryId,
        no: RecordNo,
        order: ResolutionOrder,
        caller: CallerDep,
        runtime: RuntimeDep,
        conn: Tx,
    ) -> dict[str, Any]:
        """退回即计入 rejected;release 只是立即重新审核,仍缺则继续暂挂 · a release judges it again
        at once through the same gate: what is still missing still holds it."""
        row = await changeable(conn, caller, delivery_id)
        disposition = await holding.resolve(
            conn, runtime, row.id, no, order.action, mask_within(order.reason), caller
        )
        return {"delivery": str(row.id), "no": no, "disposition": disposition}
