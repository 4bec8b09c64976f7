"""Every count that the services tell is the length of the list its own filter or link gives."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from kuomian.client import Api
from tests.e2e.conftest import Whole
from tests.e2e.count_table import EXCEPTIONS, table
from tests.e2e.counted import ENROLLMENT, Counted, Lists
from tests.e2e.officers import Office

UNIT = "210504"
NOT_COUNTS = frozenset(
    {"version", "revision", "rule_version", "record_no", "no", "id", "conflict_id", "run_no"}
    | {"earlier", "later", "value", "taxable", "corrects", "threshold", "limit_days"}
)
"""Whole numbers that name or measure something."""


@dataclass(frozen=True)
class Walked:
    """The made city after officers worked in it: two equal frames, two equal comparisons."""

    frames: tuple[int, int]
    runs: tuple[int, int]
    lines: list[Counted]
    lists: Lists
    schema: dict[str, Any]


@pytest.fixture(scope="session")
async def walked(whole: Whole) -> Walked:
    units = {unit.code: unit.kind for unit in whole.plan.units}
    async with whole.api_as("agency") as agency:
        await work_a_little(whole, agency)
        frames, runs = [], []
        for name in ("普查底册", "普查底册(复核)"):
            frame = await agency.send("POST", f"{ENROLLMENT}census/frames", {"name": name})
            frames.append(frame["version"])
            run = await agency.send("POST", f"{ENROLLMENT}census/comparisons", {})
            runs.append(run["run_no"])
    schema = await whole.api.get(f"{ENROLLMENT}openapi.json")
    frames_made, runs_made = (frames[0], frames[1]), (runs[0], runs[1])
    lines = table(frames_made, runs_made, units)
    return Walked(frames_made, runs_made, lines, Lists(whole.api), schema)


async def work_a_little(whole: Whole, agency: Api) -> None:
    """Of all that officers do, one each: enumerators, contacts, assignments, proposals."""
    roster = {"street": "东明街道", "from_on": "2008-05-01", "to_on": "2008-07-31"}
    for unit, code in (("210502", "E-01"), ("210504", "E-02")):
        path = f"{ENROLLMENT}census/roster/enumerators/{unit}/{code}"
        await agency.send("POST", path, roster)
    rows = await whole.api.get(f"{ENROLLMENT}lead-work", unit="210502", limit=4)
    some = [row["lead_id"] for row in rows["items"]]
    office = Office(agency)
    for lead in some[:3]:
        assigned = {"officer": "wang", "officer_name": "王经办"}
        await office.act("PUT", lead, "assignment", **assigned)
    on = whole.city.closing_at.date().isoformat()
    contact = {"on": on, "means": "visit", "text": "已上门"}
    await office.act("POST", some[0], "contacts", **contact)
    await office.act("POST", some[1], "exclusion", reason="no-staff", text="无人员")


class TestEveryCount:
    async def test_is_the_length_of_its_list(self, walked: Walked) -> None:
        wrong, empty = [], {line.path for line in walked.lines}
        for line in walked.lines:
            told = await walked.lists.told(line)
            empty -= {line.path} if any(count for _, count in told) else set()
            wrong += await walked.lists.wrong(line)
        assert wrong == []
        # Only two equal frames and two equal runs have nothing but noughts to compare.
        assert {path for path in empty if not path.endswith("/difference")} == set()

    async def test_is_that_of_a_unit_too(self, walked: Walked) -> None:
        wrong = []
        lines = [line for line in walked.lines if takes_unit(walked.schema, line)]
        for line in lines:
            wrong += await walked.lists.wrong(line, UNIT)
        assert len(lines) > 100
        assert wrong == []

    async def test_has_a_line_of_the_table(self, walked: Walked) -> None:
        """A new endpoint with counts must say whose length they are, or why there is no list."""
        told = set(counting_paths(walked.schema))
        in_table = {template(walked.schema, line.path) for line in walked.lines}
        known = in_table | {ENROLLMENT + path for path in EXCEPTIONS}
        assert told - known == set()
        assert {ENROLLMENT + path for path in EXCEPTIONS} - told == set()


class TestTwoEqualRuns:
    async def test_differ_in_nothing(self, whole: Whole, walked: Walked) -> None:
        """Nothing came in between, so neither frame nor comparison has changed."""
        for path, (earlier, later), key in (
            ("census/frames", walked.frames, "changes"),
            ("census/comparisons", walked.runs, "moves"),
        ):
            one = await whole.api.get(f"{ENROLLMENT}{path}/{earlier}")
            other = await whole.api.get(f"{ENROLLMENT}{path}/{later}")
            told = {"version", "run_no", "name", "frozen_at", "compared_at", "sha256"}
            assert _without(one, told) == _without(other, told)
            difference = f"{ENROLLMENT}{path}/{later}/difference"
            assert (await whole.api.get(difference, **{"with": earlier}))[key] == []


def _without(answer: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in names}


def takes_unit(schema: dict[str, Any], line: Counted) -> bool:
    """Whether the summary can be asked of one unit, and so can its list."""
    if line.service != ENROLLMENT or "unit=" in line.of:
        return False
    items = re.sub(r"\{\w+\}", "1", line.items)
    asked = template(schema, ENROLLMENT + items) if "{members}" not in line.items else None
    return all(
        path is None or "unit" in parameters(schema, path)
        for path in (template(schema, line.path), asked)
    )


def template(schema: dict[str, Any], path: str) -> str:
    """The path of the interface description that an address is of; of several the plainest."""
    fits = [
        known for known in schema["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path)
    ]
    return min(fits, key=lambda known: known.count("{"), default=path)


def parameters(schema: dict[str, Any], path: str) -> set[str]:
    return {one["name"] for one in schema["paths"][path]["get"].get("parameters", [])}


def counting_paths(schema: dict[str, Any]) -> Iterator[str]:
    """The paths whose answers have whole numbers beside the items of a list, or counts in them."""
    for path, methods in schema["paths"].items():
        answers = methods.get("get", {}).get("responses", {})
        shape = answers.get("200", {}).get("content", {}).get("application/json", {}).get("schema")
        for place in _numbers(schema, shape or {}, "", ()):
            name = re.split(r"[.\[{]", place.rstrip("[]{}"))[-1]
            if name in NOT_COUNTS:
                continue
            if not place.startswith(".items[]") or re.search(r"count", place):
                yield path
                break


def _numbers(
    schema: dict[str, Any], shape: dict[str, Any], place: str, inside: tuple[str, ...]
) -> Iterator[str]:
    """Where whole numbers stand in answers of a shape."""
    name = shape.get("$ref", "").rpartition("/")[2]
    if name in inside:
        return
    if name:
        known = schema["components"]["schemas"][name]
        yield from _numbers(schema, known, place, (*inside, name))
    if shape.get("type") == "integer":
        yield place
    for one in (*shape.get("anyOf", ()), *shape.get("allOf", ())):
        yield from _numbers(schema, one, place, inside)
    if "items" in shape:
        yield from _numbers(schema, shape["items"], f"{place}[]", inside)
    for member, one in shape.get("properties", {}).items():
        yield from _numbers(schema, one, f"{place}.{member}", inside)
    if isinstance(shape.get("additionalProperties"), dict):
        yield from _numbers(schema, shape["additionalProperties"], f"{place}{{}}", inside)
