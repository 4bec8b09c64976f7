"""Counting again, from the raw bytes alone, with nothing of the product's own judging.

Deliberately naive: everything in dictionaries, one record after another, own check digits.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from kuomian.client import Api

Record = dict[str, Any]
Change = tuple[date, str, str, int]
"""Effective day, measure, unit, quantity."""


def identity_ok(number: str) -> bool:
    """GB 11643: 18 characters, ISO 7064 MOD 11-2."""
    weights = [2 ** (17 - at) % 11 for at in range(17)]
    total = sum(weight * int(digit) for weight, digit in zip(weights, number, strict=False))
    return len(number) == 18 and number[17] == "10X98765432"[total % 11]


def identity_of(number: str) -> str:
    """The 18-digit form; 15 digits are those of people born in 19xx, without the check."""
    if len(number) != 15:
        return number
    body = f"{number[:6]}19{number[6:]}"
    return next(body + check for check in "10X98765432" if identity_ok(body + check))


def org_code_ok(code: str) -> bool:
    """GB 11714: 8 characters and a check character."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(w * int(char, 36) for w, char in zip(weights, code, strict=False))
    return len(code) == 9 and code[8] == "0123456789X0"[(11 - total % 11) % 11]


def tax_no_ok(number: str) -> bool:
    """Six digits of the place, then an organisation code; or an owner's number and 00."""
    return identity_ok(number[:18]) if len(number) == 20 else org_code_ok(number[6:])


@dataclass
class Recount:
    """Every change of the three measures, as counted here."""

    changes: list[Change]

    @classmethod
    async def of(cls, api: Api) -> "Recount":
        """From all deliveries there are, read back as they were sent."""
        receipts = await _records(api, "tax-feed", "receipts")
        register = await _records(api, "enrollment", "insured-persons")
        persons = await _records(api, "enrollment", "person-applications")
        employers = await _records(api, "enrollment", "employers")
        applied = await _records(api, "enrollment", "employer-applications")
        known = {record["agency_no"] for _, record in employers + applied}
        return cls(_money(receipts) + _people(register, persons, known))

    def at(self, on: date, city: str) -> Counter[tuple[str, str]]:
        """(measure, unit) → sum of what took effect up to the day."""
        sums: Counter[tuple[str, str]] = Counter()
        for effective_on, measure, unit, quantity in self.changes:
            if effective_on <= on:
                sums[measure, unit] += quantity
                sums[measure, city] += quantity
        return sums


async def _records(api: Api, service: str, feed: str) -> list[tuple[list[str] | None, Record]]:
    """Sender's units and record, in the order they were accepted."""
    path = f"/{service}/v1/deliveries"
    deliveries = [d async for d in api.items(path, feed=feed, limit=1000)]
    found = []
    for delivery in reversed([d for d in deliveries if not d["dry_run"]]):
        content = await api.request("GET", delivery["links"]["content"])
        for line in content.content.splitlines():
            found.append((delivery["units"], json.loads(line)))
    return found


def _money(records: Iterable[tuple[list[str] | None, Record]]) -> list[Change]:
    latest: dict[str, Record] = {}
    for _, record in records:
        if "tax_no" in record and not tax_no_ok(record["tax_no"]):
            continue
        latest[record["receipt_no"]] = record
    return [
        (
            date.fromisoformat(record["received_on"]),
            "pooled-fund",
            record["collecting_unit"],
            int(Decimal(record["pooled"]) * 100),
        )
        for record in latest.values()
        if not record.get("cancelled")
    ]


def _people(
    register: list[tuple[list[str] | None, Record]],
    applications: list[tuple[list[str] | None, Record]],
    known: set[str],
) -> list[Change]:
    latest: dict[str, Record] = {}
    for units, record in applications:
        allowed = units is None or record["unit"] in units
        identity = identity_of(record["identity_no"])
        if not allowed or not identity_ok(identity):
            continue
        if record.get("agency_no") and record["agency_no"] not in known:
            continue
        latest[record["application_no"]] = record | {"identity_no": identity}
    events: dict[str, list[Record]] = defaultdict(list)
    for record in latest.values():
        events[record["identity_no"]].append(record)
    changes: list[Change] = []
    opening = {record["identity_no"]: record for _, record in register}
    for identity in opening.keys() | events.keys():
        changes += _person(opening.get(identity), events[identity])
    return changes


def _person(opening: Record | None, events: list[Record]) -> list[Change]:
    changes: list[Change] = []
    unit, active, dead = "", False, False

    def move(on: date, to: str, now_active: bool) -> None:
        nonlocal unit, active
        if unit:
            changes.append((on, "insured-total", unit, -1))
            changes.extend([(on, "insured-active", unit, -1)] if active else [])
        if to:
            changes.append((on, "insured-total", to, 1))
            changes.extend([(on, "insured-active", to, 1)] if now_active else [])
        unit, active = to, now_active

    if opening is not None:
        move(date(2008, 4, 30), opening["unit"], opening["status"] in ("active", "suspended"))
    for event in sorted(events, key=lambda event: str(event["effective_on"])):
        on = date.fromisoformat(event["effective_on"])
        if event["action"] in ("enrol", "transfer-in"):
            move(on, "" if dead else event["unit"], not dead)
        elif event["action"] == "transfer-out":
            move(on, "", False)
        elif event["reason"] == "retired":
            move(on, unit, False)
        elif event["reason"] != "suspended":
            move(on, "", False)
            dead = event["reason"] == "died"
    return changes
