"""What a route may ask for: the running service and a transaction of its own request.

``Tx`` commits when the route function ends and *before* the answer leaves (``scope="function"``;
by default FastAPI would commit after it): a caller that reads 201 can rely on it, and a commit
that fails becomes the answer. The body must not be produced lazily from ``Tx``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime import Runtime


def runtime_of(request: Request) -> Runtime:
    """The service this request came to."""
    runtime: Runtime = request.app.state.runtime
    return runtime


RuntimeDep = Annotated[Runtime, Depends(runtime_of)]


async def _transaction(runtime: RuntimeDep) -> AsyncIterator[AsyncConnection]:
    async with runtime.database.transaction() as conn:
        yield conn


async def _reading(runtime: RuntimeDep) -> AsyncIterator[AsyncConnection]:
    async with runtime.database.read() as conn:
        yield conn


async def _snapshot(runtime: RuntimeDep) -> AsyncIterator[AsyncConnection]:
    async with runtime.database.read(snapshot=True) as conn:
        yield conn


Tx = Annotated[AsyncConnection, Depends(_transaction, scope="function")]
"""One transaction per request; committed before the answer, rolled back by any exception."""

ReadTx = Annotated[AsyncConnection, Depends(_reading, scope="function")]
"""As Tx, read-only."""

SnapshotTx = Annotated[AsyncConnection, Depends(_snapshot, scope="function")]
"""As ReadTx, every statement seeing the same moment."""
