"""Routes by which others check us: sums that add up, and the keys that sign receipts."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from shared.auth import CallerDep
from shared.deliveries.api.asking import seen_department
from shared.deliveries.store import linked
from shared.dependencies import ReadTx, RuntimeDep

_SUMS: Final = ("sent", "applied", "duplicate", "rejected", "held")
_COUNTS: Final = ("delivery_count", "nil_count", "withdrawn_count", "unfinished_count", *_SUMS)


def add_sums(router: APIRouter) -> None:
    """``GET /conservation`` and ``GET /receipt-keys``."""

    @router.get(
        "/conservation",
        tags=["deliveries"],
        summary="按项目和期间的收支平衡 · what was sent and how it ended, by feed and period",
    )
    async def get_conservation(
        caller: CallerDep,
        conn: ReadTx,
        feed: Annotated[str | None, Query(description="报送项目 · feed")] = None,
        period: Annotated[str | None, Query(description="期间 · period")] = None,
    ) -> dict[str, Any]:
        """sent = applied + duplicate + rejected + held + pending,撤回的报送照计 · deliveries
        taken back are counted as they ended; pending: of deliveries still being dealt with."""
        rows = await linked.sums(
            conn,
            feed=feed,
            period=period,
            department=seen_department(caller),
            units=caller.units,
        )
        items = [_line(row, feed=row["feed"], period=row["period"]) for row in rows]
        total = {name: sum(int(row[name]) for row in rows) for name in _COUNTS}
        return {"items": items, "total": _line(total)}

    @router.get(
        "/receipt-keys",
        tags=["deliveries"],
        summary="回执签名的公钥 · public keys of receipts, a JWK set",
    )
    async def get_receipt_keys(runtime: RuntimeDep, response: Response) -> dict[str, Any]:
        """公开;现用密钥在前,旧密钥保留 · public; the key in use first, earlier ones kept."""
        response.headers["Cache-Control"] = "public, max-age=300"
        return {"keys": []} if runtime.signer is None else runtime.signer.jwks()


def _line(row: dict[str, Any], **names: str) -> dict[str, Any]:
    counts = {name: int(row[name]) for name in _COUNTS}
    pending = counts["sent"] - sum(counts[name] for name in _SUMS[1:])
    balanced = pending == 0 or (pending > 0 and counts["unfinished_count"] > 0)
    return {**names, **counts, "pending": pending, "balanced": balanced}
