"""One door for services at addresses of their own: what ``deploy/compose/gateway.conf`` says,
for a machine without containers. Paths stay as they are, nothing is held back in either way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, MutableMapping
from typing import Any, Final

import httpx

OTHERWISE: Final = "reporting"
"""Whose the paths are that name no service."""
CONNECT_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 2.0  # shorter than a service keeps an idle connection

# Of one connection, not of the message (RFC 9110, 7.6.1).
HOP: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding"}
    | {b"upgrade"}
)
Scope = MutableMapping[str, Any]


class Gateway:
    """An ASGI application (without lifespan; ``aclose`` it). ``addresses``: service → URL.

    Answers 502 where a service cannot be reached and 404 for metrics, which are for inside.
    """

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = {name: httpx.URL(address) for name, address in addresses.items()}
        self._network = httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=None, keepalive_expiry=IDLE_SECONDS)
        )

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise RuntimeError("serve this application over HTTP, with lifespan off")
        path = scope["path"]
        if path.endswith("/metrics") and path.count("/") == 2:
            await _answer(send, 404, b"not here\n")
            return
        first = path.split("/", 2)[1]
        door = self._addresses.get(first) or self._addresses[OTHERWISE]
        incoming = _Incoming(receive)
        try:
            answer = await self._network.handle_async_request(_request(scope, door, incoming))
        except httpx.TransportError as error:
            await _answer(send, 502, f"{first}: {type(error).__name__}\n".encode())
            return
        try:
            await _until_left(_pass_on(answer, send), incoming)
        finally:
            await answer.aclose()

    async def aclose(self) -> None:
        """Close connections to the services."""
        await self._network.aclose()


class _Incoming:
    """What the caller sends: a body, then, some time, that it has left."""

    def __init__(self, receive: Any) -> None:
        self._receive = receive
        self._ended = asyncio.Event()

    async def body(self) -> AsyncIterator[bytes]:
        """The body in the pieces in which it comes. A body cut off by the caller raises, so that
        the service sees it cut off, too."""
        more = True
        while more:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                raise httpx.ReadError("the caller has left")
            more = event.get("more_body", False)
            yield event.get("body", b"")
        self._ended.set()

    async def left(self) -> None:
        """Return when the caller has gone; only whoever reads the body otherwise may read."""
        await self._ended.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def without_body(self) -> None:
        """There is none to be read."""
        self._ended.set()


def _request(scope: Scope, door: httpx.URL, incoming: _Incoming) -> httpx.Request:
    named = {name for name, _ in scope["headers"]}
    headers = [(name, value) for name, value in scope["headers"] if name not in HOP]
    if scope.get("client"):
        headers.append((b"x-forwarded-for", scope["client"][0].encode()))
    headers.append((b"x-forwarded-proto", scope["scheme"].encode()))
    target = scope["raw_path"]
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    has_body = b"content-length" in named or b"transfer-encoding" in named
    if not has_body:
        incoming.without_body()
    return httpx.Request(
        scope["method"],
        door.copy_with(raw_path=target),
        headers=headers,
        content=incoming.body() if has_body else None,
        extensions={"timeout": {"connect": CONNECT_SECONDS}},
    )


async def _pass_on(answer: httpx.Response, send: Any) -> None:
    # The server here puts a date of its own.
    left_out = HOP | {b"date"}
    headers = [(n.lower(), v) for n, v in answer.headers.raw if n.lower() not in left_out]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    assert isinstance(answer.stream, httpx.AsyncByteStream)  # noqa: S101 - for the type checker
    async for piece in answer.stream:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _until_left(work: Any, incoming: _Incoming) -> None:
    """Do it unless the caller goes away meanwhile: an event stream has no other end."""
    passing = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(incoming.left())
    try:
        await asyncio.wait({passing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if passing.done():
            passing.result()
    finally:
        for task in (passing, leaving):
            task.cancel()
        await asyncio.gather(passing, leaving, return_exceptions=True)


async def _answer(send: Any, status: int, text: bytes) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
