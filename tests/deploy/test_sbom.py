"""The bill of materials names what the images hold: no more, no less, at the pinned versions."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from tests.deploy import tools


def normal(name: str) -> str:
    """A package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_it_names_what_the_recipe_installs(tmp_path: Path) -> None:
    tool, python = tools.sbom() / "cyclonedx-py", tools.image_environment() / "python"
    first, again = tmp_path / "first.json", tmp_path / "again.json"
    for out in (first, again):
        tools.run("sh", "deploy/sbom.sh", str(out), str(tool), str(python))
    assert first.read_bytes() == again.read_bytes()

    bill = json.loads(first.read_text("utf-8"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "kuomian"
    found = {normal(part["name"]): part["version"] for part in bill["components"]}
    constraints = (tools.ROOT / "constraints.txt").read_text("utf-8").split()
    pinned = {
        normal(name): version for name, _, version in (c.partition("==") for c in constraints)
    }
    assert found.items() <= pinned.items(), found.items() - pinned.items()

    project = tomllib.loads((tools.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    direct = {normal(re.split(r"[\[<>=~ ]", need)[0]) for need in project["dependencies"]}
    assert direct <= found.keys()
    extras = project["optional-dependencies"]
    kept_out = {normal(need) for need in extras["dev"] + extras["embedded"]} - {"jsonschema"}
    assert not kept_out & found.keys()
    unlicensed = [part["name"] for part in bill["components"] if not part.get("licenses")]
    assert unlicensed == ["protobuf"]  # its wheel says so in a file only (BSD, three clauses)
    rebuilt = {entry["ref"] for entry in bill["dependencies"]}
    assert len(rebuilt) == len(bill["components"]) + 1
