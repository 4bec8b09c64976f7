"""The HTTP interfaces as promised to departments: every route asks who calls, ids are unique, and
the documents are kept as snapshots so that a change of the interface is seen in review.

    KUOMIAN_WRITE_SNAPSHOTS=1 pytest tests/contracts/test_api.py    # after an intended change
"""

import inspect
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from kuomian.docs.api import apps, calls_of
from kuomian.services import NAMES, UnknownService, get_service
from shared.api_page import api_page
from shared.application import build_runtime, create_app
from shared.settings import Settings

SNAPSHOTS = Path(__file__).parent / "snapshots" / "openapi"
WRITE = bool(os.environ.get("KUOMIAN_WRITE_SNAPSHOTS"))
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
METHODS = ("get", "post", "put", "patch", "delete")

OPEN = re.compile(r"/[a-z-]+/(health/(live|ready|started)|v1/receipt-keys)")
"""What needs no token besides the pages, which stand in no document."""


@pytest.fixture(params=NAMES)
def document(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """The OpenAPI document of a service, made without connecting to anything."""
    try:
        service = get_service(request.param)
    except UnknownService as unknown:
        pytest.skip(str(unknown))
    settings = Settings(
        database_url=NOWHERE, bus_database_url=NOWHERE, data_dir=tmp_path, clock="demo"
    )
    app = create_app(service, build_runtime(service, settings), roles=())
    made: dict[str, Any] = json.loads(json.dumps(app.openapi()))
    return made


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): item[method]
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }


def test_every_route_asks_who_calls(document: dict[str, Any]) -> None:
    unasked = {
        place
        for place, operation in operations(document).items()
        if not operation.get("security") and not OPEN.fullmatch(place[1])
    }
    assert unasked == set()


def test_nothing_a_request_needs_first_goes_through_a_thread() -> None:
    """A dependency that is no coroutine costs every request a way to a thread and back."""
    for _, app in apps():
        for route in iter_route_contexts(app.routes):
            for call in calls_of(getattr(route, "dependant", None)):
                function = call if inspect.isroutine(call) else type(call).__call__
                waits = inspect.iscoroutinefunction(function)
                assert waits or inspect.isasyncgenfunction(function), call


def test_paths_stand_below_the_services_name(document: dict[str, Any]) -> None:
    service = next(path for path in document["paths"] if path.endswith("/v1/status")).split("/")[1]
    for path in document["paths"]:
        assert path.startswith((f"/{service}/v1/", f"/{service}/health/")), path


def test_operations_are_named_once_and_explained(document: dict[str, Any]) -> None:
    found = operations(document)
    ids = Counter(operation["operationId"] for operation in found.values())
    assert [name for name, count in ids.items() if count > 1] == []
    for place, operation in found.items():
        assert re.search(r"[\u4e00-\u9fff]", operation["summary"]), f"{place}: no Chinese summary"
        assert re.search(r"[a-z]{2}", operation["summary"]), f"{place}: no English summary"


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        place: Any = document
        for step in reference.split("/"):
            place = place[step.replace("~1", "/").replace("~0", "~")]


def test_the_page_shows_every_route_without_scripts(document: dict[str, Any]) -> None:
    page = api_page(document, "/x")
    assert "<script" not in page
    for _, path in operations(document):
        assert f"<code>{path}</code>" in page


def test_the_interface_is_as_kept(document: dict[str, Any]) -> None:
    name = next(path for path in document["paths"] if path.endswith("/v1/status")).split("/")[1]
    path = SNAPSHOTS / f"{name}.json"
    document.pop("servers", None)
    document["info"].pop("version")
    if WRITE:
        path.parent.mkdir(exist_ok=True)
        text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)
        path.write_text(text + "\n", "utf-8")
    assert path.exists(), "write the snapshot (see above)"
    kept = json.loads(path.read_text("utf-8"))
    assert kept["paths"].keys() == document["paths"].keys()
    assert kept == document, "the interface changed: write the snapshot if it was meant"
