"""What operators ask and do, the same in every service: status, metrics, dead letters,
publishing again, and in the demo the clock."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared import inbox, outbox_again, outbox_behind
from shared.auth import allow
from shared.clock import DemoClock, FixedClock
from shared.database import is_away
from shared.dependencies import ReadTx, RuntimeDep, Tx, runtime_of
from shared.inbox import Inbox
from shared.metrics import REGISTRY
from shared.paging import PageDep
from shared.problems import field_error, problem
from shared.service import Service
from shared.status import lag_of, set_gauges, status_of

_OPERATIONS = "operations"
_FIRST_YEAR, _LAST_YEAR = 1990, 2100
"""The demo clock stays where calendars and plans can follow."""


class ReplayOrder(BaseModel):
    """Which dead letters to apply once more."""

    model_config = ConfigDict(extra="forbid", strict=True)
    ids: list[int] = Field(min_length=1, max_length=1000)


class ReplayOutcome(BaseModel):
    """What became of one of them."""

    id: int
    outcome: Literal["applied", "already-replayed", "failed", "unknown"]
    reason: str = ""


class DismissOrder(ReplayOrder):
    """Which dead letters to close without effect, and why."""

    reason: str = Field(min_length=1, max_length=500)


class DismissOutcome(BaseModel):
    """What became of one of them."""

    id: int
    outcome: Literal["dismissed", "already-closed", "unknown"]


class RepublishOrder(BaseModel):
    """Which sent facts to send again, with the positions they have: all since a moment, or
    those of one partition from a position to another (both included).

    ``had``, with ``since``: the lowest mark of all receivers, by partition. Blocks above it, all
    without it, are sent before fresh facts; the others never hold these up."""

    model_config = ConfigDict(extra="forbid")
    since: AwareDatetime | None = None
    had: dict[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict
    )
    partition: int | None = Field(None, ge=0)
    first: int | None = Field(None, ge=1)
    last: int | None = Field(None, ge=1)


class RepublishOrdered(BaseModel):
    """What will be sent again; ``first_blocks`` of them before fresh facts. How far it is:
    ``outbox.republishing`` in status, null when done."""

    blocks: int
    facts: int
    first_blocks: int


class ResumeOrder(BaseModel):
    """After a restore: ``above`` names positions known to have been given, by partition, as in the
    receivers' ``inbox.marks``; empty when the bus still has its messages."""

    model_config = ConfigDict(extra="forbid")
    above: dict[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict
    )


class ClockSetting(BaseModel):
    """The demo clock; ``at`` carries its time zone."""

    model_config = ConfigDict(extra="forbid")
    at: AwareDatetime


def operations_router(service: Service, prefix: str, *, demo_clock: bool) -> APIRouter:
    """The routes below ``prefix`` (``/{service}/v1``) a service has any use for."""
    router = APIRouter(prefix=prefix, tags=[_OPERATIONS])
    _add_status(router)
    tables = service.metadata.tables
    if "dead_letters" in tables:
        _add_dead_letters(router)
    if "outbox_blocks" in tables:
        _add_republish(router)
    if demo_clock:
        _add_clock(router)
    return router


def metrics_router(prefix: str) -> APIRouter:
    """``{prefix}/metrics`` for Prometheus: counts only; kept inside the cluster by the ingress."""
    router = APIRouter(prefix=prefix, include_in_schema=False)

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        runtime = await runtime_of(request)
        try:
            async with runtime.database.read() as conn:
                set_gauges(runtime.service.name, await status_of(runtime, conn))
        except Exception as error:
            if not is_away(error):
                raise
        workers = getattr(request.app.state, "workers", None)
        if workers is not None and workers.consumers is not None:
            await lag_of(runtime)
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return router


def _add_status(router: APIRouter) -> None:
    readers = ("operator", "auditor", "agency", "leading-group")

    @router.get(
        "/status",
        summary="运行状况 · how the service stands",
        dependencies=[allow(*readers)],
    )
    async def read_status(request: Request, runtime: RuntimeDep, conn: ReadTx) -> dict[str, Any]:
        """待发、死信、缺口、暂挂、未处理完的报送 · what waits, what is stuck, per partition."""
        found = await status_of(runtime, conn)
        set_gauges(runtime.service.name, found)
        workers = getattr(request.app.state, "workers", None)
        if workers is not None:
            report = workers.consumers
            found["workers"] = {
                "restarts": dict(workers.restarts),
                "consumer": None
                if report is None
                else {"state": str(report.state), "reason": report.reason},
            }
            found["lag"] = None if report is None else await lag_of(runtime)
        return found


