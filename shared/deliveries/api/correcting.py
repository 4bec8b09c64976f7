"""Routes that take a delivery back, and show how far that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.auth import CallerDep
from shared.crypto import mask_within
from shared.deliveries import store
from shared.deliveries.api.asking import DeliveryId, changeable, feed_of, visible
from shared.deliveries.correcting import check_withdrawable
from shared.deliveries.feed import Feed
from shared.deliveries.store import linked
from shared.deliveries.store import withdrawals as w
from shared.deliveries.views import delivery_path, withdrawal_view
from shared.dependencies import ReadTx, RuntimeDep, Tx
from shared.problems import problem
from shared.service import Service

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=500)]


class WithdrawalOrder(BaseModel):
    """Why a delivery is taken back; identity numbers in it are masked."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason = Field(description="撤回理由 · why, kept on record")


def add_correcting(router: APIRouter, service: Service, feeds: Mapping[str, Feed]) -> None:
    """``POST`` and ``GET /deliveries/{id}/withdrawal``."""

    @router.post(
        "/deliveries/{id}/withdrawal",
        tags=["deliveries"],
        summary="撤回报送 · take a delivery back",
        status_code=202,
        responses={
            200: {"description": "已撤回 · it was done before"},
            202: {"description": "已受理,见 Location · noted, see Location"},
        },
    )
    async def withdraw_delivery(
        delivery_id: DeliveryId,
        order: WithdrawalOrder,
        response: Response,
        caller: CallerDep,
        runtime: RuntimeDep,
        conn: Tx,
    ) -> dict[str, Any]:
        """撤销其全部记录,此前的内容恢复有效 · its records go, what stood before stands again.
        The same request again changes nothing."""
        row = await changeable(conn, caller, delivery_id)
        await linked.lock_delivery(conn, row.id)
        known = await store.find_withdrawal(conn, row.id)
        if known is not None and known.status == "refused":
            await w.forget_refused(conn, known.id)
            known = None
        if known is None:
            await check_withdrawable(conn, feed_of(feeds, row.feed), row)
            await w.insert_withdrawal(
                conn,
                feed=row.feed,
                delivery_id=row.id,
                kind="delivery",
                superseded_by=None,
                reason=mask_within(order.reason),
                subject=caller.subject,
                department=caller.department,
                requested_at=runtime.clock.now(),
            )
            known = await store.find_withdrawal(conn, row.id)
        if known is None:
            raise LookupError(f"withdrawal of {row.id} is missing")
        response.status_code = 200 if known.status == "done" else 202
        response.headers["Location"] = f"{delivery_path(service, row.id)}/withdrawal"
        return withdrawal_view(known, await w.count_outcomes(conn, known.id))

    @router.get(
        "/deliveries/{id}/withdrawal",
        tags=["deliveries"],
        summary="撤回的进度和结果 · how far the withdrawal is, and what it came to",
    )
    async def get_withdrawal(
        delivery_id: DeliveryId, caller: CallerDep, conn: ReadTx
    ) -> dict[str, Any]:
        row = await visible(conn, caller, delivery_id)
        known = await store.find_withdrawal(conn, row.id)
        if known is None:
            raise problem("not-found")
        return withdrawal_view(known, await w.count_outcomes(conn, known.id))
