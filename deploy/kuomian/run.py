"""Processes of the command line: one service or all, their migrations, and the end of the data."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from kuomian.all_in_one import all_in_one, sole_server, upgrade_all
from kuomian.data_dir import prepare
from kuomian.gateway import OTHERWISE, Gateway
from kuomian.server import bind, serve
from kuomian.services import get_service
from kuomian.words import Failure
from shared.application import build_runtime, create_app
from shared.database import Database
from shared.embedded import EmbeddedPostgres
from shared.migrate import current, upgrade
from shared.plan import Plan, load_plan
from shared.settings import Settings, load_settings
from shared.spans import traced
from shared.telemetry import configure_logging
from shared.workers import Role

if TYPE_CHECKING:
    from reporting.figures.rebuild import Rebuilt

ROLES: Final[dict[str, Role]] = {"api": "deliveries", "relay": "relay", "consumer": "consumers"}
"""Role on the command line → the worker that runs in such a process. Every process answers HTTP
(health and metrics are needed anyway); who is sent requests is the ingress's business."""

log = structlog.get_logger(__name__)


def _settings(**given: Any) -> Settings:
    """The environment, with what was given on the command line on top."""
    present = {name: value for name, value in given.items() if value is not None}
    settings = load_settings(**present)
    if "public_url" not in settings.model_fields_set:
        host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
        update = {"public_url": f"http://{host}:{settings.port}"}
        settings = settings.model_copy(update=update)
    configure_logging(settings)
    return settings


def _bound(settings: Settings) -> socket.socket:
    try:
        return bind(settings.host, settings.port)
    except OSError as error:
        raise Failure(
            f"无法监听 · cannot listen on {settings.host}:{settings.port}: {error.strerror}"
            " (PORT, HOST)"
        ) from error


def address_of(bound: socket.socket) -> str:
    """Host and port at which this machine reaches the socket."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - any address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def serve_all(
    host: str | None,
    port: int | None,
    data_dir: Path,
    *,
    demo: bool = False,
    with_parent: bool = False,
) -> None:
    """The all-in-one until a signal. ``demo``: with a clock that can be set, and an overview
    everybody may read."""
    given: dict[str, Any] = {"clock": "demo", "public_overview": True} if demo else {}
    settings = _settings(host=host, port=port, data_dir=data_dir, **given)
    bound = _bound(settings)
    async with traced(settings), all_in_one(settings, f"http://{address_of(bound)}") as whole:
        log.info("serving", service="all", address=address_of(bound))
        await serve(whole.app, bound, on_stop=whole.drain, with_parent=with_parent)


async def serve_one(
    name: str,
    roles: Sequence[str],
    host: str | None,
    port: int | None,
    *,
    with_parent: bool = False,
) -> None:
    """One service until a signal; its database and bus come from the environment."""
    unknown = set(roles) - set(ROLES)
    if unknown:
        raise Failure(f"没有角色 {', '.join(sorted(unknown))} · roles: {', '.join(ROLES)}")
    service = get_service(name)
    settings = _settings(host=host, port=port)
    bound = _bound(settings)
    runtime = build_runtime(service, settings)
    app = create_app(service, runtime, roles=[ROLES[role] for role in roles or ROLES])
    async with traced(settings), app.router.lifespan_context(app):
        log.info("serving", service=name, address=address_of(bound))
        await serve(app, bound, on_stop=app.state.health.drain, with_parent=with_parent)


async def serve_gateway(
    addresses: Mapping[str, str], port: int, *, with_parent: bool = False
) -> None:
    """The one door before services at addresses of their own, until a signal."""
    if OTHERWISE not in addresses:
        raise Failure(f"缺少 {OTHERWISE} 的地址 · no address of {OTHERWISE}")
    settings = _settings(host=None, port=port)
    bound = _bound(settings)
    door = Gateway(addresses)
    log.info("serving", service="gateway", address=address_of(bound))
    try:
        await serve(door, bound, with_parent=with_parent)
    finally:
        await door.aclose()


async def migrate_one(name: str) -> dict[str, str | None]:
    """Bring the database of one service, from DATABASE_URL, to head."""
    service = get_service(name)
    settings = load_settings()
    found = settings.database_direct_url or settings.database_url
    if found is None:
        raise Failure("未设置 DATABASE_URL · DATABASE_URL is not set")
    url = found.get_secret_value()
    await upgrade(url, service.migrations)
    return {name: await current(url)}


async def migrate_all(data_dir: Path) -> dict[str, str | None]:
    """Bring the embedded databases to head; nothing may be serving them."""
    with sole_server(prepare(data_dir)):
        postgres = EmbeddedPostgres(data_dir)
        await asyncio.to_thread(postgres.start, take_over=True)
        try:
            urls = await upgrade_all(postgres)
            return {name: await current(url) for name, url in urls.items() if name != "bus"}
        finally:
            await asyncio.to_thread(postgres.stop)


def has_database_url() -> bool:
    """Whether the environment names a service's own database."""
    return load_settings().database_url is not None


async def rebuild_figures(
    data_dir: Path, progress: Callable[[int, int], None], *, accept: bool
) -> Rebuilt:
    """Rebuild reporting's projections over DATABASE_URL, else over the embedded database, whose
    server is joined when it runs and started for the while when not. Raises Failure when another
    rebuild runs or readers never leave room to swap."""
    settings = load_settings()
    plan = load_plan(settings.plan_file)
    found = settings.database_direct_url or settings.database_url
    if found is not None:
        return await _rebuild(found.get_secret_value(), plan, progress, accept)
    postgres = EmbeddedPostgres(data_dir)
    try:
        await asyncio.to_thread(postgres.start)
        return await _rebuild(postgres.url("reporting", "reporting"), plan, progress, accept)
    finally:
        await asyncio.to_thread(postgres.stop)


async def _rebuild(
    url: str, plan: Plan, progress: Callable[[int, int], None], accept: bool
) -> Rebuilt:
    # An image may lack reporting.
    from reporting.figures.rebuild import rebuild  # noqa: PLC0415
    from reporting.figures.store.standing import CannotRebuild  # noqa: PLC0415

    database = Database(url, pool_size=4, name="rebuild")
    try:
        return await rebuild(database, plan, progress, accept=accept)
    except CannotRebuild as error:
        raise Failure(f"未重建 · not rebuilt: {error}") from error
    finally:
        await database.close()


def forget_data(data_dir: Path) -> None:
    """Empty the folder, the PostgreSQL a killed process may have left there stopped first.

    Raises AlreadyServed, and Failure for a folder that is not one of ours.
    """
    known = {"postgres", "server.json", "keys.json", "issuer", "tokens.json", "demo", "clock.json"}
    inside = {path.name for path in data_dir.iterdir()}
    if inside and not inside & known:
        raise Failure(f"{data_dir} 不是数据目录 · {data_dir} is not one of our data folders")
    with sole_server(data_dir):
        if (data_dir / "postgres").exists():
            EmbeddedPostgres(data_dir).kill()
        for path in data_dir.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
