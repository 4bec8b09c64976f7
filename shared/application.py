"""A declared service made into a running one: ``build_runtime``, then ``create_app``.

Every path begins with ``/{service}``: the same behind an ingress, in compose and in the
all-in-one, so nothing ever strips a prefix.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

from shared.api_page import api_page
from shared.auth import Authority
from shared.bus import Bus, build_bus
from shared.certificates import watch_certificates
from shared.clock import Clock, DemoClock, RealClock
from shared.crypto import Secrecy
from shared.database import Database
from shared.dependencies import ReadTx, RuntimeDep, SnapshotTx, Tx, known_query
from shared.edge import Edge
from shared.events.asyncapi import asyncapi
from shared.health import Health, health_router
from shared.openapi import install_openapi, operation_id
from shared.operations import metrics_router, operations_router
from shared.outbox import Outbox
from shared.plan import Plan, load_plan
from shared.problems import install_problems, problem_pages
from shared.runtime import Runtime
from shared.service import Service
from shared.settings import Settings
from shared.signing import Signer
from shared.workers import ROLES, Role, working

__all__ = ["ReadTx", "RuntimeDep", "SnapshotTx", "Tx", "build_runtime", "create_app"]

SMALL_BODY_BYTES = 1024 * 1024
"""Longest body of everything but deliveries."""

LARGE_BODIES = r"/v1/feeds/[^/]+/deliveries"
"""Where deliveries are pushed to, below the service's prefix; bounded by MAX_BODY_BYTES there."""


def build_runtime(
    service: Service,
    settings: Settings,
    *,
    clock: Clock | None = None,
    bus: Bus | None = None,
    plan: Plan | None = None,
) -> Runtime:
    """What the service needs at hand, from its settings; nothing connects yet.

    Raises ValueError for settings that are missing or do not fit, PlanError for a bad plan file.
    """
    if clock is None:
        clock = (
            DemoClock(settings.data_dir / "clock.json") if settings.clock == "demo" else RealClock()
        )
    if bus is None:
        watch_certificates(service.name, settings)
    return Runtime(
        service=service,
        settings=settings,
        clock=clock,
        database=Database.from_settings(settings, service.name),
        bus=bus if bus is not None else build_bus(settings),
        outbox=Outbox(service.name, settings.topic_partitions),
        authority=Authority(settings),
        secrecy=Secrecy(settings.data_key_ring, settings.hash_key_ring),
        plan=plan if plan is not None else load_plan(settings.plan_file),
        signer=Signer(settings.receipt_key_ring) if settings.receipt_signing_keys else None,
    )


def create_app(
    service: Service,
    runtime: Runtime,
    *,
    roles: Iterable[Role] = ROLES,
    closes_bus: bool = True,
) -> FastAPI:
    """The service's HTTP application.

    Its lifespan runs the worker ``roles`` (none for a pure API process) and ends by closing the
    database and, unless several services share it, the bus. ``app.state.health.drain()`` makes
    it say "not ready" before it is stopped.
    """
    prefix = f"/{service.name}"

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            async with working(runtime, roles) as workers:
                app.state.workers = workers
                yield
                app.state.health.drain()
        finally:
            await runtime.database.close()
            if closes_bus:
                await runtime.bus.close()

    app = FastAPI(
        title=f"{service.title_zh} · {service.title_en}",
        version=_version(),
        description=(
            "扩面:应保尽保 · everyone who should be insured. 错误为 RFC 9457 问题文档,代码固定 · "
            f"errors are RFC 9457 problems with stable codes, listed at {prefix}/problems."
        ),
        openapi_url=f"{prefix}/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=operation_id,
        dependencies=[Depends(known_query)],
        # Its spans would hold paths and queries, where a person may stand: Edge makes ours.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.runtime = runtime
    app.state.public_url = runtime.settings.public_url
    app.state.health = Health(runtime)
    app.add_middleware(
        Edge,
        service=service.name,
        secure=runtime.settings.public_url.startswith("https://"),
        body_bytes=SMALL_BODY_BYTES,
        large_paths=re.compile(re.escape(prefix) + LARGE_BODIES),
    )
    install_problems(app)
    install_openapi(app, service, runtime.settings.public_url)
    _add_routes(app, service, runtime, prefix)
    return app


def _add_routes(app: FastAPI, service: Service, runtime: Runtime, prefix: str) -> None:
    if service.feeds:
        from shared.deliveries.api import deliveries_router  # noqa: PLC0415 - needs feeds

        app.include_router(deliveries_router(service), prefix=prefix)
    for router in service.routers:
        app.include_router(router)
    demo_clock = runtime.settings.clock == "demo"
    app.include_router(operations_router(service, f"{prefix}/v1", demo_clock=demo_clock))
    app.include_router(health_router(prefix, app.state.health))
    app.include_router(metrics_router(prefix))
    app.include_router(_documents(app, service, prefix))
    texts = {code: words for feed in service.feeds for code, words in feed.texts.items()}
    if service.feeds:
        from shared.deliveries.texts import ROW_TEXTS  # noqa: PLC0415 - needs feeds

        texts = {**ROW_TEXTS, **texts}
    app.include_router(problem_pages(prefix, texts))


def _documents(app: FastAPI, service: Service, prefix: str) -> APIRouter:
    router = APIRouter(prefix=prefix, include_in_schema=False)

    @router.get("/docs", response_class=HTMLResponse)
    async def docs() -> HTMLResponse:
        return HTMLResponse(api_page(app.openapi(), prefix))

    @router.get("/v1/asyncapi.json")
    async def facts() -> JSONResponse:
        return JSONResponse(asyncapi(service.name, app.title, app.version, app.description))

    return router


def _version() -> str:
    try:
        return version("kuomian")
    except PackageNotFoundError:  # an image holds the packages, not the distribution
        return "0"
