"""``docs/api.md``: the hand-written ``api.md`` beside this module, with tables from the code.

What a route is comes from the OpenAPI documents; who may call it from the dependencies it was
declared with (``shared.auth.allow``). Rules a route applies inside its function cannot be read
from outside and stand in ``FINER``.
"""

from __future__ import annotations

import inspect
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from kuomian.services import NAMES, all_services
from shared.application import build_runtime, create_app
from shared.auth import get_caller
from shared.deliveries.texts import ROW_TEXTS as DELIVERY_TEXTS
from shared.problems import CATALOGUE, ROW_TEXTS, Texts
from shared.service import Service
from shared.settings import Settings

TEXT: Final = Path(__file__).with_name("api.md")
_NOWHERE: Final = "postgresql://nobody@127.0.0.1:1/nothing"

ANY: Final = "any department"
OPEN: Final = "everyone"

FINER: Final[Mapping[str, str]] = {
    "push_delivery": "the feed's senders",
    "list_deliveries": "the sender; all: agency, auditor, operator",
    "get_delivery": "the sender; all: agency, auditor, operator",
    "get_content": "the sender; all: agency, auditor",
    "list_records": "the sender; all: agency, auditor, operator",
    "get_record": "the sender; all: agency, auditor, operator",
    "withdraw_delivery": "the sender, agency",
    "get_withdrawal": "the sender; all: agency, auditor, operator",
    "list_held_records": "the sender; all: agency, auditor, operator",
    "resolve_record": "the sender, agency",
    "get_conservation": "the sender; all: agency, auditor, operator",
    "list_enterprises": "{allowed}; a sender its own feed",
    "get_enterprise": "{allowed}; a sender its own feed",
    "list_leads": "{allowed}; a sender the leads its records led to",
    "get_lead": "{allowed}; a sender the leads its records led to",
    "get_feedback": "{allowed}; a sender its own feeds",
    "list_feedback_rows": "{allowed}; a sender its own feeds",
    "list_figure_members": "{allowed}; of persons: {persons}",
    "list_figure_entries": "{allowed}; of persons: {persons}",
    "list_member_entries": "{allowed}; of persons: {persons}",
}
"""Operation → who may call it, where its function looks more closely than its declaration."""


@dataclass(frozen=True)
class Route:
    """One line of a table."""

    method: str
    path: str
    name: str
    summary: str
    callers: str


def apps() -> Iterator[tuple[Service, FastAPI]]:
    """The four applications, connected to nothing; with the demo's routes."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            database_url=_NOWHERE, bus_database_url=_NOWHERE, data_dir=Path(folder), clock="demo"
        )
        for service in all_services():
            yield service, create_app(service, build_runtime(service, settings), roles=())


def routes_of(app: FastAPI) -> Iterator[Route]:
    """Every operation of the app's OpenAPI document."""
    paths = app.openapi()["paths"]
    for route in iter_route_contexts(app.routes):
        if not getattr(route, "include_in_schema", False):
            continue
        for method in sorted(route.methods or ()):
            path = re.sub(r":[a-z]+}", "}", str(route.path))
            operation = paths[path][method.lower()]
            name = operation["operationId"]
            allowed = callers_of(route.dependant, operation)
            callers = FINER.get(name, "{allowed}").format(allowed=allowed, persons=_persons())
            yield Route(method, path, name, _summary(operation), callers)


def callers_of(dependant: Any, operation: Mapping[str, Any]) -> str:
    """Departments in words, as declared."""
    if not operation.get("security"):
        return OPEN
    found: set[str] | None = None
    asked = False
    for call in calls_of(dependant):
        asked = asked or call is get_caller
        if getattr(call, "__qualname__", "") == "allow.<locals>.allowed":
            departments = set(inspect.getclosurevars(call).nonlocals["departments"])
            found = departments if found is None else found & departments
    if not asked:
        raise LookupError(f"{operation['operationId']} asks for a token and not who calls")
    return ANY if found is None else ", ".join(sorted(found))


def calls_of(dependant: Any) -> Iterator[Any]:
    """What is called before the route itself is, at any depth; nothing of what is no route."""
    for one in dependant.dependencies if dependant else ():
        yield one.call
        yield from calls_of(one)