def _add_dead_letters(router: APIRouter) -> None:
    @router.get(
        "/dead-letters",
        summary="死信列表 · dead letters",
        dependencies=[allow("operator", "auditor")],
    )
    async def list_dead_letters(
        request: Request,
        response: Response,
        conn: ReadTx,
        page: PageDep,
        open_only: Annotated[
            bool, Query(description="仅未处理的 · only those not replayed yet")
        ] = True,
    ) -> dict[str, Any]:
        """不含正文 · the payload itself is not shown."""
        (after,) = page.after(int) or (0,)
        letters = await inbox.list_letters(
            conn, after=after, limit=page.limit + 1, open_only=open_only
        )
        return page.of(letters, lambda letter: (letter.id,), request, response, _letter)

    @router.post(
        "/dead-letters/replay",
        summary="重放死信 · apply dead letters once more",
        dependencies=[allow("operator")],
    )
    async def replay_dead_letters(order: ReplayOrder, runtime: RuntimeDep) -> list[ReplayOutcome]:
        """每条一个事务,同一条不会生效两次 · each in its own transaction, never twice."""
        outcomes = await Inbox.of(runtime).replay(order.ids)
        return [ReplayOutcome(id=o.id, outcome=o.outcome, reason=o.reason) for o in outcomes]

    @router.post(
        "/dead-letters/dismiss",
        summary="作废死信 · close dead letters without effect",
        dependencies=[allow("operator")],
    )
    async def dismiss_dead_letters(
        order: DismissOrder, runtime: RuntimeDep
    ) -> list[DismissOutcome]:
        """非本系统事实的消息,留痕作废 · for what is no fact of ours; kept on record."""
        outcomes = await Inbox.of(runtime).dismiss(order.ids, order.reason)
        return [DismissOutcome(id=o.id, outcome=o.outcome) for o in outcomes]


def _letter(letter: inbox.DeadLetter) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(letter)
    shown["payload_bytes"] = len(letter.payload)
    del shown["payload"]
    return shown


def _add_republish(router: APIRouter) -> None:
    @router.post(
        "/outbox/republish",
        summary="重新发布 · publish sent facts again",
        dependencies=[allow("operator")],
    )
    async def republish(order: RepublishOrder, conn: Tx) -> RepublishOrdered:
        """接收方会丢弃已收到的 · receivers drop what they have had."""
        positions = (order.partition, order.first, order.last)
        if order.since is not None and positions == (None, None, None):
            found = await outbox_again.republish(conn, since=order.since, had=order.had)
        else:
            partition, first, last = positions
            if order.since or order.had or partition is None or first is None or last is None:
                raise problem("conflict", reason="since, or partition with first and last")
            found = await outbox_again.republish(conn, positions=(partition, first, last))
        return RepublishOrdered(
            blocks=found.blocks, facts=found.facts, first_blocks=found.first_blocks
        )

    @router.post(
        "/outbox/resume",
        summary="恢复后继续发布 · publish again after a restore",
        dependencies=[allow("operator")],
    )
    async def resume(order: ResumeOrder, conn: Tx) -> dict[str, dict[int, int]]:
        """从消息总线已有的位置之后继续 · positions go on above what the bus has (``outbox.behind``
        in status)."""
        return {"next_positions": await outbox_behind.resume(conn, order.above)}


def _add_clock(router: APIRouter) -> None:
    @router.get(
        "/clock", summary="演示时钟 · the demo clock", dependencies=[allow("operator", "auditor")]
    )
    async def read_clock(runtime: RuntimeDep) -> dict[str, str]:
        return {"clock": runtime.clock.kind, "now": runtime.clock.now().isoformat()}

    @router.put(
        "/clock", summary="设定演示时钟 · set the demo clock", dependencies=[allow("operator")]
    )
    async def set_clock(setting: ClockSetting, runtime: RuntimeDep) -> dict[str, str]:
        clock = runtime.clock
        if not isinstance(clock, DemoClock | FixedClock):
            raise problem("not-available", reason="CLOCK=real")
        at: datetime = setting.at
        if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
            bounds = {"minimum": str(_FIRST_YEAR), "maximum": str(_LAST_YEAR)}
            errors = [field_error("value-out-of-range", "/at", bounds)]
            raise problem("parameter-invalid", errors=errors, count=1)
        clock.set(at)
        return {"clock": clock.kind, "now": clock.now().isoformat()}
