"""Each feed of the plan taken back: a correction, what it corrected, and what a full list lacks.

What a withdrawal publishes goes through the inboxes of those who read it. The register's own feeds,
which may refuse to be taken back, are in ``tests/enrollment/test_withdrawing.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from enrollment.app import SERVICE as ENROLLMENT
from registration_feed.app import SERVICE as REGISTRATION_FEED
from reporting.app import SERVICE as REPORTING
from shared.bus.contract import Batch
from shared.clock import FixedClock
from shared.deliveries.feed import Feed
from shared.events import Fact
from shared.events.deliveries import DeliveryReceived
from shared.identifiers import make_org_code
from shared.inbox import Inbox
from shared.service import Service
from tax_feed.app import SERVICE as TAX_FEED
from tests.conftest import PostgresForTests
from tests.registration_feed.door import Door, migrated_template, opened
from tests.registration_feed.test_deliveries import licence
from tests.reporting.objects import message
from tests.tax_feed.records import tax_no

REGISTER = {"employers", "insured-persons", "employer-applications", "person-applications"}
PERIODS = {"activities": "2008-06", "month": "2008-05", "dekad": "2008-06-D1"}
UNITS = ["210502", "210503"]
OTHER = {"tax_no": tax_no(2)}
OTHER_UNIT = {"unit": "210503"}


class Case(NamedTuple):
    """What a correction of the example says, and what makes the example another's."""

    correction: dict[str, Any]
    other: dict[str, Any]
    department: str = "tax"


CASES = {
    "business-licences": Case({"name": "本溪市更名餐饮有限公司"}, licence(2), "industry-commerce"),
    "organisation-codes": Case(
        {"name": "本溪市更名餐饮有限公司"},
        {"org_code": make_org_code("PDY00002"), "licence_no": None},
        "quality-supervision",
    ),
    "tax-registrations": Case({"notified_on": "2008-05-14"}, OTHER),
    "employer-checks": Case({"taxable_headcount": 20}, OTHER),
    "unenrolled-employers": Case({"insured_headcount": 3}, OTHER),
    "headcounts": Case({"taxable_headcount": 20}, OTHER),
    "receipts": Case({"pooled": "4000.00"}, {"receipt_no": "JK200806-000002"}),
    "arrears": Case({"balance": "600.00"}, {"org_code": make_org_code("PDY00002")}),
    "clearing-plans": Case({"amount": "6000.00"}, {"instalment_no": 2}),
    "base-audits": Case({"audited_base": "70000.00"}, {"audit_no": "JH-2008-0002"}),
    "no-wage-persons": Case({"individual_base": "2000.00"}, OTHER),
    "deduction-reviews": Case({"paid": "5760.00"}, {"review_no": "LZ-2008-0002"}),
    "pre-levies": Case({"pooled": "4000.00"}, {"levy_no": "XX-2008-0002"}),
    "census-units": Case({"uninsured_found": 9}, {"frame_no": "PC-01-00018"}, "agency"),
    "census-persons": Case({"can_pay": False}, {"entry_no": "PR-01-000232"}, "agency"),
    "complaints": Case({"persons_affected": 30}, {"complaint_no": "XF-2008-0032"}, "agency"),
    "inspection-findings": Case({"not_enrolled": 7}, {"finding_no": "JC-2008-0018"}, "agency"),
    "dekad-reports": Case({"did_pay": 74_000}, OTHER_UNIT, "unit"),
    "monthly-reports": Case({"problems": "无"}, OTHER_UNIT, "unit"),
    "activities": Case({"copies": 900}, {"activity_no": "PS-2008-06-02"}, "unit"),
}
SERVICES = (REGISTRATION_FEED, TAX_FEED, ENROLLMENT, REPORTING)


def test_every_feed_can_be_taken_back() -> None:
    feeds = {feed.name: feed for service in SERVICES for feed in service.feeds}
    assert [name for name, feed in feeds.items() if feed.standing is None] == []
    assert feeds.keys() == CASES.keys() | REGISTER


