"""``GET /trust``: can today's 旬报 be trusted?"""

from __future__ import annotations

from fastapi import APIRouter

from reporting.figures.views import API
from reporting.trust import peers, report, schemas
from shared.auth import CallerDep
from shared.dependencies import RuntimeDep
from shared.inbox import Inbox
from shared.runtime import Runtime

router = APIRouter(prefix=API, tags=["trust"])


@router.get("/trust", summary="数据可否采信 · can the figures be trusted")
async def read_trust(_: CallerDep, runtime: RuntimeDep) -> schemas.Trust:
    """本旬数据可否采信及理由 · whether the figures can be trusted, with every reason."""
    return await trust_of(runtime)


async def trust_of(runtime: Runtime) -> schemas.Trust:
    """As answered, also for the page. The producers are asked outside a transaction, so that a slow
    one holds no connection; what is here already is read before, so that it cannot be more than
    what they have given, unless one was taken back."""
    async with runtime.database.read() as conn:
        had = (await Inbox.of(runtime).status(conn)).marks
    producers = await peers.ask(runtime.settings)
    async with runtime.database.read(snapshot=True) as conn:
        seen = await report.look(conn, runtime)
    return report.trust_answer(runtime, seen, producers, had)