def _persons() -> str:
    from reporting.figures.api import PERSON_READERS  # noqa: PLC0415 - only for this page

    return ", ".join(sorted({*PERSON_READERS, "unit"}))


def _summary(operation: Mapping[str, Any]) -> str:
    summary = str(operation["summary"])
    if re.search(r"[\u4e00-\u9fff]", summary):
        return summary
    return (
        str(operation.get("description", summary)).split("\n\n")[0].replace("\n", " ").rstrip(".")
    )


def _table(head: str, rows: Iterable[tuple[str, ...]]) -> str:
    columns = head.count("|") + 1
    lines = [f"| {head} |", "|" + "---|" * columns]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _route_tables(found: Mapping[str, list[Route]]) -> str:
    """What several services have first, then each one's own."""
    shared: dict[tuple[str, str, str, str], list[str]] = {}
    for service, routes in found.items():
        for route in routes:
            path = route.path.replace(f"/{service}/", "/{service}/", 1)
            shared.setdefault((route.method, path, route.summary, route.callers), []).append(
                service
            )
    common = [(key, names) for key, names in shared.items() if len(names) > 1]
    parts = [
        "### In several services · 多个服务共有\n\n"
        + _table(
            "method | path | 摘要 · summary | who may call | services",
            (
                (key[0], f"`{key[1]}`", key[2], key[3], _services(names))
                for key, names in sorted(common, key=lambda item: -len(item[1]))
            ),
        )
    ]
    for service in found:
        own = [key for key, names in shared.items() if names == [service]]
        parts.append(
            f"### {service}\n\n"
            + _table(
                "method | path | 摘要 · summary | who may call",
                (
                    (method, f"`{path.replace('{service}', service)}`", summary, callers)
                    for method, path, summary, callers in own
                ),
            )
        )
    return "\n\n".join(parts)


def _services(names: list[str]) -> str:
    if len(names) == len(NAMES):
        return "all"
    missing = [name for name in NAMES if name not in names]
    return f"all but {missing[0]}" if len(missing) == 1 else ", ".join(names)


def _feed_table(services: Iterable[Service]) -> str:
    return _table(
        "service | feed | 报送项目 · what | senders | period | obligation",
        (
            (
                service.name,
                f"`{feed.name}`",
                f"{feed.title_zh} · {feed.title_en}",
                ", ".join(sorted(feed.departments)),
                feed.period_kind,
                feed.obligation,
            )
            for service in services
            for feed in service.feeds
        ),
    )


def _problem_table() -> str:
    return _table(
        "code | HTTP | 中文 | English",
        (
            (
                f"`{kind.code}`",
                f"{kind.status}",
                f"**{kind.title_zh}** {kind.detail_zh}",
                f"**{kind.title_en}.** {kind.detail_en}",
            )
            for kind in sorted(CATALOGUE.values(), key=lambda kind: (kind.status, kind.code))
        ),
    )


def _row_table(services: Iterable[Service]) -> str:
    general: Texts = {**ROW_TEXTS, **DELIVERY_TEXTS}
    rows: dict[tuple[str, str, str], list[str]] = {(c, *words): [] for c, words in general.items()}
    for service in services:
        for feed in service.feeds:
            for code, words in feed.texts.items():
                if general.get(code) != words:
                    rows.setdefault((code, *words), []).append(feed.name)
    return _table(
        "code | 中文 | English | feeds",
        (
            (f"`{code}`", zh, en, ", ".join(feeds) or "any")
            for (code, zh, en), feeds in sorted(rows.items())
        ),
    )


def api_page() -> str:
    """The whole page."""
    found: dict[str, list[Route]] = {}
    services: list[Service] = []
    for service, app in apps():
        services.append(service)
        found[service.name] = list(routes_of(app))
    page = TEXT.read_text("utf-8")
    for name, table in {
        "feeds": _feed_table(services),
        "routes": _route_tables(found),
        "problems": _problem_table(),
        "row codes": _row_table(services),
    }.items():
        page = page.replace(f"<<{name}>>", table)
    return page
