"""What planted mess has left behind, counted through the public API: states, versions, ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from kuomian.client import Api
from shared.periods import Dekad
from shared.plan import Plan

PAGE = 1000
_CORRECTED_LISTS = (
    "tax-registrations",
    "unenrolled-employers",
    "headcounts",
    "base-audits",
    "no-wage-persons",
    "deduction-reviews",
)
"""Lists of tax-feed in which only a correction makes a further version."""
_TIMED_LISTS = ("headcounts", "unenrolled-employers", "no-wage-persons", "pre-levies")
"""Lists of tax-feed that the plan gives a moment, and that no figure is made of."""


async def traces_of(api: Api, last: Dekad, plan: Plan) -> dict[str, int]:
    """Kind of mess → how often it is found, of persons from the opening to the dekad.

    ``api`` is that of a reader of persons (pseudonyms only). Raises Refused, Unreachable.
    """
    lines = (await api.get("/reporting/v1/trust"))["feeds"]
    states = Counter(line["state"] for line in lines if line["owed"])
    forms: Counter[str] = Counter()
    for feed in ("dekad-reports", "monthly-reports"):
        forms.update((await api.get("/reporting/v1/obligations", feed=feed, limit=1))["counts"])
    cancelled, corrected = await _of_receipts(api)
    for feed, path, name in (
        ("employer-checks", "checks", "period"),
        ("arrears", "arrears", "month"),
    ):
        # Of the months that were sent more than once; the others have nothing corrected.
        for line in lines:
            if line["feed"] == feed and line["deliveries"] > 1:
                asked = {name: line["period"]}
                rows = api.items(f"/tax-feed/v1/{path}", limit=PAGE, **asked)
                corrected += sum([row["revision"] > 1 async for row in rows])
    for path in _CORRECTED_LISTS:
        rows = api.items(f"/tax-feed/v1/{path}", limit=PAGE)
        corrected += sum([row["revision"] > 1 async for row in rows])
    first = Dekad.counting(plan.opening_on, plan.cutoffs).next()
    moved, reclassed = await _of_persons(api, first, last, plan.city.code)
    return {
        "late": states["late"],
        "late-list": sum([await _late(api, feed, plan) for feed in _TIMED_LISTS]),
        "missing": states["missing"],
        "form-late": forms["late"],
        "form-missing": forms["missing"],
        "cancelled": cancelled,
        "correction": corrected + reclassed,
        "census-corrected": await _of_census(api),
        "moved": await _of_licences(api),
        "moved-person": moved,
        "struck-off-staffed": await _struck_off(api),
    }


async def _late(api: Api, feed: str, plan: Plan) -> int:
    """Periods of a list of the tax office whose first delivery came after its moment."""
    first: dict[str, datetime] = {}
    async for delivery in api.items("/tax-feed/v1/deliveries", feed=feed, limit=PAGE):
        at = datetime.fromisoformat(delivery["received_at"])
        first[delivery["period"]] = min(at, first.get(delivery["period"], at))
    if not first:
        return 0
    dues = plan.due_for(feed, max(first.values()), include_open=True)
    return sum(first[str(due.period)] > due.due_at for due in dues if str(due.period) in first)


async def _of_licences(api: Api) -> int:
    """Changes of licences: each is a further version."""
    path = "/registration-feed/v1/enterprises"
    changed = api.items(path, feed="business-licences", event="changed", limit=PAGE)
    return sum([licence["revision"] - 1 async for licence in changed])


async def _struck_off(api: Api) -> int:
    """Employers that are listed, or were, for being struck off with people still insured there."""
    path, kind = "/enrollment/v1/employers/conflicts", "deregistered-with-insured"
    listed = {
        conflict["employer_id"]
        for status in ("open", "set-aside", "gone")
        async for conflict in api.items(path, kind=kind, status=status, limit=PAGE)
    }
    return len(listed)


async def _of_census(api: Api) -> int:
    """Persons the census found of whom something else was said later."""
    found = api.items("/enrollment/v1/census/persons", limit=PAGE)
    return sum([person["revision"] > 1 async for person in found])


async def _of_receipts(api: Api) -> tuple[int, int]:
    """Receipts cancelled, and those that count in a later version."""
    cancelled, corrected = 0, 0
    async for receipt in api.items("/tax-feed/v1/receipts", limit=PAGE):
        cancelled += receipt["cancelled"]
        corrected += receipt["revision"] > 1 and not receipt["cancelled"]
    return cancelled, corrected


async def _of_persons(api: Api, first: Dekad, last: Dekad, city: str) -> tuple[int, int]:
    """Facts that took a person from one unit to another, and those that only put another class
    of worker in the place of the one that was reported."""
    moved = reclassed = 0
    for figure in _figures("insured-total", first, last, city):
        by_fact: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        async for entry in api.items(f"/reporting/v1/figures/{figure}/entries", limit=PAGE):
            by_fact[entry["fact"]["id"]].append(entry)
        for entries in by_fact.values():
            moved += len({entry["unit"] for entry in entries}) > 1
            reclassed += _is_reclassed(entries)
    return moved, reclassed


def _is_reclassed(entries: Iterable[Mapping[str, Any]]) -> bool:
    places = {(entry["unit"], entry["segments"].get("status")) for entry in entries}
    classes = {entry["segments"].get("worker_class") for entry in entries}
    return len(places) == 1 and len(classes) > 1


def _figures(measure: str, first: Dekad, last: Dekad, unit: str) -> Iterator[str]:
    dekad = first
    while dekad <= last:
        yield f"{measure}.{unit}.{dekad}.this-dekad"
        dekad = dekad.next()
