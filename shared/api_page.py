"""The API as a page: rendered here from the OpenAPI document, without scripts, so that it works
on a network with no way out and under a strict content security policy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:68rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "details{border:1px solid #ccc;border-radius:4px;margin:.4rem 0;padding:.4rem .8rem}"
    "summary{cursor:pointer}code,pre{font:13px/1.45 monospace}pre{background:#f6f6f6;"
    "padding:.6rem;overflow:auto}table{border-collapse:collapse}td,th{border:1px solid #ccc;"
    "padding:.25rem .6rem;text-align:left;vertical-align:top}.m{display:inline-block;"
    "min-width:4rem;font-weight:bold}"
)
_METHODS = ("get", "post", "put", "patch", "delete")


def api_page(document: Mapping[str, Any], prefix: str) -> str:
    """The whole page."""
    info = document["info"]
    groups: dict[str, list[str]] = {}
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                tag = (item[method].get("tags") or ["—"])[0]
                groups.setdefault(tag, []).append(_operation(method, path, item[method]))
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(found)}" for tag, found in groups.items())
    return (
        "<!doctype html><html lang='zh'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])}</h1><p>{_text(info.get('description', ''))}</p>"
        f"<p><a href='{prefix}/v1/openapi.json'>OpenAPI 3.1</a> · "
        f"<a href='{prefix}/v1/asyncapi.json'>AsyncAPI 3.0</a> · "
        f"<a href='{prefix}/problems'>问题代码 · problem codes</a></p>"
        f"{body}<h2>数据结构 · Schemas</h2>{_schemas(document)}</body></html>"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parts = [f"<p>{_text(operation.get('description', ''))}</p>"]
    if parameters := operation.get("parameters"):
        parts.append("<h4>参数 · Parameters</h4>" + _parameters(parameters))
    if sent := operation.get("requestBody"):
        parts.append("<h4>正文 · Body</h4>" + _content(sent.get("content", {})))
    parts.append("<h4>应答 · Answers</h4>" + _answers(operation["responses"]))
    need = "" if operation.get("security") else " <small>(免令牌 · no token)</small>"
    return (
        f"<details><summary><span class='m'>{method.upper()}</span> <code>{escape(path)}</code> "
        f"{escape(operation.get('summary', ''))}{need}</summary>{''.join(parts)}</details>"
    )


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(p['name'])}</code>{' *' if p.get('required') else ''}</td>"
        f"<td>{escape(p['in'])}</td><td>{_shape(p.get('schema', {}))}</td>"
        f"<td>{_text(p.get('description', ''))}</td></tr>"
        for p in parameters
    )
    return f"<table><tr><th>name</th><th>in</th><th>type</th><th></th></tr>{rows}</table>"


def _answers(responses: Mapping[str, Mapping[str, Any]]) -> str:
    rows = ""
    for status, response in responses.items():
        name = str(response.get("$ref", "")).rsplit("/", 1)[-1]
        described = _text(response.get("description", name))
        rows += (
            f"<tr><td>{escape(status)}</td><td>{described}</td>"
            f"<td>{_content(response.get('content', {}))}</td></tr>"
        )
    return f"<table>{rows}</table>"


def _content(content: Mapping[str, Mapping[str, Any]]) -> str:
    return "<br>".join(
        f"<code>{escape(media)}</code> {_shape(body.get('schema', {}))}"
        for media, body in content.items()
    )


def _shape(schema: Mapping[str, Any]) -> str:
    """A schema in a few words; named ones lead to their text below."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return f"<a href='#{escape(name)}'>{escape(name)}</a>"
    if "anyOf" in schema:
        return " | ".join(_shape(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return f"[{_shape(schema.get('items', {}))}]"
    words = [str(schema.get("format") or schema.get("type") or "")]
    words += [f"{key}={schema[key]}" for key in ("minimum", "maximum", "pattern") if key in schema]
    words += [f"default {schema['default']}"] if schema.get("default") is not None else []
    return escape(" ".join(words))


def _schemas(document: Mapping[str, Any]) -> str:
    schemas = document.get("components", {}).get("schemas", {})
    return "".join(
        f"<details id='{escape(name)}'><summary><code>{escape(name)}</code></summary><pre>"
        f"{escape(json.dumps(schema, ensure_ascii=False, indent=1))}</pre></details>"
        for name, schema in sorted(schemas.items())
    )


def _text(text: str) -> str:
    return escape(text).replace("\n\n", "</p><p>")
