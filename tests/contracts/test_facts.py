"""The contracts of facts as promised to others: page, snapshots, and growth without breaking.

After an intended addition write them anew:

    python -m shared.events.catalogue > docs/events.md
    KUOMIAN_WRITE_SNAPSHOTS=1 pytest tests/contracts/test_facts.py

A snapshot that only grew is written; one that would break a consumer is refused even then: give
the fact a new version instead.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from shared.events import REGISTRY
from shared.events.asyncapi import asyncapi
from shared.events.catalogue import catalogue_page, field_rows, meaning_of, schemas

ROOT = Path(__file__).parents[2]
SNAPSHOTS = Path(__file__).parent / "snapshots"
WRITE = bool(os.environ.get("KUOMIAN_WRITE_SNAPSHOTS"))
PRODUCERS = ("registration-feed", "tax-feed", "enrollment", "reporting")

Schema = dict[str, Any]


def breaks(old: Schema, new: Schema, where: str = "") -> Iterator[str]:
    """What of the old schema no longer holds: consumers written against the old one must be able
    to read everything the new one allows, and old messages must still fit the new one."""
    if "$ref" in old and "$defs" in old:
        yield from breaks(_target(old), _target(new), where)
        return
    if "type" in old and old.get("type") != new.get("type"):
        yield f"{where}: type {old.get('type')} became {new.get('type')}"
    for key in ("format", "anyOf", "items", "enum", "const", "default"):
        if old.get(key) != new.get(key):
            yield f"{where}: {key} {old.get(key)} became {new.get(key)}"
    had, has = old.get("properties", {}), new.get("properties", {})
    for name in had:
        if name not in has:
            yield f"{where}/{name}: removed"
        else:
            yield from breaks(had[name], has[name], f"{where}/{name}")
    required = set(new.get("required", ())) - set(old.get("required", ()))
    for name in sorted(required):
        yield f"{where}/{name}: required now; old messages do not have it"
    for name in sorted(set(old.get("required", ())) - set(new.get("required", ()))):
        yield f"{where}/{name}: no longer always there"


def _target(schema: Schema) -> Schema:
    found: Schema = schema["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    return found


def test_the_page_is_the_catalogue() -> None:
    page = (ROOT / "docs" / "events.md").read_text("utf-8")
    assert page == catalogue_page(), "python -m shared.events.catalogue > docs/events.md"


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_contract_only_grows(name: str) -> None:
    path = SNAPSHOTS / f"{name}.json"
    now = schemas()[name]
    if path.exists():
        before = json.loads(path.read_text("utf-8"))
        assert list(breaks(before, now)) == [], "give the fact a new version"
    if WRITE:
        path.write_text(json.dumps(now, ensure_ascii=False, indent=1) + "\n", "utf-8")
    assert path.exists(), "a new fact: write its snapshot (see above)"
    assert json.loads(path.read_text("utf-8")) == now, "it grew: write the snapshot (see above)"


def test_no_contract_was_dropped() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.json")} == set(REGISTRY)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda s: s["properties"].pop("name"), "removed"),
        (lambda s: s["properties"]["name"].update(type="integer"), "type string"),
        (lambda s: s["required"].append("owner"), "required now"),
        (lambda s: s["required"].remove("name"), "no longer always"),
        (lambda s: s["properties"]["at"].update(format="date"), "format"),
        (lambda s: s["properties"]["gap"].update(default=1), "default"),
    ],
)
def test_every_break_is_seen(change: Any, found: str) -> None:
    old: Schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "at": {"type": "string", "format": "date-time"},
            "gap": {"type": "integer", "default": 0},
        },
        "required": ["name", "at"],
    }
    new = json.loads(json.dumps(old))
    new["properties"]["more"] = {"type": "string", "default": ""}
    assert list(breaks(old, new)) == []
    change(new)
    assert any(found in line for line in breaks(old, new))


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_fact_is_named_and_explained(name: str) -> None:
    fact = REGISTRY[name]
    assert re.fullmatch(r"[a-z-]+\.[a-z-]+\.v[1-9][0-9]*", name)
    assert re.search(r"[\u4e00-\u9fff]", fact.title_zh)
    assert meaning_of(fact).endswith((".", ")"))
    rows = list(field_rows(fact))
    assert len({row.name for row in rows}) == len(rows) == len(msgspec.structs.fields(fact))
    for row in rows:
        assert not row.name.endswith("_fen") or row.type == "integer", row.name
        assert not row.name.endswith("_count") or row.type == "integer", row.name
        assert not row.name.endswith("_at") or "date" in row.type, row.name
        assert not row.name.endswith("_on") or row.type in ("date", "date or null"), row.name
        assert "identity_no" not in row.name


@pytest.mark.parametrize("producer", PRODUCERS)
def test_the_asyncapi_document_is_whole(producer: str) -> None:
    document = asyncapi(producer, "t", "1")
    messages = document["channels"]["facts"]["messages"]
    assert {m["name"] for m in document["components"]["messages"].values()} == {
        name for name, fact in REGISTRY.items() if fact.producer == producer
    }
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        place: Any = document
        for step in reference.split("/"):
            place = place[step]
    for name in messages:
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **document["components"]["schemas"][name],
        }
        jsonschema.Draft202012Validator.check_schema(schema)
