"""Health, three questions kept apart.

``live``: the process answers; nothing else is asked, so that a database outage restarts nobody.
``started``: it has been ready once. ``ready``: send requests here: the database answers, its
schema is the one this code was written for, and nobody asked to drain. A missing broker does not
make a service unready: what it takes in waits in the outbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from shared import metrics, migrate
from shared.database import Database, DatabaseAway, is_away
from shared.runtime import Runtime


@dataclass
class Health:
    """The answer to the three questions for one running service."""

    runtime: Runtime
    draining: bool = False
    been_ready: bool = False
    _head: str | None = field(default=None, init=False)
    _older: frozenset[str | None] = field(default=frozenset(), init=False)

    def __post_init__(self) -> None:
        self._head, revisions = _known(self.runtime.service.migrations)
        self._older = revisions - {self._head}

    def drain(self) -> None:
        """Say "not ready" from now on, while what is running is finished."""
        self.draining = True

    async def checks(self) -> dict[str, str]:
        """Each check with ``ok`` or what is wrong; never raises for a bad moment."""
        found = {"database": "ok", "migrations": "ok"}
        try:
            revision = await _revision(self.runtime.database)
        except DatabaseAway as error:
            found = {"database": str(error)[:200] or "away", "migrations": "unknown"}
        else:
            # Once at head always at head: a newer schema during an upgrade is not this one's fault
            # either, nor is one left by a version that was rolled back: migrations keep to what the
            # version before them can live with. Such a one this code has never heard of.
            behind = revision is None or revision in self._older
            if not self.been_ready and behind:
                found["migrations"] = f"at {revision}, this code needs {self._head}"
        if self.draining:
            found["draining"] = "shutting down"
        metrics.DATABASE_UP.labels(self.runtime.service.name).set(found["database"] == "ok")
        self.been_ready = self.been_ready or all(state == "ok" for state in found.values())
        return found


@lru_cache
def _known(folder: Path) -> tuple[str | None, frozenset[str]]:
    """The newest migration and all there are. Reading them compiles every one; what this code
    brings with it does not change while it runs."""
    return migrate.head(folder), migrate.revisions(folder)


async def _revision(database: Database) -> str | None:
    try:
        async with database.read() as conn:
            revision = await conn.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:  # no such table: never migrated
        return None
    except Exception as error:
        if is_away(error):
            raise DatabaseAway(str(error)) from error
        raise
    return None if revision is None else str(revision)


def health_router(prefix: str, health: Health) -> APIRouter:
    """``{prefix}/health/live|ready|started``; open to everyone, nothing personal."""
    router = APIRouter(prefix=f"{prefix}/health", tags=["health"])

    def answer(checks: dict[str, Any]) -> JSONResponse:
        ok = all(state == "ok" for state in checks.values())
        return JSONResponse(
            {"status": "ok" if ok else "unavailable", "checks": checks}, 200 if ok else 503
        )

    @router.get("/live", summary="进程存活 · the process answers")
    async def live() -> JSONResponse:
        return answer({"process": "ok"})

    @router.get("/ready", summary="可接收请求 · requests may be sent here")
    async def ready() -> JSONResponse:
        return answer(await health.checks())

    @router.get("/started", summary="启动完成 · it has been ready once")
    async def started() -> JSONResponse:
        if not health.been_ready:
            await health.checks()
        return answer({"started": "ok" if health.been_ready else "starting"})

    return router
