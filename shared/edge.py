"""What happens to every request, whatever it asks for: a trace, headers a browser needs, a count,
one log line, and an answer even when nobody foresaw the error. Plain ASGI, so that bodies and
event streams pass untouched."""

from __future__ import annotations

import re
import time
from typing import Any, Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import metrics
from shared.problems import (
    Problem,
    problem,
    problem_response,
    unexpected_response,
)
from shared.spans import SpanKind, Work, spanning
from shared.telemetry import tracing

_LOG = structlog.get_logger("http")
_NUL: Final = "地址中含有 NUL · there is a NUL in the address"
_QUIET: Final = ("/health/live", "/health/ready", "/health/started", "/metrics")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Set unless the route set its own."""


class Edge:
    """ASGI middleware around one service's app."""

    def __init__(
        self,
        app: ASGIApp,
        service: str,
        *,
        secure: bool,
        body_bytes: int,
        large_paths: re.Pattern[str],
    ) -> None:
        """``secure``: the public address is https, so browsers may be told to insist.
        ``body_bytes``: longest body but of POSTs to ``large_paths``, which limit themselves."""
        self.app = app
        self.service = service
        self.body_bytes = body_bytes
        self.large_paths = large_paths
        self.headers = dict(SECURITY_HEADERS)
        if secure:
            self.headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        incoming = dict(scope["headers"]).get(b"traceparent", b"").decode("latin-1")
        if scope["path"].endswith(_QUIET):  # every few seconds: no span worth keeping
            with tracing(incoming) as trace:
                await self._answer(scope, receive, send, Work(trace, None))
            return
        with spanning(self.service, "request", [incoming], kind=SpanKind.SERVER) as work:
            await self._answer(scope, receive, send, work)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, work: Work) -> None:
        scope["trace_id"] = work.trace.trace_id
        began = time.monotonic()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["Trace-Id"] = scope["trace_id"]
                spent = 1000 * (time.monotonic() - began)
                headers["Server-Timing"] = f"app;dur={spent:.2f}"
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            if _has_nul(scope):
                refused = problem_response(Request(scope), problem("http-error", reason=_NUL))
                await refused(scope, receive, send_with_headers)
            elif self.large_paths.fullmatch(scope["path"]):
                await self.app(scope, receive, send_with_headers)
            elif _stated_length(scope) > self.body_bytes:
                refused = problem_response(Request(scope), self._too_long())
                await refused(scope, receive, send_with_headers)
            else:
                await self.app(scope, self._bounded(receive), send_with_headers)
        except Exception as error:
            if status:
                raise  # the answer had begun: the server cuts the connection
            response = unexpected_response(Request(scope), error)
            await response(scope, receive, send_with_headers)
        finally:
            self._note(scope, work, status or 499, time.monotonic() - began)

    def _bounded(self, receive: Receive) -> Receive:
        """``receive`` for a body whose length was not stated, or not truly."""
        had = 0

        async def bounded() -> Message:
            nonlocal had
            message = await receive()
            had += len(message.get("body", b""))
            if had > self.body_bytes:
                raise HTTPException(413, str(self.body_bytes))  # FastAPI lets only this one through
            return message

        return bounded

    def _too_long(self) -> Problem:
        return problem("body-too-long", limit=self.body_bytes)

    def _note(self, scope: Scope, work: Work, status: int, seconds: float) -> None:
        # A caller may write anything for a method, and it would stay as a label for ever.
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = _route(scope)
        work.name(f"{method} {route}")
        work.note(http__request__method=method, http__route=route)
        work.note(http__response__status_code=status)
        if status >= 500:
            work.failed(str(status))
        metrics.HTTP_REQUESTS.labels(self.service, method, route, str(status)).inc()
        metrics.HTTP_SECONDS.labels(self.service, method, route).observe(seconds)
        log: Any = _LOG.debug if scope["path"].endswith(_QUIET) else _LOG.info
        log(
            "request",
            service=self.service,
            method=method,
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 1),
            department=scope.get("state", {}).get("department"),
        )


def _has_nul(scope: Scope) -> bool:
    """PostgreSQL text holds no NUL, so nothing can be found by one."""
    return "\0" in scope["path"] or b"%00" in scope["query_string"]


def _stated_length(scope: Scope) -> int:
    stated = dict(scope["headers"]).get(b"content-length", b"")
    return int(stated) if stated.isdigit() else 0


def _route(scope: Scope) -> str:
    """The route's template, so that a label never holds what a caller wrote."""
    return str(getattr(scope.get("route"), "path", "unmatched"))
