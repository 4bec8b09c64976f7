"""The one-process default: four services, their workers, an embedded PostgreSQL and bus.

    async with all_in_one(settings) as whole:
        await serve(whole.app, …)

Every service keeps its own database, role and migrations, exactly as when it stands alone; what
they share is the process, the clock and the bus.
"""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI
from pydantic import SecretStr

from kuomian import data_dir as folder
from kuomian.services import NAMES, all_services
from shared.application import build_runtime, create_app
from shared.auth import Issuer
from shared.bus.postgres import PostgresBus
from shared.clock import Clock, DemoClock, RealClock
from shared.embedded import EmbeddedPostgres
from shared.migrate import upgrade
from shared.plan.load import load_plan
from shared.runtime import Runtime
from shared.settings import Settings

log = structlog.get_logger(__name__)

TOKEN_LIFETIME = timedelta(days=3650)
Scope = MutableMapping[str, Any]


class AlreadyServed(Exception):
    """Another process serves this data folder."""


class Dispatcher:
    """One ASGI application over several: the first path segment chooses, nothing is stripped;
    what names no service is reporting's. Lifespans are entered by ``all_in_one``, not here."""

    def __init__(self, apps: Mapping[str, FastAPI], otherwise: str) -> None:
        self.apps = apps
        self._otherwise = apps[otherwise]

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise RuntimeError("serve this application with lifespan off")
        first = scope["path"].split("/", 2)[1] if "/" in scope["path"] else ""
        await self.apps.get(first, self._otherwise)(scope, receive, send)


@dataclass(frozen=True)
class AllInOne:
    """The running whole. ``app`` answers requests; workers run beside it."""

    app: Dispatcher
    runtimes: Mapping[str, Runtime]
    clock: Clock
    postgres: EmbeddedPostgres

    def drain(self) -> None:
        """Say "not ready" from now on."""
        for app in self.app.apps.values():
            app.state.health.drain()


@asynccontextmanager
async def all_in_one(
    settings: Settings, url: str, postgres_options: Mapping[str, str] | None = None
) -> AsyncIterator[AllInOne]:
    """Start everything over ``settings.data_dir``; stop it in the opposite order.

    ``url`` is where the application will answer: reporting asks the others there how far they
    are. A folder left by a killed process is taken over, its PostgreSQL included. Raises
    AlreadyServed, DataDirError, EmbeddedPostgresError.
    """
    data_dir = folder.prepare(settings.data_dir)
    settings = _among_themselves(_with_keys(settings, data_dir), url)
    services = all_services()
    async with AsyncExitStack() as stack:
        stack.enter_context(sole_server(data_dir))
        postgres = await stack.enter_async_context(_embedded(data_dir, postgres_options or {}))
        urls = await upgrade_all(postgres)
        clock = _clock(settings, data_dir)
        bus = PostgresBus(
            urls["bus"], retention_seconds=settings.bus_retention_hours * 3600, pool_size=6
        )
        stack.push_async_callback(bus.close)
        plan = load_plan(settings.plan_file)
        runtimes, apps = {}, {}
        for service in services:
            own = settings.model_copy(
                update={
                    "database_url": SecretStr(urls[service.name]),
                    "database_direct_url": None,
                    "bus": "postgres",
                    "bus_database_url": SecretStr(urls["bus"]),
                }
            )
            runtime = build_runtime(service, own, clock=clock, bus=bus, plan=plan)
            runtimes[service.name] = runtime
            apps[service.name] = create_app(service, runtime, closes_bus=False)
        # Mounted applications' lifespans do not run by themselves; workers run inside them.
        for app in apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield AllInOne(Dispatcher(apps, "reporting"), runtimes, clock, postgres)


def _with_keys(settings: Settings, data_dir: Path) -> Settings:
    """The settings with keys: those given, else those kept in the folder."""
    kept = folder.keys(data_dir)
    update: dict[str, Any] = {"data_dir": data_dir}
    for name in folder.KEYS:
        if getattr(settings, name) is None:
            update[name] = SecretStr(kept[name])
    return settings.model_copy(update=update)


def _among_themselves(settings: Settings, url: str) -> Settings:
    """The settings with addresses and a token for calls between services, unless given."""
    update: dict[str, Any] = {}
    if not settings.service_urls:
        update["service_urls"] = dict.fromkeys(NAMES, url)
    if settings.service_token is None and settings.auth_jwks is None:
        token = Issuer(settings.data_dir).token("all-in-one", "operator", lifetime=TOKEN_LIFETIME)
        update["service_token"] = SecretStr(token)
    return settings.model_copy(update=update)


def _clock(settings: Settings, data_dir: Path) -> Clock:
    return DemoClock(data_dir / "clock.json") if settings.clock == "demo" else RealClock()


async def upgrade_all(postgres: EmbeddedPostgres) -> dict[str, str]:
    """Make the databases, each owned by a role of its own name, and bring their schemas to head.

    Returns service name (and ``bus``) → URL.
    """
    services = all_services()
    urls = {}
    for name in (*(service.name for service in services), "bus"):
        underscored = name.replace("-", "_")
        urls[name] = await asyncio.to_thread(postgres.create_database, underscored, underscored)
    for service in services:
        await upgrade(urls[service.name], service.migrations)
    return urls


@asynccontextmanager
async def _embedded(data_dir: Path, options: Mapping[str, str]) -> AsyncIterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(data_dir, options)
    # Whoever may have left one running is gone (we hold the folder's lock): it is ours to stop.
    await asyncio.to_thread(postgres.start, take_over=True)
    try:
        yield postgres
    finally:
        await asyncio.to_thread(postgres.stop)


@contextmanager
def sole_server(data_dir: Path) -> Iterator[None]:
    """Hold the folder against other processes; freed by any death. Raises AlreadyServed."""
    with (data_dir / ".serving.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServed(
                f"{data_dir} 已由另一进程打开 · {data_dir} is served by another process"
            ) from None
        yield
