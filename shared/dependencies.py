"""What a route may ask for: the running service and a transaction of its own request.

``Tx`` commits when the route function ends and *before* the answer leaves (``scope="function"``;
by default FastAPI would commit after it): a caller that reads 201 can rely on it, and a commit
that fails becomes the answer. The body must not be produced lazily from ``Tx``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any
from weakref import WeakKeyDictionary

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.problems import field_error, problem
from shared.runtime import Runtime


async def runtime_of(request: Request) -> Runtime:
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


async def known_query(request: Request) -> None:
    """Refuse a parameter the route does not know (``parameter-invalid``): who writes
    ``dry-run=true`` must not push in earnest, nor get all counties for ``units=210502``."""
    names = set(request.query_params)
    if not names:
        return
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    unknown = sorted(names - _query_names(route))
    if unknown:
        errors = [
            field_error("field-unknown", f"query/{name[:60]}", {"field": name[:60]})
            for name in unknown[:10]
        ]
        raise problem("parameter-invalid", errors=errors, count=len(unknown))


_known: WeakKeyDictionary[Any, frozenset[str]] = WeakKeyDictionary()
"""Route function → the parameters it knows."""


def _query_names(route: APIRoute) -> frozenset[str]:
    if (found := _known.get(route.endpoint)) is not None:
        return found
    names: set[str] = set()
    waiting: list[Dependant] = [route.dependant]
    while waiting:
        one = waiting.pop()
        names.update(field.alias for field in one.query_params)
        waiting += one.dependencies
    _known[route.endpoint] = frozenset(names)
    return _known[route.endpoint]
