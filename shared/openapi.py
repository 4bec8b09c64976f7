"""The OpenAPI 3.1 document of a service: what FastAPI makes, put right where it would mislead.

Errors are problem documents (not FastAPI's own shape), a browser's session is offered for GET
only, and operations have short stable ids.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from shared.problems import CATALOGUE, MEDIA_TYPE
from shared.service import Service

_TEXT: Final = {"type": "string"}
PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457 problem. code 为固定代码 · ``code`` is stable; branch on it.",
    "required": ["type", "title", "status", "detail", "code", "title_zh", "title_en"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": {"type": "string", "enum": sorted(CATALOGUE)},
        "title_zh": _TEXT,
        "title_en": _TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "zh", "en"],
                "properties": {"pointer": _TEXT, "code": _TEXT, "zh": _TEXT, "en": _TEXT},
            },
        },
    },
    "additionalProperties": True,
}
_RESPONSES: Final = {
    "Unauthenticated": "未认证 · not authenticated",
    "Forbidden": "无权访问 · forbidden",
    "Problem": "请求未被接受 · refused, for the reason in code",
    "Away": "暂不可用,稍后重试 · away, try again after Retry-After",
}
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})


def operation_id(route: APIRoute) -> str:
    """The function's name: stable as long as the code is, and short enough for a client."""
    return route.name


def install_openapi(app: FastAPI, service: Service, public_url: str) -> None:
    """Have ``app.openapi()`` give the document described above, made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _mended(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    description=app.description,
                    routes=app.routes,
                    servers=[{"url": public_url}] if public_url else None,
                    tags=app.openapi_tags,
                )
            )
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way


def _mended(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = PROBLEM_SCHEMA
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    components["responses"] = {
        name: {"description": description, "content": content}
        for name, description in _RESPONSES.items()
    }
    for path in document.get("paths", {}).values():
        for method in _METHODS & path.keys():
            _mend_operation(method, path[method])
    return document


def _mend_operation(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    security = operation.get("security")
    if security is not None:
        if method != "get":
            operation["security"] = [way for way in security if "session" not in way]
        responses.setdefault("401", _ref("Unauthenticated"))
        responses.setdefault("403", _ref("Forbidden"))
        responses.setdefault("503", _ref("Away"))
    if "HTTPValidationError" in str(responses.get("422", "")):
        responses["422"] = _ref("Problem")
    responses.setdefault("default", _ref("Problem"))


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{name}"}