class Sender:
    """Pushes one feed and tells what each step published of it."""

    def __init__(self, door: Door, feed: Feed) -> None:
        self.door = door
        self.feed = feed
        self.case = CASES[feed.name]
        self.period = PERIODS.get(feed.name) or PERIODS[feed.period_kind]
        self.seen = 0

    def record(self, **change: Any) -> dict[str, Any]:
        made = {**self.feed.example, **change}
        return {name: value for name, value in made.items() if value is not None}

    async def push(self, *records: dict[str, Any]) -> str:
        who: dict[str, Any] = {"department": self.case.department, "units": self.units}
        told = await self.door.push(self.feed.name, self.period, records, **who)
        assert told["applied"] == len(records), told
        found: str = told["delivery"]
        return found

    @property
    def units(self) -> list[str] | None:
        return UNITS if self.case.department == "unit" else None

    async def _post(self, path: str, **body: Any) -> None:
        token = self.door.token(self.case.department, self.units)
        headers = {**token, "Idempotency-Key": f"full-{self.feed.name}"}
        answer = await self.door.http.post(path, headers=headers, **body)
        assert answer.status_code == 202, answer.text
        await self.door.worker.drain()

    async def withdraw(self, delivery: str) -> None:
        await self._post(f"/deliveries/{delivery}/withdrawal", json={"reason": "wrong file"})

    async def replace(self, *records: dict[str, Any]) -> None:
        how = {"period": self.period, "wait": 0, "mode": "replace", "confirm_removals": 1}
        await self._post(f"/feeds/{self.feed.name}/deliveries", json=list(records), params=how)

    async def told(self) -> list[Fact]:
        """What was published of the feed's records since the last time it was asked."""
        every = await self.door.facts(Fact)
        new, self.seen = every[self.seen :], len(every)
        aside = ("lead-", "employer-linked", "employer-split")
        return [
            fact
            for fact in new
            if not isinstance(fact, DeliveryReceived) and not fact.kind.startswith(aside)
        ]

    async def listed(self) -> int | None:
        """How many its service's list shows; None where it shows what is void or no list."""
        reader = {"tax-feed": "agency", "reporting": "leading-group"}
        department = reader.get(self.door.runtime.service.name)
        if department is None:
            return None
        path = {"employer-checks": "checks"}.get(self.feed.name, self.feed.name)
        return len((await self.door.get(f"/{path}", department))["items"])

    async def stands(self) -> list[bool]:
        """Of each key, in order of its first delivery, whether anything stands of it."""
        standing = self.feed.standing
        assert standing is not None
        rows = await self.door.rows(
            f"SELECT NOT ({standing.gone}) AS stands FROM {standing.table.name} AS s "
            f"ORDER BY s.{standing.key}"
        )
        return [row["stands"] for row in rows]


WHERE_FROM = {"revision", "correction", "delivery_id", "record_no", "part", "recorded_at"}


def said(fact: Fact) -> dict[str, Any]:
    """What a fact says, whichever delivery says it."""
    told = {name: getattr(fact, name) for name in fact.__struct_fields__ if name not in WHERE_FROM}
    return {"kind": fact.kind, **told}


async def taken_back(sender: Sender) -> str:
    """Push, correct, and take back both; then a full list that lacks what was pushed anew. The
    subject of which nothing stands."""
    first = await sender.push(sender.record())
    [was] = await sender.told()
    second = await sender.push(sender.record(**sender.case.correction))
    [then] = await sender.told()
    assert (said(then) == said(was), then.revision) == (False, 2)
    assert await sender.listed() in (1, None)
    await sender.withdraw(second)
    [again] = await sender.told()
    assert said(again) == said(was)
    assert (again.revision, again.correction, again.delivery_id) == (3, True, first)
    assert await sender.stands() == [True]
    await sender.withdraw(first)
    [gone] = await sender.told()
    assert (gone.subject, gone.revision, gone.correction) == (was.subject, 4, True)
    assert said(gone) != said(was)
    assert await sender.stands() == [False]
    assert await sender.listed() in (0, None)
    await sender.push(sender.record())
    [anew] = await sender.told()
    assert (said(anew), anew.revision) == (said(was), 5)
    await sender.replace(sender.record(**sender.case.other))
    ended = [fact for fact in await sender.told() if fact.subject == was.subject]
    assert [(said(fact), fact.revision) for fact in ended] == [(said(gone), 6)]
    assert sorted(await sender.stands()) == [False, True]
    return was.subject


@pytest.fixture(scope="session")
async def templates(postgres: PostgresForTests) -> dict[str, str]:
    return {service.name: await migrated_template(postgres, service) for service in SERVICES}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_is_taken_back_and_heard_by_those_who_read_it(
    service: Service,
    postgres: PostgresForTests,
    templates: dict[str, str],
    tmp_path: Path,
    clock: FixedClock,
) -> None:
    async with AsyncExitStack() as stack:

        async def door_of(opening: Service, name: str) -> Door:
            url = postgres.fresh_database(templates[opening.name])
            folder = tmp_path / name
            folder.mkdir()
            return await stack.enter_async_context(opened(opening, url, folder, clock, "tax"))

        door = await door_of(service, "sends")
        gone = set()
        for feed in service.feeds:
            if feed.name in CASES:
                sender = Sender(door, feed)
                await sender.told()
                gone.add(await taken_back(sender))
        facts = await door.facts(Fact)
        for reader in (ENROLLMENT, REPORTING):
            if service.name in {one.producer for one in reader.subscriptions}:
                reads = await door_of(reader, f"reads-{reader.name}")
                await _take(reads, facts)
                if reader is ENROLLMENT:
                    assert not gone & await _evidence(reads)


async def _take(reader: Door, facts: Sequence[Fact]) -> None:
    messages = [message(fact, no) for no, fact in enumerate(facts, 1)]
    inbox = Inbox.of(reader.runtime)
    done = await inbox.apply(Batch(facts[0].topic(), 0, 0, messages, len(messages)))
    assert (done.applied, done.dead) == (len(messages), 0)


async def _evidence(enrollment: Door) -> set[str]:
    """The subjects that open leads stand on; there are some."""
    found = await enrollment.rows("SELECT records FROM leads WHERE status <> 'closed'")
    lines = [line for row in found for line in row["records"].splitlines()]
    assert lines
    return {line.partition("#")[0] for line in lines}
