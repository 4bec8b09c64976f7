"""The public REST API from outside: what a department's system would write to push a file."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import httpx

NDJSON: Final = "application/x-ndjson"
UNFINISHED: Final = frozenset({"accepted", "judging"})
TRIES: Final = 8
HINDERED_SECONDS: Final = 60.0
Body = Callable[[], AsyncIterator[bytes]]
"""Makes the body anew, so that a push can be tried again."""


class Refused(Exception):
    """The service answered with a problem (RFC 9457)."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code", status))
        title = problem.get("title_zh", problem.get("title", ""))
        super().__init__(f"{status} {self.code} {title}: {problem.get('detail', '')}")


class Hindered(Exception):
    """A delivery was accepted and the service cannot go on with it: its operator's business."""


class Unreachable(Exception):
    """Nobody answers at the address."""


@dataclass(frozen=True)
class Pushed:
    """The end of a push: the receipt, or the delivery's state where it is not done yet."""

    status: int
    body: dict[str, Any]
    location: str

    @property
    def finished(self) -> bool:
        return self.status != 202 and self.body.get("status") not in UNFINISHED


class Api:
    """A caller of all services at one address."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        seconds: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """``transport`` is the way there, the network by default."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            headers=headers,
            timeout=httpx.Timeout(seconds, connect=5.0),
            trust_env=False,
            transport=transport,
        )

    async def __aenter__(self) -> Api:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(self, path: str, **query: Any) -> Any:
        """A JSON answer. Raises Refused, Unreachable."""
        return (await self.request("GET", path, params=_present(query))).json()

    async def items(self, path: str, **query: Any) -> AsyncIterator[dict[str, Any]]:
        """Every item of a list, page by page, following ``next``."""
        while True:
            page = await self.get(path, **query)
            for item in page["items"]:
                yield item
            if not page.get("next"):
                return
            path, query = page["next"], {}

    async def send(self, method: str, path: str, content: Any = None, **query: Any) -> Any:
        """A JSON body there, a JSON answer (or None) back. Raises Refused, Unreachable."""
        answer = await self.request(method, path, json=content, params=_present(query))
        return answer.json() if answer.content else None

    async def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Any request; answers of 400 and above are raised as Refused."""
        try:
            answer = await self._client.request(method, path, **arguments)
        except httpx.TransportError as error:
            raise Unreachable(_words(error, str(self._client.base_url))) from error
        _raise_for(answer)
        return answer

    async def repeat(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """A request that may be made twice: tried again as a push is, while the service is away.
        Raises Refused, Unreachable."""
        return await _patiently(lambda: self.request(method, path, **arguments))

    async def push(
        self,
        service: str,
        feed: str,
        period: str,
        key: str,
        body: Body | None,
        *,
        content_type: str = NDJSON,
        dry_run: bool = False,
        respond_async: bool = False,
        token: str | None = None,
    ) -> Pushed:
        """Push one delivery as a stream; without a body it is a nil return.

        Tried again when nobody answers or the service is short of its database: the key makes
        that harmless. Raises Refused, Unreachable.
        """
        headers = {"Idempotency-Key": key, "Content-Type": content_type}
        if respond_async:
            headers["Prefer"] = "respond-async"
        if token:
            headers["Authorization"] = f"Bearer {token}"
        query = {"period": period}
        if dry_run:
            query["dry_run"] = "true"
        if body is None:
            query["nil"] = "true"
            del headers["Content-Type"]
        path = f"/{service}/v1/feeds/{quote(feed)}/deliveries"

        async def once() -> httpx.Response:
            content = body() if body is not None else b""
            return await self.request("POST", path, params=query, headers=headers, content=content)

        answer = await _patiently(once)
        return Pushed(answer.status_code, answer.json(), answer.headers.get("location", ""))

    async def receipt(
        self,
        pushed: Pushed,
        *,
        token: str | None = None,
        first: float = 0.02,
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> dict[str, Any]:
        """The receipt, waiting for it if need be; ``on_progress`` is told how many records have
        ended so far. Raises Refused when the delivery was, and Hindered when the service has said
        for a minute that it cannot go on."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        pause, well_at = first, time.monotonic()
        while not pushed.finished:
            if not pushed.body.get("hindered"):
                well_at = time.monotonic()
            elif time.monotonic() - well_at > HINDERED_SECONDS:
                raise Hindered(f"{pushed.location}: 处理受阻 · the service cannot go on with it")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.5)

            async def look(at: str = pushed.location) -> httpx.Response:
                return await self.request("GET", at, headers=headers)

            answer = await _patiently(look)
            pushed = Pushed(answer.status_code, answer.json(), pushed.location)
            on_progress(int(pushed.body.get("records_done", 0)))
        return receipt_of(pushed.body)


def receipt_of(body: dict[str, Any]) -> dict[str, Any]:
    """The receipt in an answer: the answer itself, or its ``receipt``. Raises Refused for a
    delivery that was refused while it was judged."""
    if body.get("status") == "rejected":
        problem = body.get("problem") or {}
        raise Refused(int(problem.get("status", 400)), problem)
    receipt = body.get("receipt")
    return receipt if isinstance(receipt, dict) else body


async def _patiently(once: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Try until it answers with something other than "not now" (503, or 409 while a delivery
    of the same number is being judged), about half a minute."""
    for attempt in range(TRIES):
        try:
            return await once()
        except Unreachable:
            if attempt == TRIES - 1:
                raise
        except Refused as error:
            later = error.status == 503 or error.code == "delivery-running"
            if not later or attempt == TRIES - 1:
                raise
        await asyncio.sleep(min(0.2 * 2**attempt, 8.0))
    raise AssertionError("unreachable")


def _present(query: dict[str, Any]) -> dict[str, Any] | None:
    # None, for httpx takes an empty query to replace the one that the path has.
    return {name: value for name, value in query.items() if value is not None} or None


def _raise_for(answer: httpx.Response) -> None:
    if answer.status_code < 400:
        return
    try:
        problem = answer.json()
    except json.JSONDecodeError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    raise Refused(answer.status_code, problem)


def _words(error: httpx.TransportError, url: str) -> str:
    if isinstance(error, httpx.ConnectError):
        return f"{url} 没有应答 · nobody answers at {url}: is it running (kuomian serve all)?"
    return f"{url}: {type(error).__name__} {error}".strip()
