"""Problems over HTTP: handlers that turn every refusal into RFC 9457, and their pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from shared.database import DatabaseAway, is_away, is_full
from shared.problems.catalogue import CATALOGUE, ProblemType
from shared.problems.problem import (
    MEDIA_TYPE,
    FieldError,
    Problem,
    field_error,
    preferred_language,
    problem,
)
from shared.problems.rows import ROW_TEXTS, Texts

_LOG = structlog.get_logger("problems")

# pydantic's error types, as far as a sender can act upon them
_FIELD_CODES: Mapping[str, str] = {
    "missing": "field-missing",
    "extra_forbidden": "field-unknown",
    "greater_than": "value-out-of-range",
    "greater_than_equal": "value-out-of-range",
    "less_than": "value-out-of-range",
    "less_than_equal": "value-out-of-range",
    "string_pattern_mismatch": "pattern-mismatch",
}
_STATUS_CODES: Mapping[int, str] = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-long",
    415: "content-type-unsupported",
}


def problem_response(request: Request, raised: Problem) -> JSONResponse:
    """The answer to a raised problem, in the caller's language."""
    language = preferred_language(request.headers.get("accept-language"))
    document = raised.document(language, getattr(request.app.state, "public_url", ""))
    headers = {**raised.headers, "Content-Language": language, "Cache-Control": "no-store"}
    if raised.status == 401:
        error = "invalid_token" if raised.params else ""
        headers["WWW-Authenticate"] = f'Bearer error="{error}"' if error else "Bearer"
    return JSONResponse(document, raised.status, headers, media_type=MEDIA_TYPE)


def field_errors(errors: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """FastAPI's validation errors as ours; the input itself is never repeated."""
    found = []
    for error in errors:
        kind, context = str(error["type"]), error.get("ctx") or {}
        code = _FIELD_CODES.get(kind, "parameter-invalid")
        if kind.endswith(("_type", "_parsing")):
            code = "type-wrong"
        where = [str(part) for part in error["loc"]]
        place = "" if where[:1] == ["body"] else where[0] if where else ""
        pointer = "/".join([place, *(_token(part) for part in where[1:])])
        params = {
            "field": where[-1] if where else "",
            "expected": str(context.get("pattern", kind.split("_", maxsplit=1)[0])),
            "reason": str(error["msg"]),
            "minimum": str(context.get("ge", context.get("gt", "—"))),
            "maximum": str(context.get("le", context.get("lt", "—"))),
        }
        found.append(field_error(code, pointer, params))
    return found


def _token(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _from_validation(error: RequestValidationError) -> Problem:
    errors = error.errors()
    broken = next((e for e in errors if e["type"] == "json_invalid"), None)
    if broken is not None:
        return problem("malformed-json", reason=(broken.get("ctx") or {}).get("error", "—"))
    return problem("parameter-invalid", errors=field_errors(errors), count=len(errors))


def _from_http(request: Request, error: HTTPException) -> Problem:
    code = _STATUS_CODES.get(error.status_code, "http-error")
    kind = CATALOGUE[code]
    params: dict[str, object] = {
        "reason": error.detail,
        "method": request.method,
        "limit": error.detail,
        "content_type": request.headers.get("content-type", "—"),
    }
    return Problem(kind, params, headers=error.headers, status=error.status_code)


def unexpected_response(request: Request, error: Exception) -> JSONResponse:
    """The answer to an error nobody refused with: 503 when a disk is full or the database away,
    else ``internal-error`` with the trace id, logged with its traceback; its message never
    leaves."""
    if is_full(error):
        _LOG.error("storage full", reason=str(error))
        return problem_response(request, problem("storage-full"))
    if is_away(error):
        _LOG.warning("database away", reason=str(error))
        return problem_response(request, problem("database-away"))
    trace = str(request.scope.get("trace_id", "—"))
    _LOG.error("unexpected error", exc_info=error, path=request.url.path)
    return problem_response(request, problem("internal-error", trace=trace))


def install_problems(app: FastAPI) -> None:
    """Answer everything that goes wrong in ``app`` as a problem document."""

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)  # noqa: S101 - registered for Problem only
        return problem_response(request, error)

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - as registered
        return problem_response(request, _from_validation(error))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - as registered
        return problem_response(request, _from_http(request, error))

    async def on_anything(request: Request, error: Exception) -> Response:
        return unexpected_response(request, error)

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(DatabaseAway, on_anything)
    app.add_exception_handler(Exception, on_anything)


def problem_pages(prefix: str, record_texts: Texts) -> APIRouter:
    """``{prefix}/problems`` listing every code, and ``/problems/{code}``, which the ``type`` of
    a problem document leads to. ``record_texts``: what can be wrong with a record here.
    Plain HTML, no scripts; open to everyone."""
    router = APIRouter(include_in_schema=False)
    rows = _row_table({**ROW_TEXTS, **record_texts})

    @router.get(f"{prefix}/problems", response_class=HTMLResponse)
    @router.get("/problems", response_class=HTMLResponse)
    async def list_problems() -> HTMLResponse:
        return HTMLResponse(_page("问题代码 · Problem codes", _problem_table() + rows))

    @router.get(f"{prefix}/problems/{{code}}", response_class=HTMLResponse)
    @router.get("/problems/{code}", response_class=HTMLResponse)
    async def show_problem(code: str) -> HTMLResponse:
        if code not in CATALOGUE:
            raise problem("not-found")
        return HTMLResponse(_page(f"{code}", _one(CATALOGUE[code])))

    return router


def _one(kind: ProblemType) -> str:
    retry = f"<p>Retry-After: {kind.retry_after} s</p>" if kind.retry_after else ""
    return (
        f"<p>HTTP {kind.status}</p><h2>{escape(kind.title_zh)} · {escape(kind.title_en)}</h2>"
        f"<p>{escape(kind.detail_zh)}</p><p lang='en'>{escape(kind.detail_en)}</p>{retry}"
    )


def _problem_table() -> str:
    rows = "".join(
        f"<tr id='{kind.code}'><td><code>{kind.code}</code></td><td>{kind.status}</td>"
        f"<td>{escape(kind.title_zh)}<br>{escape(kind.detail_zh)}</td>"
        f"<td lang='en'>{escape(kind.title_en)}<br>{escape(kind.detail_en)}</td></tr>"
        for kind in sorted(CATALOGUE.values(), key=lambda kind: kind.code)
    )
    return f"<table><tr><th>code</th><th>HTTP</th><th>中文</th><th>English</th></tr>{rows}</table>"


def _row_table(texts: Texts) -> str:
    rows = "".join(
        f"<tr><td><code>{code}</code></td><td>{escape(zh)}</td><td lang='en'>{escape(en)}</td></tr>"
        for code, (zh, en) in sorted(texts.items())
    )
    return (
        "<h2>记录与字段 · Records and fields</h2>"
        f"<table><tr><th>code</th><th>中文</th><th>English</th></tr>{rows}</table>"
    )


def _page(title: str, body: str) -> str:
    return (
        "<!doctype html><html lang='zh'><head><meta charset='utf-8'>"
        f"<meta name='viewport' content='width=device-width'><title>{escape(title)}</title>"
        "<style>body{font:16px/1.5 sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
        "table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.4rem;"
        "text-align:left;vertical-align:top}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )
