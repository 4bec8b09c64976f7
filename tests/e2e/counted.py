"""Counts and their lists: a line names a summary, where counts stand and whose length they are.

``where`` leads from an answer to counts: ``name`` is a member, ``[a,b]`` goes through a list and
``{a}`` through an object. What stands in the brackets is bound: the named members of the element
(``segment.unit`` is a member's member), or the key. The list's address may name what was bound,
and the members of the answer that are no objects.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from urllib.parse import urlencode

from kuomian.client import Api

Bound = Mapping[str, Any]
Query = Mapping[str, str | tuple[str, ...]]

ENROLLMENT, REPORTING = "/enrollment/v1/", "/reporting/v1/"
PAGE = 1000
AT_ONCE = 4
"""Lists read side by side."""
_STEP = re.compile(r"(?P<name>\w*)(?:\[(?P<members>[\w.,]*)\]|\{(?P<key>\w+)\})?$")


@dataclass(frozen=True)
class Counted:
    """Counts of a summary and the list that each of them is the length of."""

    of: str
    """Address of the summary below its service, with its query."""
    where: str
    items: str
    """Address of the list; a link of the answer if it begins with ``/``."""
    filters: Query = field(default_factory=dict)
    """The list's query. Of several values of one parameter each makes a list; they add up."""
    total: str | None = None
    """Member of the items that adds up to the count, instead of their number."""
    without: str | None = None
    """Only items are counted of which this member is null."""
    distinct: str | None = None
    """Items with the same in this member count once, those with null not at all."""
    service: str = ENROLLMENT

    @property
    def path(self) -> str:
        return self.service + self.of.partition("?")[0]

    def addresses(self, bound: Bound, unit: str | None) -> Iterator[str]:
        """The lists of a count, everything filled in."""
        said = {name: _text(value) for name, value in bound.items()}
        given = dict(self.filters) if unit is None else {"unit": unit, **self.filters}
        values = [(value,) if isinstance(value, str) else value for value in given.values()]
        path = self.items.format_map(said)
        path = path if path.startswith("/") else self.service + path
        for some in product(*values):
            query = {k: v.format_map(said) for k, v in zip(given, some, strict=True)}
            yield f"{path}{'&' if '?' in path else '?'}{urlencode(query | {'limit': PAGE})}"

    def measured(self, items: list[dict[str, Any]]) -> int:
        """What the count should be, of the items of one list."""
        if self.without is not None:
            items = [item for item in items if item[self.without] is None]
        if self.distinct is not None:
            return len({item[self.distinct] for item in items} - {None})
        if self.total is not None:
            return sum(item[self.total] or 0 for item in items)
        return len(items)


def _text(value: Any) -> str:
    return "none" if value is None else str(value)


def counts(answer: Any, where: str) -> Iterator[tuple[Bound, int]]:
    """Every count at a place of an answer, with what was bound on the way."""
    steps = re.findall(r"(?:[^.\[{]|\[[^\]]*\]|\{[^}]*\})+", where)
    yield from _walk(answer, steps, {**_plain(answer)})


def _plain(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        return {}
    return {name: value for name, value in answer.items() if not isinstance(value, dict | list)}


def _walk(found: Any, steps: list[str], bound: dict[str, Any]) -> Iterator[tuple[Bound, int]]:
    if not steps:
        if found is not None:  # null says that nobody has counted
            yield bound, found
        return
    step = _STEP.fullmatch(steps[0])
    assert step is not None, steps[0]
    name, members, key = step["name"], step["members"], step["key"]
    found = found[name] if name else found
    if key is not None:
        for one, value in found.items():
            yield from _walk(value, steps[1:], {**bound, key: one})
    elif members is not None:
        for element in found:
            more = {path.rpartition(".")[2]: _member(element, path) for path in members.split(",")}
            yield from _walk(element, steps[1:], {**bound, **more})
    else:
        yield from _walk(found, steps[1:], bound)


def _member(element: Any, path: str) -> Any:
    for name in path.split("."):
        element = element[name]
    return element


class Lists:
    """Summaries, and lists read whole, each once."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._told: dict[str, Any] = {}
        self._read: dict[str, list[dict[str, Any]]] = {}
        self._few = asyncio.Semaphore(AT_ONCE)

    async def told(self, line: Counted, unit: str | None = None) -> list[tuple[Bound, int]]:
        """The counts of a line, of one unit if it is named."""
        address = line.service + line.of
        if unit is not None:
            address += f"{'&' if '?' in address else '?'}unit={unit}"
        if address not in self._told:
            self._told[address] = await self.api.get(address)
        return list(counts(self._told[address], line.where))

    async def read(self, address: str) -> list[dict[str, Any]]:
        """All items at an address, page after page."""
        if address not in self._read:
            self._read[address] = [item async for item in self.api.items(address)]
        return self._read[address]

    async def wrong(self, line: Counted, unit: str | None = None) -> list[str]:
        """What is wrong with the counts of a line, of one unit if it is named."""
        told = await self.told(line, unit)
        found = await asyncio.gather(*(self._differing(line, *one, unit) for one in told))
        return [words for words in found if words]

    async def _differing(self, line: Counted, bound: Bound, count: int, unit: str | None) -> str:
        addresses = list(line.addresses(bound, unit))
        async with self._few:
            length = sum([line.measured(await self.read(address)) for address in addresses])
        if length == count:
            return ""
        return f"{line.of} {line.where} = {count}, {' + '.join(addresses)} = {length}"
